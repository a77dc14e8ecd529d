# Start-up of the test image on QEMU's virt machine: no vectors used here.

        .section .text.start, "ax"
        .globl  _start
_start:
        la      t0, trapped
        csrw    mtvec, t0
        li      t0, 0x6600              # mstatus: FS and VS dirty
        csrs    mstatus, t0
        csrw    fcsr, zero
        la      sp, stack_top
        la      t0, bss_start
        la      t1, bss_end
1:      bgeu    t0, t1, 2f
        sw      zero, 0(t0)
        addi    t0, t0, 4
        j       1b
2:      call    main
        j       finish                  # with main's result

        .balign 4
trapped:
        csrr    a0, mcause
        csrr    a1, mepc
        la      sp, stack_top
        call    report_trap
        li      a0, 2
        j       finish

        .bss
        .balign 16
        .space  65536
stack_top:
