/* Port of Nordic's nRF51: registers by the nRF51 Series Reference Manual (v3.0),
 * chapters CLOCK, TIMER and UART. The pins are the micro:bit's. */
#include "hil_config.h"
#include "hil_port.h"
#include "hil_uart.h"

#define CLOCK_HFCLKSTART 0x40000000u
#define CLOCK_HFCLKSTARTED 0x40000100u
#define TIMER0_START 0x40008000u
#define TIMER0_STOP 0x40008004u

enum { STARTRX = 0x000, STARTTX = 0x008 };                     /* tasks */
enum { RXDRDY = 0x108, TXDRDY = 0x11c };                       /* events */
enum { INTENSET = 0x304, ENABLE = 0x500, PSELTXD = 0x50c, PSELRXD = 0x514 };
enum { RXD = 0x518, TXD = 0x51c, BAUDRATE = 0x524 };
enum { ENABLED = 4, INT_RXDRDY = 1 << 2 };
enum { PIN_TXD = 24, PIN_RXD = 25 }; /* to the interface chip, which is on USB */

/* The crystal gives 16 MHz; the rate is a fraction of it, of which 20 bits are kept. */
#define RATE ((uint32_t)(((uint64_t)HIL_UART_BAUD << 32) / HIL_UART_CLOCK + 0x800) & ~0xfffu)

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
    *at(CLOCK_HFCLKSTART) = 1; /* a reset leaves an RC oscillator, too far off */
    while (!*at(CLOCK_HFCLKSTARTED)) {
    }
    *uart(PSELTXD) = PIN_TXD;
    *uart(PSELRXD) = PIN_RXD;
    *uart(ENABLE) = ENABLED;
    *uart(BAUDRATE) = RATE;
    *uart(INTENSET) = INT_RXDRDY;
    *uart(STARTTX) = 1;
    *uart(STARTRX) = 1;
    /* QEMU does not look at the line again by itself when bytes came before this, but
     * does so when a timer is set. On a board it counts a few cycles. */
    *at(TIMER0_START) = 1;
    *at(TIMER0_STOP) = 1;
}

/* Each byte of the receiver's six raises the event anew. */
void hil_uart_interrupt(void)
{
    while (*uart(RXDRDY)) {
        *uart(RXDRDY) = 0;
        hil_core_received((uint8_t)*uart(RXD));
    }
}

void hil_port_write(const uint8_t *data, size_t size)
{
    while (size-- > 0) {
        *uart(TXDRDY) = 0;
        *uart(TXD) = *data++;
        while (!*uart(TXDRDY)) {
        }
    }
}

bool hil_uart_idle(void)
{
    return true; /* hil_port_write has waited */
}
