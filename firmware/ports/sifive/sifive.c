/* Port of SiFive's chips: their UART (FU540-C000 Manual v1p4, chapter 13), and the way
 * out. What differs between them is in files of their names. */
#include "core.h"
#include "hil_config.h"
#include "hil_port.h"
#include "hil_uart.h"
#include "sifive.h"

enum { TXDATA = 0x00, RXDATA = 0x04, TXCTRL = 0x08, RXCTRL = 0x0c, IE = 0x10, IP = 0x14, DIV = 0x18 };
enum { ENABLE = 1, IE_RX = 2, IP_TX = 1, TX_BELOW_1 = 1 << 16 };
#define FULL_OR_EMPTY 0x80000000u

static volatile uint32_t *uart(unsigned offset)
{
    return at(HIL_UART_ORIGIN + offset);
}

void hil_uart_open(void)
{
    sifive_clock();
    *uart(DIV) = HIL_UART_CLOCK / HIL_UART_BAUD - 1;
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
    sifive_reset();
    for (;;) {
        __asm__ volatile("wfi");
    }
}
