/* Cycles and instructions of this process by Linux's perf interface: the processor's
 * own counters, of user mode alone. Both or neither, in one group that is always on
 * them. Zeros where the system does not grant it (perf_event_paranoid above 2, a
 * container, no driver for the processor, an emulator) or is no Linux. */
#define _GNU_SOURCE /* syscall */

#include "hil_config.h"
#include "host_counters.h"

static int counters = -1; /* descriptor of the group; -1: nothing is counted */

_Static_assert(sizeof counters == HIL_COUNTERS_BYTES, "ram.toml says another size");

#if defined(__linux__)

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_counter(uint64_t what, int group)
{
    struct perf_event_attr wanted = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof wanted,
        .config = what,
        .read_format = PERF_FORMAT_GROUP,
        .pinned = group < 0, /* or it takes turns with others, and misses some */
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };

    return (int)syscall(SYS_perf_event_open, &wanted, 0, -1, group, PERF_FLAG_FD_CLOEXEC);
}

void host_counters_open(void)
{
    counters = open_counter(PERF_COUNT_HW_CPU_CYCLES, -1);
    if (counters >= 0 && open_counter(PERF_COUNT_HW_INSTRUCTIONS, counters) < 0) {
        (void)close(counters);
        counters = -1;
    }
}

struct host_counts host_counters_read(void)
{
    struct {
        uint64_t count, cycles, instructions;
    } told = { 0 };

    if (counters < 0 || read(counters, &told, sizeof told) != (ssize_t)sizeof told) {
        return (struct host_counts){ 0 };
    }
    return (struct host_counts){ told.cycles, told.instructions };
}

#else

void host_counters_open(void)
{
    (void)counters;
}

struct host_counts host_counters_read(void)
{
    return (struct host_counts){ 0 };
}

#endif
