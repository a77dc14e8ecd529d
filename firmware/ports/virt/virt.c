/* Port of QEMU's RISC-V `virt` machine: its 16550 UART, and the test device for the
 * exit code. */
#include "virt.h"

#include "hil_port.h"
#include "hil_uart.h"

/* 16550 registers, one byte each. */
enum { RBR = 0, THR = 0, IER = 1, FCR = 2, IIR = 2, LCR = 3, LSR = 5, DLL = 0, DLM = 1 };
enum { LSR_DATA = 0x01, LSR_THR_EMPTY = 0x20, LSR_ALL_SENT = 0x40 };
enum { LCR_8N1 = 0x03, LCR_DLAB = 0x80 };
enum { FCR_ENABLE_CLEAR = 0x07, FCR_TRIGGER_14 = 0xc0, IER_DATA = 0x01 };
enum { IIR_CAUSE = 0x0f, IIR_TRIGGERED = 0x04 };
enum { UART_FIFO = 16, UART_TRIGGER = 14 };

enum { TEST_PASS = 0x5555, TEST_FAIL = 0x3333 };

static volatile uint8_t *uart(unsigned reg)
{
    return (volatile uint8_t *)(uintptr_t)(HIL_UART_ORIGIN + reg);
}

void hil_uart_open(void)
{
    virt_protect();
    /* Divisor 1: QEMU paces the receive timeout by the baud rate, and the
     * reset value costs 4 ms a frame. Trigger 14: one interrupt, 14 bytes. */
    *uart(LCR) = LCR_DLAB;
    *uart(DLL) = 1;
    *uart(DLM) = 0;
    *uart(LCR) = LCR_8N1;
    *uart(FCR) = FCR_ENABLE_CLEAR | FCR_TRIGGER_14;
    *uart(IER) = IER_DATA;
    /* A byte that came before the FIFO was on keeps QEMU from delivering the
     * next ones until somebody takes it. */
    (void)*uart(RBR);
}

void hil_uart_interrupt(void)
{
    /* A triggered FIFO holds so many bytes: no need to ask for each, and every
     * access of a device costs QEMU about as much as a hundred instructions. */
    if ((*uart(IIR) & IIR_CAUSE) == IIR_TRIGGERED) {
        for (int i = 0; i < UART_TRIGGER; i++) {
            hil_core_received(*uart(RBR));
        }
    }
    while (*uart(LSR) & LSR_DATA) {
        hil_core_received(*uart(RBR));
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
    *(volatile uint32_t *)(uintptr_t)TEST_DEVICE =
        code == 0 ? TEST_PASS : TEST_FAIL | code << 16;
    for (;;) {
        __asm__ volatile("wfi");
    }
}
