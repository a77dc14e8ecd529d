/* What the files of this port share: the machine's addresses, from QEMU's
 * hw/riscv/virt.c, and its control registers. */
#ifndef VIRT_H
#define VIRT_H

#include <stdint.h>

#define RESET_VECTOR 0x00001000u
#define TEST_DEVICE 0x00100000u
#define CLINT 0x02000000u
#define PLIC 0x0c000000u
#define UART 0x10000000u
#define FLASH 0x20000000u

#define csr_read(csr)                                                                  \
    ({                                                                                 \
        unsigned long value_;                                                          \
        __asm__ volatile("csrr %0, " #csr : "=r"(value_) : : "memory");                \
        value_;                                                                        \
    })
#define csr_write(csr, value)                                                          \
    __asm__ volatile("csrw " #csr ", %0" : : "r"(value) : "memory")
#define csr_set(csr, bits) __asm__ volatile("csrs " #csr ", %0" : : "r"(bits) : "memory")
#define csr_clear(csr, bits) __asm__ volatile("csrc " #csr ", %0" : : "r"(bits) : "memory")

/* Hold every access to what the memory map allows, until the next reset. */
void virt_protect(void);

#endif
