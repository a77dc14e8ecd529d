/* Port of QEMU's RISC-V `virt` machine: 16550 UART by interrupt, PLIC, CLINT
 * for the watchdog, the test device for the exit code. */
#include <stdbool.h>

#include "hil_config.h"
#include "hil_port.h"
#include "hil_runtime.h"
#include "virt.h"

#define UART_IRQ 10
#define MSTATUS_MIE 0x8u
/* bits of mie, and codes of mcause */
enum { MACHINE_TIMER = 7, MACHINE_EXTERNAL = 11 };
enum { LOAD_ACCESS_FAULT = 5, STORE_ACCESS_FAULT = 7 };
#define MCAUSE_INTERRUPT (1ul << (__riscv_xlen - 1))

#define TICKS_PER_MS 10000u /* of the CLINT's clock, 10 MHz */
#define STACK_PAINT 0x5aa55aa5u

/* 16550 registers, one byte each. */
enum { RBR = 0, THR = 0, IER = 1, FCR = 2, IIR = 2, LCR = 3, LSR = 5, DLL = 0, DLM = 1 };
enum { LSR_DATA = 0x01, LSR_THR_EMPTY = 0x20, LSR_ALL_SENT = 0x40 };
enum { LCR_8N1 = 0x03, LCR_DLAB = 0x80 };
enum { FCR_ENABLE_CLEAR = 0x07, FCR_TRIGGER_14 = 0xc0, IER_DATA = 0x01 };
enum { IIR_CAUSE = 0x0f, IIR_TRIGGERED = 0x04 };
enum { UART_FIFO = 16, UART_TRIGGER = 14 };

enum { TEST_PASS = 0x5555, TEST_FAIL = 0x3333 };
enum { EXIT_FAULT = 7 }; /* the host's exit code for a device fault */

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

extern const uint32_t stack_bottom[], stack_top[];

static volatile uint8_t *uart(unsigned reg)
{
    return (volatile uint8_t *)(uintptr_t)(UART + reg);
}

static volatile uint32_t *plic(unsigned offset)
{
    return (volatile uint32_t *)(uintptr_t)(PLIC + offset);
}

#define PLIC_PRIORITY(irq) plic(4 * (irq))
#define PLIC_ENABLE plic(0x2000)
#define PLIC_THRESHOLD plic(0x200000)
#define PLIC_CLAIM plic(0x200004)

#define CLINT_MTIMECMP (*(volatile uint64_t *)(uintptr_t)(CLINT + 0x4000))

void hil_port_init(int argc, char **argv)
{
    (void)argc;
    (void)argv;
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

    *PLIC_PRIORITY(UART_IRQ) = 1;
    *PLIC_ENABLE = 1u << UART_IRQ;
    *PLIC_THRESHOLD = 0;
    csr_write(mie, 1u << MACHINE_EXTERNAL); /* a reset may come with the watchdog on */
    csr_set(mstatus, MSTATUS_MIE);
}

static void take_byte(void)
{
    const uint8_t byte = *uart(RBR);

    if (rx.head - rx.tail == HIL_RX_RING) {
        rx.overruns++;
    } else {
        rx.bytes[rx.head % HIL_RX_RING] = byte;
        rx.head++;
    }
}

void virt_interrupt(void);
void virt_interrupt(void)
{
    const uint32_t irq = *PLIC_CLAIM;

    /* A triggered FIFO holds so many bytes: no need to ask for each, and every
     * access of a device costs QEMU about as much as a hundred instructions. */
    if ((*uart(IIR) & IIR_CAUSE) == IIR_TRIGGERED) {
        for (int i = 0; i < UART_TRIGGER; i++) {
            take_byte();
        }
    }
    while (*uart(LSR) & LSR_DATA) {
        take_byte();
    }
    if (irq != 0) {
        *PLIC_CLAIM = irq;
    }
}

static _Noreturn void end_machine(uint32_t code)
{
    *(volatile uint32_t *)(uintptr_t)TEST_DEVICE =
        code == 0 ? TEST_PASS : TEST_FAIL | (code < 255 ? code : 255) << 16;
    for (;;) {
        __asm__ volatile("wfi");
    }
}

/* Reads and forgets what the host still sends, until it is silent. An emulator
 * that ends with bytes unread resets its end of the line, and then the host's
 * system may throw away what was said last: the fault. */
static void drain(void)
{
    enum { SILENCE = 1000000 }; /* looks, some tenths of a second in QEMU */

    for (uint32_t quiet = 0; quiet < SILENCE; quiet++) {
        if (*uart(LSR) & LSR_DATA) {
            (void)*uart(RBR);
            quiet = 0;
        }
    }
}

/* The cause that the host is told. With the stack pointer below the stack, an
 * access that is not allowed is what the overflow has come to. */
static uint32_t cause_of(unsigned long mcause, unsigned long sp)
{
    if (mcause == (MCAUSE_INTERRUPT | MACHINE_TIMER)) {
        return HIL_CAUSE_WATCHDOG;
    }
    if (sp < (uintptr_t)stack_bottom &&
        (mcause == LOAD_ACCESS_FAULT || mcause == STORE_ACCESS_FAULT)) {
        return HIL_CAUSE_STACK_OVERFLOW;
    }
    return (uint32_t)mcause;
}

_Noreturn void virt_exception(unsigned long mcause, unsigned long pc,
                              unsigned long address, unsigned long sp);
_Noreturn void virt_exception(unsigned long mcause, unsigned long pc,
                              unsigned long address, unsigned long sp)
{
    hil_runtime_fault(cause_of(mcause, sp), pc, address);
    drain();
    hil_port_exit(EXIT_FAULT);
}

/* A trap while another was being told: end, whatever state the line is in. */
_Noreturn void virt_give_up(void);
_Noreturn void virt_give_up(void)
{
    end_machine(EXIT_FAULT);
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

void hil_port_wait(void)
{
    /* With interrupts off between the look and the sleep, none slips through:
     * wfi ends for a pending interrupt also then. */
    csr_clear(mstatus, MSTATUS_MIE);
    if (rx.tail == rx.head) {
        __asm__ volatile("wfi");
    }
    csr_set(mstatus, MSTATUS_MIE);
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

void hil_port_mask_interrupts(bool masked)
{
    /* not mstatus.MIE: the watchdog's must still come */
    if (masked) {
        csr_clear(mie, 1u << MACHINE_EXTERNAL);
    } else {
        csr_set(mie, 1u << MACHINE_EXTERNAL);
    }
}

/* A 64-bit counter, whatever the width of a register. */
#if __riscv_xlen == 64
#define read_counter(csr) csr_read(csr)
#else
#define read_counter(csr)                                                              \
    ({                                                                                 \
        uint32_t high_, low_;                                                          \
        do {                                                                           \
            high_ = csr_read(csr##h);                                                  \
            low_ = csr_read(csr);                                                      \
        } while (high_ != csr_read(csr##h));                                           \
        (uint64_t)high_ << 32 | low_;                                                  \
    })
#endif

void hil_port_watchdog(bool armed)
{
    if (armed) {
        CLINT_MTIMECMP = read_counter(time) + (uint64_t)HIL_WATCHDOG_MS * TICKS_PER_MS;
        csr_set(mie, 1u << MACHINE_TIMER);
    } else {
        csr_clear(mie, 1u << MACHINE_TIMER);
    }
}

uint64_t hil_port_instructions(void)
{
    return read_counter(minstret);
}

uint64_t hil_port_cycles(void)
{
    return read_counter(mcycle);
}

uint32_t hil_port_vlen(void)
{
    return csr_read(0xc22) * 8; /* vlenb, by number: no assembler needs to know V */
}

uint32_t hil_port_stack(void)
{
    const uint32_t *deepest = stack_bottom;

    while (deepest < stack_top && *deepest == STACK_PAINT) {
        deepest++;
    }
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)deepest);
}

uint32_t hil_port_overruns(void)
{
    return rx.overruns;
}

_Noreturn void hil_port_exit(uint32_t code)
{
    while (!(*uart(LSR) & LSR_ALL_SENT)) {
        /* the machine's end would take the last bytes along */
    }
    end_machine(code);
}
