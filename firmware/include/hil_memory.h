/* The part of <string.h> the firmware uses; freestanding compilers have no
 * such header, and may themselves call both functions. */
#ifndef HIL_MEMORY_H
#define HIL_MEMORY_H

#if __STDC_HOSTED__
#include <string.h>
#else
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);
#endif

#endif
