/* A 16550 UART, for the one source of a port whose machine has one at HIL_UART_ORIGIN: its
 * registers and how it begins, and of hil_port.h and hil_uart.h the functions that send.
 * The port says first, as HIL_16550_WORD, how wide a register is on its bus; they follow
 * one another without gaps. */
#ifndef HIL_16550_H
#define HIL_16550_H

#include "hil_config.h"
#include "hil_port.h"
#include "hil_uart.h"

enum { RBR = 0, THR = 0, IER = 1, FCR = 2, IIR = 2, LCR = 3, LSR = 5, DLL = 0, DLM = 1 };
enum { LSR_DATA = 0x01, LSR_THR_EMPTY = 0x20, LSR_ALL_SENT = 0x40 };
enum { LCR_8N1 = 0x03, LCR_DLAB = 0x80 };
enum { FCR_ENABLE_CLEAR = 0x07, FCR_TRIGGER_14 = 0xc0, IER_DATA = 0x01 };
enum { IIR_CAUSE = 0x0f, IIR_TRIGGERED = 0x04 };
enum { UART_FIFO = 16, UART_TRIGGER = 14 };

static inline volatile HIL_16550_WORD *uart(unsigned reg)
{
    return (volatile HIL_16550_WORD *)(uintptr_t)HIL_UART_ORIGIN + reg;
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

/* 8N1, interrupts by received data, with this divisor and FIFO control. */
static inline void uart_begin(uint32_t divisor, uint8_t fifo)
{
    *uart(LCR) = LCR_DLAB;
    *uart(DLL) = divisor & 0xff;
    *uart(DLM) = (uint8_t)(divisor >> 8);
    *uart(LCR) = LCR_8N1;
    *uart(FCR) = FCR_ENABLE_CLEAR | fifo;
    *uart(IER) = IER_DATA;
    /* A byte that came before the FIFO was on keeps QEMU from delivering the
     * next ones until somebody takes it. */
    (void)*uart(RBR);
}

#endif
