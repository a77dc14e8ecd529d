/* What every core does with what its UART has received, and the stack's watermark. */
#include "hil_config.h"
#include "hil_port.h"
#include "hil_uart.h"

enum { STACK_PAINT = 0x5aa55aa5 };

extern const uint32_t stack_bottom[], stack_top[];

/* Filled by the interrupt, emptied by hil_port_read. Indices only grow, and
 * wrap; a byte that finds the ring full is counted and lost. All of it is
 * volatile, so that no byte is read or written on the wrong side of its index. */
static volatile struct {
    _Alignas(16) uint32_t head;
    uint32_t tail, overruns;
    uint8_t bytes[HIL_RX_RING];
} rx;

_Static_assert((HIL_RX_RING & (HIL_RX_RING - 1)) == 0,
               "indices wrap at 2^32: the ring must be a power of two");
_Static_assert(sizeof rx == HIL_RX_BYTES, "ram.toml says another size");

void hil_core_received(uint8_t byte)
{
    if (rx.head - rx.tail == HIL_RX_RING) {
        rx.overruns++;
    } else {
        rx.bytes[rx.head % HIL_RX_RING] = byte;
        rx.head++;
    }
}

bool hil_core_nothing(void)
{
    return rx.tail == rx.head;
}

void hil_core_drain(void)
{
    enum { SILENCE = 1000000 }; /* looks, some tenths of a second in QEMU */

    for (uint32_t quiet = 0; quiet < SILENCE; quiet++) {
        hil_uart_interrupt(); /* traps mask it */
        if (rx.tail != rx.head) {
            rx.tail = rx.head;
            quiet = 0;
        }
    }
}

size_t hil_port_read(uint8_t *data, size_t size)
{
    size_t count = 0;

    while (count < size && rx.tail != rx.head) {
        data[count++] = rx.bytes[rx.tail % HIL_RX_RING];
        rx.tail++;
    }
    return count;
}

uint32_t hil_port_overruns(void)
{
    return rx.overruns;
}

uint32_t hil_port_stack(void)
{
    const uint32_t *deepest = stack_bottom;

    while (deepest < stack_top && *deepest == STACK_PAINT) {
        deepest++;
    }
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)deepest);
}
