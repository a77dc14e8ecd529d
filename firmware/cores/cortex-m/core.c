/* Cortex-M: what is the same on every board with one. Registers by the ARMv7-M
 * Architecture Reference Manual (DDI 0403E), section B3; ARMv8-M has the same. ARMv6-M
 * (DDI 0419) has fewer: no word on what a fault was, no cycle counter, and none of the
 * debugger's. */
#include <stdbool.h>

#include "hil_config.h"
#include "hil_memory.h"
#include "hil_port.h"
#include "hil_runtime.h"
#include "hil_uart.h"

#define TELLS (__ARM_ARCH > 6)

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SYST_CSR REGISTER(0xe000e010u)
#define SYST_RVR REGISTER(0xe000e014u)
#define SYST_CVR REGISTER(0xe000e018u)
#define NVIC_ISER(irq) REGISTER(0xe000e100u + 4 * ((irq) / 32))
#define NVIC_ICER(irq) REGISTER(0xe000e180u + 4 * ((irq) / 32))
#define AIRCR REGISTER(0xe000ed0cu)
#define CFSR REGISTER(0xe000ed28u)
#define BFAR REGISTER(0xe000ed38u)
#define DHCSR REGISTER(0xe000edf0u)
#define DEMCR REGISTER(0xe000edfcu)
#define DWT_CTRL REGISTER(0xe0001000u)
#define DWT_CYCCNT REGISTER(0xe0001004u)

#define UART_BIT (1u << (HIL_UART_INTERRUPT % 32))
#define AIRCR_RESET 0x05fa0004u
enum { DHCSR_DEBUGGED = 1 };
enum { DEMCR_TRACE = 1u << 24, DWT_COUNTS = 1 };
enum { SYST_RUN = 7, SYST_STOP = 0 }; /* the core's clock, with its interrupt */
enum { EXIT_FAULT = 7 }; /* the host's exit code for a device fault */

/* Parts of CFSR: what an instruction's fetch, its data and itself did wrong. */
enum {
    CFSR_FETCH = 0x0101,
    CFSR_STACKING = 0x1818,
    CFSR_BFAR_VALID = 0x8000,
    CFSR_USAGE = 0x030f0000,
    CFSR_STATE = 0x00060000 /* the pc itself is wrong */
};
/* As RISC-V's mcause has them. */
enum { INSTRUCTION_ACCESS_FAULT = 1, ILLEGAL_INSTRUCTION = 2 };

#define TICK_MS 10u
enum { TICKS = HIL_CORE_CLOCK / 1000u * TICK_MS };
_Static_assert(TICKS > 0 && TICKS < 1 << 24, "the watchdog's tick does not fit SysTick");

enum { PSR_THUMB = 1u << 24 };
#define THREAD_ON_MAIN_STACK 0xfffffff9u /* what an exception returns to */

extern const uint32_t stack_bottom[];
extern uint32_t stack_top[];

/* What an exception pushes. */
struct frame {
    uint32_t r[4], r12, lr, pc, psr;
};

/* Ticks that the step in hand may still take; counters' upper halves; and whether
 * the machine is ending already. */
static volatile struct {
    uint32_t ticks, cycles, cycles_high, ending;
} core;

_Static_assert(sizeof core == HIL_CORE_BYTES, "ram.toml says another size");

void hil_port_init(int argc, char **argv)
{
    (void)argc;
    (void)argv;
#if TELLS
    DEMCR |= DEMCR_TRACE;
    DWT_CTRL |= DWT_COUNTS;
#endif
    hil_uart_open();
    NVIC_ISER(HIL_UART_INTERRUPT) = UART_BIT;
}

/* Whether a debugger would only stop at a breakpoint. ARMv6-M keeps that to itself. */
static bool debugged(void)
{
    return TELLS && (DHCSR & DHCSR_DEBUGGED);
}

static _Noreturn void reset(void)
{
    __asm__ volatile("dsb" : : : "memory");
    AIRCR = AIRCR_RESET;
    for (;;) {
    }
}

/* An emulator, or a debugger's host, is told the code by Arm's semihosting (SYS_EXIT_
 * EXTENDED, ADP_Stopped_ApplicationExit); on a board alone that is a fault, whose
 * handler resets. */
static _Noreturn void end_machine(uint32_t code)
{
    if (!debugged()) {
        const uint32_t block[2] = { 0x20026, code < 255 ? code : 255 };
        register uint32_t operation __asm__("r0") = 0x20;
        register const uint32_t *argument __asm__("r1") = block;
        __asm__ volatile("bkpt 0xab" : : "r"(operation), "r"(argument) : "memory");
    }
    reset();
}

/* The same from an exception: a fault in a fault's own handler would lock the core up, so
 * the exception returns to it, on a stack that is empty. */
static _Noreturn void return_to_end(uint32_t code)
{
    struct frame *const frame = (struct frame *)(void *)stack_top - 1;

    frame->r[0] = code;
    frame->pc = (uint32_t)(uintptr_t)end_machine & ~1u;
    frame->psr = PSR_THUMB;
    __asm__ volatile("cpsid i\n\tmov sp, %0\n\tmov lr, %1\n\tbx lr"
                     : : "r"(frame), "r"(THREAD_ON_MAIN_STACK) : "lr", "memory");
    for (;;) {
    }
}

