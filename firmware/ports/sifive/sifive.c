/* Port of SiFive's FU540-C000: registers by its manual (v1p4), chapters 13 (UART)
 * and 17 (GPIO). */
#include "core.h"
#include "hil_config.h"
#include "hil_port.h"
#include "hil_uart.h"

enum { TXDATA = 0x00, RXDATA = 0x04, TXCTRL = 0x08, RXCTRL = 0x0c, IE = 0x10, IP = 0x14, DIV = 0x18 };
enum { ENABLE = 1, IE_RX = 2, IP_TX = 1, TX_BELOW_1 = 1 << 16 };
#define FULL_OR_EMPTY 0x80000000u

/* Pin 10 of the GPIO is the HiFive Unleashed's reset. */
#define GPIO 0x10060000u
enum { OUTPUT_ENABLE = 0x08, OUTPUT_VALUE = 0x0c, RESET_PIN = 1 << 10 };

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
    *uart(DIV) = HIL_CORE_CLOCK / HIL_UART_BAUD - 1;
    *uart(TXCTRL) = ENABLE | TX_BELOW_1;
    *uart(RXCTRL) = ENABLE;
    *uart(IE) = IE_RX;
    (void)*uart(RXDATA); /* QEMU delivers nothing more until what came before is taken */
}

void hil_uart_interrupt(void)
{
    for (uint32_t data = *uart(RXDATA); !(data & FULL_OR_EMPTY); data = *uart(RXDATA)) {
        hil_core_received((uint8_t)data);
    }
}

void hil_port_write(const uint8_t *data, size_t size)
{
    while (size-- > 0) {
        while (*uart(TXDATA) & FULL_OR_EMPTY) {
        }
        *uart(TXDATA) = *data++;
    }
}

bool hil_uart_idle(void)
{
    return *uart(IP) & IP_TX;
}

_Noreturn void hil_port_end(uint32_t code)
{
    core_tell_emulator(code);
    *at(GPIO + OUTPUT_ENABLE) |= RESET_PIN;
    *at(GPIO + OUTPUT_VALUE) &= ~(uint32_t)RESET_PIN;
    for (;;) {
        __asm__ volatile("wfi");
    }
}
