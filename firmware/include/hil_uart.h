/* What a port adds to a core of firmware/cores: its UART, and the clock behind it,
 * and hil_port_write. The core has the receive ring, traps, the watchdog and the
 * stack; it calls these and is told of what has come. */
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

/* A byte has come; where the ring is full it is counted and lost. For
 * hil_uart_interrupt. */
void hil_core_received(uint8_t byte);

#endif
