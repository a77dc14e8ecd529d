/* Port of Arm's MPS2 board with an FPGA image whose UART is the CMSDK's: registers
 * by the Cortex-M System Design Kit Technical Reference Manual (DDI 0479), 4.3. */
#include "hil_config.h"
#include "hil_port.h"
#include "hil_uart.h"

enum { DATA = 0x00, STATE = 0x04, CTRL = 0x08, INTCLEAR = 0x0c, BAUDDIV = 0x10 };
enum { STATE_TX_FULL = 1, STATE_RX_FULL = 2 };
enum { CTRL_TX = 1, CTRL_RX = 2, CTRL_RX_INTERRUPT = 8 };
enum { INT_RX = 2 };

static volatile uint32_t *uart(unsigned offset)
{
    return (volatile uint32_t *)(uintptr_t)(HIL_UART_ORIGIN + offset);
}

void hil_uart_open(void)
{
    *uart(CTRL) = 0;
    *uart(BAUDDIV) = HIL_UART_CLOCK / HIL_UART_BAUD;
    *uart(CTRL) = CTRL_TX | CTRL_RX | CTRL_RX_INTERRUPT;
    (void)*uart(DATA); /* QEMU delivers nothing more until what came before is taken */
}

void hil_uart_interrupt(void)
{
    *uart(INTCLEAR) = INT_RX;
    while (*uart(STATE) & STATE_RX_FULL) {
        hil_core_received((uint8_t)*uart(DATA));
    }
}

void hil_port_write(const uint8_t *data, size_t size)
{
    while (size-- > 0) {
        while (*uart(STATE) & STATE_TX_FULL) {
        }
        *uart(DATA) = *data++;
    }
}

bool hil_uart_idle(void)
{
    return !(*uart(STATE) & STATE_TX_FULL);
}
