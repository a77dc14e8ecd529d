/* RISC-V, machine mode: from reset to main, and traps.
 *
 * No vector instruction stands here, and none runs before mstatus.VS is set:
 * a core without V then traps into a handler that can say so. */
#include "hil_config.h"

#define MSTATUS_FS_INITIAL 0x00002000
#define MSTATUS_VS_INITIAL 0x00000200
#define STACK_PAINT 0x5aa55aa5

#if __riscv_xlen == 64
#define STORE sd
#define LOAD ld
#define WORD 8
#define EXTERNAL 0x800000000000000b /* mcause of the UART's interrupt */
#else
#define STORE sw
#define LOAD lw
#define WORD 4
#define EXTERNAL 0x8000000b
#endif

/* So that link.ld's sections of these names are such as are written. */
    .section .guard, "aw", @nobits
    .section .stack, "aw", @nobits

    .section .text.start, "ax"
    .globl _start
    .type _start, @function
_start:
    /* one hart works, the others sleep: nothing wakes them */
    csrw mie, zero
    csrr t0, mhartid
    li t1, HIL_HART
    beq t0, t1, 2f
1:  wfi
    j 1b
2:
    /* gp before all else: a linker may make any `la` relative to it */
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop

    la t0, trap_entry
    csrw mtvec, t0
    la t0, trap_stack_top
    csrw mscratch, t0

#ifdef __riscv_flen
    li t0, MSTATUS_FS_INITIAL | MSTATUS_VS_INITIAL
    csrs mstatus, t0
    csrw fcsr, zero /* round to nearest even, whatever came before a reset */
#endif

    /* first values of variables, where they are kept apart from them */
    la t0, data_start
    la t1, data_end
    la t2, data_load
    beq t0, t2, 6f
5:  bgeu t0, t1, 6f
    lw t3, 0(t2)
    sw t3, 0(t0)
    addi t0, t0, 4
    addi t2, t2, 4
    j 5b
6:  la t0, bss_start
    la t1, bss_end
3:  bgeu t0, t1, 4f
    STORE zero, 0(t0)
    addi t0, t0, WORD
    j 3b

    /* paint the stack, so that its deepest use can be seen */
4:  la t0, stack_bottom
    la sp, stack_top
    li t1, STACK_PAINT
7:  sw t1, 0(t0)
    addi t0, t0, 4
    bltu t0, sp, 7b

    li a0, 0
    li a1, 0
    call main
8:  j 8b
    .size _start, . - _start

/* Traps run on a stack of their own, since the interrupted one may be what
 * went wrong. Interrupts save what a C function may clobber: no floating-point
 * or vector register, since the port's C uses none. Whatever else comes, an
 * exception or the watchdog's interrupt, never returns. */
    .balign 4
    .type trap_entry, @function
trap_entry:
    csrrw sp, mscratch, sp
    addi sp, sp, -16 * WORD
    STORE ra, 0 * WORD(sp)
    STORE t0, 1 * WORD(sp)
    STORE t1, 2 * WORD(sp)
    STORE t2, 3 * WORD(sp)
    STORE t3, 4 * WORD(sp)
    STORE t4, 5 * WORD(sp)
    STORE t5, 6 * WORD(sp)
    STORE t6, 7 * WORD(sp)
    STORE a0, 8 * WORD(sp)
    STORE a1, 9 * WORD(sp)
    STORE a2, 10 * WORD(sp)
    STORE a3, 11 * WORD(sp)
    STORE a4, 12 * WORD(sp)
    STORE a5, 13 * WORD(sp)
    STORE a6, 14 * WORD(sp)
    STORE a7, 15 * WORD(sp)

    csrr a0, mcause
    li t0, EXTERNAL
    bne a0, t0, 7f
    call core_interrupt
    LOAD ra, 0 * WORD(sp)
    LOAD t0, 1 * WORD(sp)
    LOAD t1, 2 * WORD(sp)
    LOAD t2, 3 * WORD(sp)
    LOAD t3, 4 * WORD(sp)
    LOAD t4, 5 * WORD(sp)
    LOAD t5, 6 * WORD(sp)
    LOAD t6, 7 * WORD(sp)
    LOAD a0, 8 * WORD(sp)
    LOAD a1, 9 * WORD(sp)
    LOAD a2, 10 * WORD(sp)
    LOAD a3, 11 * WORD(sp)
    LOAD a4, 12 * WORD(sp)
    LOAD a5, 13 * WORD(sp)
    LOAD a6, 14 * WORD(sp)
    LOAD a7, 15 * WORD(sp)
    addi sp, sp, 16 * WORD
    csrrw sp, mscratch, sp
    mret

    /* Also one that came in the middle of an interrupt gets the trap stack. One
     * that comes while this one is told ends the machine untold. */
7:  csrr a1, mepc
    csrr a2, mtval
    csrr a3, mscratch /* the stack pointer that was */
    la t0, trap_in_trap
    csrw mtvec, t0
    la sp, trap_stack_top
    call core_exception
    .size trap_entry, . - trap_entry

    .balign 4
    .type trap_in_trap, @function
trap_in_trap:
    la sp, trap_stack_top
    call core_give_up
    .size trap_in_trap, . - trap_in_trap
