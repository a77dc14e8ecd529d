/* ST's USART of STM32F1, F2 and F4 (reference manuals RM0041, RM0090), for the one source
 * of a port whose chip has one at HIL_UART_ORIGIN: its registers and how it begins, and
 * of hil_port.h and hil_uart.h the functions that send and receive. Clocks and pins are
 * the port's. */
#ifndef HIL_STM32_USART_H
#define HIL_STM32_USART_H

#include "hil_config.h"
#include "hil_port.h"
#include "hil_uart.h"

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

enum { SR = 0x00, DR = 0x04, BRR = 0x08, CR1 = 0x0c };
enum { SR_RXNE = 1 << 5, SR_TC = 1 << 6, SR_TXE = 1 << 7 };
enum { CR1_RE = 1 << 2, CR1_TE = 1 << 3, CR1_RXNEIE = 1 << 5, CR1_UE = 1 << 13 };
enum { PATIENCE = 100000 }; /* looks; a crystal starts within some milliseconds */

static inline volatile uint32_t *uart(unsigned offset)
{
    return (volatile uint32_t *)(uintptr_t)(HIL_UART_ORIGIN + offset);
}

/* Until a register has this value under this mask: false when it never has. */
static inline bool comes(volatile uint32_t *where, uint32_t mask, uint32_t value)
{
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if ((*where & mask) == value) {
            return true;
        }
    }
    return false;
}

/* 8N1, interrupts by received data, from this clock in Hz. */
static inline void uart_begin(uint32_t clock)
{
    *uart(CR1) = 0;
    *uart(BRR) = (clock + HIL_UART_BAUD / 2) / HIL_UART_BAUD;
    *uart(CR1) = CR1_UE | CR1_TE | CR1_RE | CR1_RXNEIE;
    (void)*uart(DR); /* QEMU delivers nothing more until what came before is taken */
}

void hil_uart_interrupt(void)
{
    while (*uart(SR) & SR_RXNE) {
        hil_core_received((uint8_t)*uart(DR));
    }
}

void hil_port_write(const uint8_t *data, size_t size)
{
    while (size-- > 0) {
        while (!(*uart(SR) & SR_TXE)) {
        }
        *uart(DR) = *data++;
    }
}

bool hil_uart_idle(void)
{
    return *uart(SR) & SR_TC;
}

#endif
