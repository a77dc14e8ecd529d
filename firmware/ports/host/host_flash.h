/* What the host port tells its flash: see flash.c. */
#ifndef HOST_FLASH_H
#define HOST_FLASH_H

#include <stdint.h>

/* The file that is the flash; made if there is none. Without, COMMIT is refused. */
void host_flash_open(const char *path);

/* Lose the power at this operation, the first being 1. */
void host_flash_cut(uint32_t operation, const char *model);

/* Say on stderr how many operations there were. */
void host_flash_report(void);

#endif
