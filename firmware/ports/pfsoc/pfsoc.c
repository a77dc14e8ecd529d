/* Port of Microchip's PolarFire SoC: MMUART1 or another of its UARTs, which are 16550s
 * whose registers are words. Registers by its MSS Technical Reference Manual and
 * register map (SYSREG, MMUART). */
#include "core.h"
#include "hil_config.h"
#include "hil_port.h"
#include "hil_uart.h"

enum { RBR = 0x00, THR = 0x00, DLR = 0x00, IER = 0x04, DMR = 0x04, FCR = 0x08, LCR = 0x0c, LSR = 0x14 };
enum { LSR_DATA = 0x01, LSR_THR_EMPTY = 0x20, LSR_ALL_SENT = 0x40 };
enum { LCR_8N1 = 0x03, LCR_DIVISOR = 0x80 };
enum { FCR_ENABLE_CLEAR = 0x07, IER_DATA = 0x01 };
enum { UART_FIFO = 16 };

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

static volatile uint32_t *uart(unsigned offset)
{
    return at(HIL_UART_ORIGIN + offset);
}

void hil_uart_open(void)
{
    const uint32_t divisor = (HIL_CORE_CLOCK / HIL_UART_BAUD + 8) / 16;

    *at(SYSREG + SUBBLK_CLOCK_CR) |= UART_BIT;
    *at(SYSREG + SOFT_RESET_CR) &= ~UART_BIT;
    *uart(LCR) = LCR_DIVISOR;
    *uart(DLR) = divisor & 0xff;
    *uart(DMR) = divisor >> 8;
    *uart(LCR) = LCR_8N1;
    *uart(FCR) = FCR_ENABLE_CLEAR; /* an interrupt for every byte: none waits */
    *uart(IER) = IER_DATA;
    (void)*uart(RBR); /* QEMU delivers nothing more until what came before is taken */
}

void hil_uart_interrupt(void)
{
    while (*uart(LSR) & LSR_DATA) {
        hil_core_received((uint8_t)*uart(RBR));
    }
}

void hil_port_write(const uint8_t *data, size_t size)
{
    while (size > 0) {
        while (!(*uart(LSR) & LSR_THR_EMPTY)) {
        }
        for (unsigned i = 0; i < UART_FIFO && size > 0; i++, size--) {
            *uart(THR) = *data++;
        }
    }
}

bool hil_uart_idle(void)
{
    return *uart(LSR) & LSR_ALL_SENT;
}

_Noreturn void hil_port_end(uint32_t code)
{
    core_tell_emulator(code);
    *at(SYSREG + MSS_RESET_CR) = RESET_KEY;
    for (;;) {
        __asm__ volatile("wfi");
    }
}
