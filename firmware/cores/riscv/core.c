/* RISC-V in machine mode: what is the same on every board with a CLINT and a PLIC
 * (RISC-V Privileged Architecture 1.12; RISC-V PLIC Specification 1.0). */
#include "core.h"

#include <stdbool.h>

#include "hil_config.h"
#include "hil_port.h"
#include "hil_runtime.h"
#include "hil_uart.h"

#define MSTATUS_MIE 0x8u
/* bits of mie, and codes of mcause */
enum { MACHINE_TIMER = 7, MACHINE_EXTERNAL = 11 };
enum { LOAD_ACCESS_FAULT = 5, STORE_ACCESS_FAULT = 7 };
#define MCAUSE_INTERRUPT (1ul << (__riscv_xlen - 1))

enum { EXIT_FAULT = 7 }; /* the host's exit code for a device fault */

extern const uint32_t stack_bottom[];

static volatile uint32_t *plic(uint32_t offset)
{
    return (volatile uint32_t *)(uintptr_t)(HIL_PLIC + offset);
}

#define PLIC_PRIORITY plic(4 * HIL_UART_INTERRUPT)
#define PLIC_ENABLE plic(0x2000 + 0x80 * HIL_PLIC_CONTEXT + 4 * (HIL_UART_INTERRUPT / 32))
#define PLIC_THRESHOLD plic(0x200000 + 0x1000 * HIL_PLIC_CONTEXT)
#define PLIC_CLAIM plic(0x200004 + 0x1000 * HIL_PLIC_CONTEXT)

#define CLINT_MTIMECMP (*(volatile uint64_t *)(uintptr_t)(HIL_CLINT + 0x4000 + 8 * HIL_HART))
#define CLINT_MTIME (*(volatile uint64_t *)(uintptr_t)(HIL_CLINT + 0xbff8))

void hil_port_init(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    hil_uart_open();
    *PLIC_PRIORITY = 1;
    *PLIC_ENABLE = 1u << (HIL_UART_INTERRUPT % 32);
    *PLIC_THRESHOLD = 0;
    csr_write(mie, 1u << MACHINE_EXTERNAL); /* a reset may come with the watchdog on */
    csr_set(mstatus, MSTATUS_MIE);
}

void core_interrupt(void);
void core_interrupt(void)
{
    const uint32_t irq = *PLIC_CLAIM;

    hil_uart_interrupt();
    if (irq != 0) {
        *PLIC_CLAIM = irq;
    }
}

/* The cause that the host is told. With the stack pointer below the stack, an
 * access that is not allowed is what the overflow has come to. */
static uint32_t cause_of(unsigned long mcause, unsigned long sp)
{
    if (mcause == (MCAUSE_INTERRUPT | MACHINE_TIMER)) {
        return HIL_CAUSE_WATCHDOG;
    }
    if (sp < (uintptr_t)stack_bottom &&
        (mcause == LOAD_ACCESS_FAULT || mcause == STORE_ACCESS_FAULT)) {
        return HIL_CAUSE_STACK_OVERFLOW;
    }
    return (uint32_t)mcause;
}

_Noreturn void core_exception(unsigned long mcause, unsigned long pc,
                              unsigned long address, unsigned long sp);
_Noreturn void core_exception(unsigned long mcause, unsigned long pc,
                              unsigned long address, unsigned long sp)
{
    hil_runtime_fault(cause_of(mcause, sp), pc, address);
    hil_core_drain();
    hil_port_exit(EXIT_FAULT);
}

/* A trap while another was being told: end, whatever state the line is in. */
_Noreturn void core_give_up(void);
_Noreturn void core_give_up(void)
{
    hil_port_end(EXIT_FAULT);
}

void hil_port_wait(void)
{
    /* With interrupts off between the look and the sleep, none slips through:
     * wfi ends for a pending interrupt also then. */
    csr_clear(mstatus, MSTATUS_MIE);
    if (hil_core_nothing()) {
        __asm__ volatile("wfi");
    }
    csr_set(mstatus, MSTATUS_MIE);
}

void hil_port_mask_interrupts(bool masked)
{
    /* not mstatus.MIE: the watchdog's must still come */
    if (masked) {
        csr_clear(mie, 1u << MACHINE_EXTERNAL);
    } else {
        csr_set(mie, 1u << MACHINE_EXTERNAL);
    }
}

/* A 64-bit counter, whatever the width of a register. */
#if __riscv_xlen == 64
#define read_counter(csr) csr_read(csr)
#else
#define read_counter(csr)                                                              \
    ({                                                                                 \
        uint32_t high_, low_;                                                          \
        do {                                                                           \
            high_ = csr_read(csr##h);                                                  \
            low_ = csr_read(csr);                                                      \
        } while (high_ != csr_read(csr##h));                                           \
        (uint64_t)high_ << 32 | low_;                                                  \
    })
#endif

/* From the CLINT: not every hart lets machine mode read it as a register. */
static uint64_t mtime(void)
{
#if __riscv_xlen == 64
    return CLINT_MTIME;
#else
    const volatile uint32_t *const half = (const volatile uint32_t *)&CLINT_MTIME;
    uint32_t high, low;
    do {
        high = half[1];
        low = half[0];
    } while (high != half[1]);
    return (uint64_t)high << 32 | low;
#endif
}

void hil_port_watchdog(bool armed)
{
    if (armed) {
        CLINT_MTIMECMP = mtime() + (uint64_t)HIL_WATCHDOG_MS * (HIL_TIMEBASE / 1000u);
        csr_set(mie, 1u << MACHINE_TIMER);
    } else {
        csr_clear(mie, 1u << MACHINE_TIMER);
    }
}

uint64_t hil_port_instructions(void)
{
    return read_counter(minstret);
}

uint64_t hil_port_cycles(void)
{
    return read_counter(mcycle);
}

uint32_t hil_port_vlen(void)
{
    return csr_read(0xc22) * 8; /* vlenb, by number: no assembler needs to know V */
}

_Noreturn void hil_port_exit(uint32_t code)
{
    while (!hil_uart_idle()) {
        /* the machine's end would take the last bytes along */
    }
    hil_port_end(code < 255 ? code : 255);
}
