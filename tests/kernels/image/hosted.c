/* Console of a hosted program. */
#include "console.h"

#include <stdio.h>
#include <stdlib.h>

void print(const char *text)
{
    fputs(text, stdout);
}

_Noreturn void finish(int code)
{
    exit(code);
}
