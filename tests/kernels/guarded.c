/* Whether KERNEL reads rows of any width where they lie, and no further: each array ends where
 * nothing can be read. */
#define _DEFAULT_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "hil_kernels.h"

enum { ROOM = 1 << 16, GUARD = 1 << 16, WIDEST = 40, LONGEST = 82 };

/* So many numbers, the last of them before memory that is nobody's. */
static float *ending(int which, size_t count)
{
    static uint8_t *rooms[4];

    if (rooms[which] == NULL) {
        rooms[which] = mmap(NULL, ROOM + GUARD, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (rooms[which] == MAP_FAILED || mprotect(rooms[which] + ROOM, GUARD, PROT_NONE)) {
            return NULL;
        }
    }
    float *const first = (float *)(rooms[which] + ROOM) - count;
    for (size_t i = 0; i < count; i++) {
        first[i] = 1.0f;
    }
    return first;
}

int main(void)
{
    unsigned shapes = 0;

    for (size_t n_out = 1; n_out <= WIDEST; n_out++) {
        for (size_t n_in = 1; n_in <= LONGEST; n_in++, shapes++) {
            const float *const w = ending(0, n_in * n_out), *const b = ending(1, n_out);
            const float *const x = ending(2, n_in);
            float *const a = ending(3, n_out);

            KERNEL(w, b, x, a, n_in, n_out);
            if (a[0] != (float)(n_in + 1) || a[n_out - 1] != a[0]) {
                return 1;
            }
        }
    }
    printf("%u shapes\n", shapes);
    return 0;
}
