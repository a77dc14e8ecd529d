/* What the host port's counters tell: see counters.c. */
#ifndef HOST_COUNTERS_H
#define HOST_COUNTERS_H

#include <stdint.h>

struct host_counts {
    uint64_t cycles, instructions;
};

/* Begin to count, where the system grants it. */
void host_counters_open(void);

/* What this process has done by itself since then; zeros where it is not counted. */
struct host_counts host_counters_read(void);

#endif
