/* Port of QEMU's RISC-V `virt` machine: its 16550 UART, and the test device for the
 * exit code. */
#include "virt.h"

#define HIL_16550_WORD uint8_t
#include "hil_16550.h"

enum { TEST_PASS = 0x5555, TEST_FAIL = 0x3333 };

void hil_uart_open(void)
{
    virt_protect();
    /* Divisor 1: QEMU paces the receive timeout by the baud rate, and the
     * reset value costs 4 ms a frame. Trigger 14: one interrupt, 14 bytes. */
    uart_begin(1, FCR_TRIGGER_14);
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

_Noreturn void hil_port_end(uint32_t code)
{
    *(volatile uint32_t *)(uintptr_t)TEST_DEVICE =
        code == 0 ? TEST_PASS : TEST_FAIL | code << 16;
    for (;;) {
        __asm__ volatile("wfi");
    }
}
