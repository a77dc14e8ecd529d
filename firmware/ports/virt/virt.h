/* What the files of this port share: the machine's addresses, from QEMU's
 * hw/riscv/virt.c, besides those in its targets' files. */
#ifndef VIRT_H
#define VIRT_H

#include "core.h"
#include "hil_config.h"

#define RESET_VECTOR 0x00001000u
#define TEST_DEVICE 0x00100000u
#define FLASH 0x20000000u

/* Hold every access to what the memory map allows, until the next reset. */
void virt_protect(void);

#endif
