#include "hil_memory.h"

#include <stdint.h>

#if !__STDC_HOSTED__

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (((uintptr_t)t | (uintptr_t)f) % sizeof(uint32_t) == 0) {
        typedef uint32_t __attribute__((may_alias)) word;
        for (; size >= sizeof(word); size -= sizeof(word)) {
            *(word *)(void *)t = *(const word *)(const void *)f;
            t += sizeof(word);
            f += sizeof(word);
        }
    }
    while (size-- > 0) {
        *t++ = *f++;
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    uint8_t *t = to;

    while (size-- > 0) {
        *t++ = (uint8_t)value;
    }
    return to;
}

#else
typedef int hil_memory_is_libcs; /* ISO C wants a declaration in every file */
#endif
