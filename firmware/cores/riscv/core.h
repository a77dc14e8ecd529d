/* What RISC-V ports share: control registers, and what the core asks of a port. */
#ifndef CORE_H
#define CORE_H

#include <stdint.h>

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

/* The port's: end an emulator with `code` (at most 255), or reset the board. */
_Noreturn void hil_port_end(uint32_t code);

/* For hil_port_end: an emulator, or a debugger's host, ends here. On a board alone it is
 * a breakpoint, whose trap comes to hil_port_end again, and then this does nothing. Its
 * variable is `ending` in the port's ram.toml. */
void core_tell_emulator(uint32_t code);

#endif