static bool in_exception(void)
{
    uint32_t number;
    __asm__ volatile("mrs %0, ipsr" : "=r"(number));
    return number != 0;
}

static _Noreturn void report(uint32_t cause, uint32_t pc, uint32_t address)
{
    hil_runtime_fault(cause, pc, address);
    hil_core_drain();
    hil_port_exit(EXIT_FAULT);
}

#if TELLS
/* The cause that the host is told. Cortex-M does not tell a load from a store. */
static uint32_t cause_of(uint32_t status, const struct frame *frame)
{
    if ((status & CFSR_STACKING) || (const uint32_t *)frame < stack_bottom) {
        return HIL_CAUSE_STACK_OVERFLOW;
    }
    if (status & CFSR_FETCH) {
        return INSTRUCTION_ACCESS_FAULT;
    }
    return status & CFSR_USAGE ? ILLEGAL_INSTRUCTION : HIL_CAUSE_DATA_ACCESS;
}
#endif

_Noreturn void core_exception(const struct frame *frame);
_Noreturn void core_exception(const struct frame *frame)
{
    if (core.ending) {
        reset();
    }
#if TELLS
    const uint32_t status = CFSR;
    const uint32_t cause = cause_of(status, frame);
    const uint32_t pc = cause == HIL_CAUSE_STACK_OVERFLOW ? 0 : frame->pc;
    if (cause == ILLEGAL_INSTRUCTION && !(status & CFSR_STATE)) {
        report(cause, pc, *(const uint16_t *)(uintptr_t)pc);
    }
    report(cause, pc, status & CFSR_BFAR_VALID ? BFAR : 0);
#else
    if ((const uint32_t *)frame < stack_bottom) {
        report(HIL_CAUSE_STACK_OVERFLOW, 0, 0);
    }
    report(HIL_CAUSE_HARD_FAULT, frame->pc, 0);
#endif
}

void core_count_down(const struct frame *frame);
void core_count_down(const struct frame *frame)
{
    if (core.ticks > 0) {
        core.ticks--;
        return;
    }
    SYST_CSR = SYST_STOP;
    report(HIL_CAUSE_WATCHDOG, frame->pc, 0);
}

void hil_port_wait(void)
{
    /* With interrupts off between the look and the sleep, none slips through:
     * wfi ends for a pending interrupt also then. */
    __asm__ volatile("cpsid i" : : : "memory");
    if (hil_core_nothing()) {
        __asm__ volatile("wfi" : : : "memory");
    }
    __asm__ volatile("cpsie i" : : : "memory");
}

void hil_port_mask_interrupts(bool masked)
{
    if (masked) {
        NVIC_ICER(HIL_UART_INTERRUPT) = UART_BIT;
        __asm__ volatile("dsb\n\tisb" : : : "memory");
    } else {
        NVIC_ISER(HIL_UART_INTERRUPT) = UART_BIT;
    }
}

void hil_port_watchdog(bool armed)
{
    SYST_CSR = SYST_STOP;
    if (armed) {
        core.ticks = HIL_WATCHDOG_MS / TICK_MS;
        SYST_RVR = TICKS - 1;
        SYST_CVR = 0;
        SYST_CSR = SYST_RUN;
    }
}

uint64_t hil_port_instructions(void)
{
    return 0; /* Cortex-M counts none */
}

/* CYCCNT has 32 bits: a wrap is noticed when it is read once in each. */
uint64_t hil_port_cycles(void)
{
#if TELLS
    const uint32_t now = DWT_CYCCNT;

    core.cycles_high += now < core.cycles;
    core.cycles = now;
    return (uint64_t)core.cycles_high << 32 | now;
#else
    return 0;
#endif
}

uint32_t hil_port_vlen(void)
{
    return 0;
}

_Noreturn void hil_port_exit(uint32_t code)
{
    while (!hil_uart_idle()) {
        /* the machine's end would take the last bytes along */
    }
    core.ending = true;
    if (in_exception()) {
        return_to_end(code);
    }
    end_machine(code);
}

/* What Arm's run-time ABI (IHI 0043) calls these; compilers do so by themselves. */
void __aeabi_memcpy(void *to, const void *from, size_t size);
void __aeabi_memcpy(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}

void __aeabi_memcpy4(void *, const void *, size_t) __attribute__((alias("__aeabi_memcpy")));
void __aeabi_memcpy8(void *, const void *, size_t) __attribute__((alias("__aeabi_memcpy")));

void __aeabi_memset(void *to, size_t size, int value);
void __aeabi_memset(void *to, size_t size, int value)
{
    memset(to, value, size);
}

void __aeabi_memset4(void *, size_t, int) __attribute__((alias("__aeabi_memset")));
void __aeabi_memset8(void *, size_t, int) __attribute__((alias("__aeabi_memset")));

void __aeabi_memclr(void *to, size_t size);
void __aeabi_memclr(void *to, size_t size)
{
    memset(to, 0, size);
}

void __aeabi_memclr4(void *, size_t) __attribute__((alias("__aeabi_memclr")));
void __aeabi_memclr8(void *, size_t) __attribute__((alias("__aeabi_memclr")));
