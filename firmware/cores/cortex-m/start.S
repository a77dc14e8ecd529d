/* Cortex-M, from reset to main, and its exceptions.
 *
 * The table ends with the one interrupt there is, the UART's. Nothing here leans
 * on what the hardware does at a reset but the program counter: a debugger that
 * starts an image in RAM sets no more than that. Instructions are ARMv6-M's, but for
 * those of what it has not. */
#include "hil_config.h"

#define STACK_PAINT 0x5aa55aa5

/* FPSCR: to nearest even, subnormals kept. Armv8.1-M has LTPSIZE in it (DDI 0553):
 * 4 means that no loop is predicated, and with another value, where there is
 * MVE, the first low-overhead loop is a fault. */
#ifdef __ARM_ARCH_8_1M_MAIN__
#define FPSCR 0x40000
#else
#define FPSCR 0
#endif

    .syntax unified
    .thumb
#ifdef __ARM_FP
    .fpu fpv4-sp-d16 /* some drivers tell the assembler of no FPU */
#endif

    .section .vectors, "a"
    .align 2
    .globl vectors
vectors:
    .word stack_top
    .word _start
    .rept 13 /* NMI to PendSV: none is expected */
    .word trap_entry
    .endr
#if HIL_NETWORK
    .word core_tick
#else
    .word trap_entry
#endif
    .rept HIL_UART_INTERRUPT
    .word trap_entry
    .endr
    .word hil_uart_interrupt

    /* So that link.ld's section of this name is one that is written. */
    .section .stack, "aw", %nobits

    .section .text.start, "ax", %progbits
    .globl _start
    .type _start, %function
    .thumb_func
_start:
    cpsid i
    ldr r0, =stack_top
    mov sp, r0
#if __ARM_ARCH > 6
    ldr r1, =0xe000ed08 /* VTOR; ARMv6-M may be without, and takes the table at 0 */
    ldr r0, =vectors
    str r0, [r1]
#endif
#ifdef __ARM_FP
    ldr r1, =0xe000ed88 /* CPACR: full access to the FPU */
    ldr r0, [r1]
    orr r0, r0, #0xf00000
    str r0, [r1]
    dsb
    isb
    movs r0, #FPSCR /* whatever came before */
    vmsr fpscr, r0
#endif

    ldr r0, =data_start
    ldr r1, =data_end
    ldr r2, =data_load
1:  cmp r0, r1
    bhs 2f
    ldmia r2!, {r3}
    stmia r0!, {r3}
    b 1b
2:  ldr r0, =bss_start
    ldr r1, =bss_end
    movs r2, #0
3:  cmp r0, r1
    bhs 4f
    stmia r0!, {r2}
    b 3b

    /* paint the stack, so that its deepest use can be seen */
4:  ldr r0, =stack_bottom
    ldr r1, =STACK_PAINT
5:  stmia r0!, {r1}
    cmp r0, sp
    blo 5b

    cpsie i
    movs r0, #0
    movs r1, #0
    bl main
6:  b 6b
    .ltorg
    .size _start, . - _start

/* A trap never returns. It runs on a stack of its own, since the interrupted one
 * may be what went wrong; its frame lies where the stack pointer was. */
    .section .text.trap_entry, "ax", %progbits
    .globl trap_entry
    .type trap_entry, %function
    .thumb_func
trap_entry:
    mov r0, sp
    ldr r1, =trap_stack_top
    mov sp, r1
    bl core_exception
    .ltorg
    .size trap_entry, . - trap_entry

#if HIL_NETWORK
/* The watchdog's clock. Whether it is over is C's to say; where it was, the
 * frame's, which it needs as an argument. */
    .section .text.core_tick, "ax", %progbits
    .globl core_tick
    .type core_tick, %function
    .thumb_func
core_tick:
    mov r0, sp
    b core_count_down
    .size core_tick, . - core_tick
#endif
