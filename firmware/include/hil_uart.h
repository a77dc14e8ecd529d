/* What a port adds to a core of firmware/cores: its UART, and the clock behind it,
 * and hil_port_write. The core has traps, the watchdog and the stack, and shares the
 * receive ring with the other cores (cores/shared). */
#ifndef HIL_UART_H
#define HIL_UART_H

#include <stdbool.h>
#include <stdint.h>

/* Bring up clock and UART; what comes in raises the interrupt from now on. */
void hil_uart_open(void);

/* The UART's interrupt: everything it has received goes to hil_core_received.
 * Harmless when nothing has come. */
void hil_uart_interrupt(void);

/* Whether the last byte has left the UART. */
bool hil_uart_idle(void);

/* Whether all that has come is read. With the UART's interrupt masked, or on its way
 * to a wfi, that cannot change. */
bool hil_core_nothing(void);

/* Reads and forgets what the host still sends, until it is silent. An emulator
 * that ends with bytes unread resets its end of the line, and then the host's
 * system may throw away what was said last: the fault. */
void hil_core_drain(void);

/* A byte has come; where the ring is full it is counted and lost. For
 * hil_uart_interrupt. */
void hil_core_received(uint8_t byte);

#endif
