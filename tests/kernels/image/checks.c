/* Every variant against the scalar kernel of the same name, bit for bit.
 *
 * rows.h has a line ROW(kernel, symbol) for each variant to be checked. The
 * first difference ends the program with 1 and a line that names variant,
 * sizes, element and both words.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "hil_kernels.h"

#include "comparing.h"
#include "inputs.h"
#include "layers.h"
#include "outputs.h"
#include "elements.h"
#include "cells.h"
#include "gates.h"
#include "integers.h"
#include "spiking.h"
#include "played.h"

int main(void)
{
#define ROW(kernel, symbol) \
    variant = #symbol; \
    check_##kernel(symbol);
#include "rows.h"
    print("same ");
    print_number(compared, 10);
    print("\n");
    return 0;
}
