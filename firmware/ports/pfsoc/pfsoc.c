/* Port of Microchip's PolarFire SoC: MMUART1 or another of its UARTs, which are 16550s
 * whose registers are words. Registers by its MSS Technical Reference Manual and
 * register map (SYSREG, MMUART). */
#include "core.h"

#define HIL_16550_WORD uint32_t
#include "hil_16550.h"

#define SYSREG 0x20002000u
enum { MSS_RESET_CR = 0x18, SUBBLK_CLOCK_CR = 0x84, SOFT_RESET_CR = 0x88 };
enum { RESET_KEY = 0xdead };

/* The bit that is this UART's in both control registers: from 5 on, and MMUART0 to 4
 * have one interrupt after the other. */
#define UART_BIT (1u << (HIL_UART_INTERRUPT - 90 + 5))

static volatile uint32_t *at(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)address;
}

void hil_uart_open(void)
{
    *at(SYSREG + SUBBLK_CLOCK_CR) |= UART_BIT;
    *at(SYSREG + SOFT_RESET_CR) &= ~UART_BIT;
    /* an interrupt for every byte: none waits */
    uart_begin((HIL_UART_CLOCK / HIL_UART_BAUD + 8) / 16, 0);
}

void hil_uart_interrupt(void)
{
    while (*uart(LSR) & LSR_DATA) {
        hil_core_received((uint8_t)*uart(RBR));
    }
}

_Noreturn void hil_port_end(uint32_t code)
{
    core_tell_emulator(code);
    *at(SYSREG + MSS_RESET_CR) = RESET_KEY;
    for (;;) {
        __asm__ volatile("wfi");
    }
}
