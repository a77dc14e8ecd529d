/* Physical memory protection: what each part of the address space is for, and
 * nothing else (docs/memory-protection.md).
 *
 * Every entry is locked, since machine mode heeds no other. Every border is a
 * page's: QEMU runs what shares a page with a border many times slower. */
#include "virt.h"

/* link.ld: where the parts begin that follow the code, and where they end */
extern const char _start[], constants_start[], guard_start[], stack_bottom[],
    memory_end[];

enum { R = 0x01, W = 0x02, X = 0x04, TOR = 0x08, NAPOT = 0x18, LOCKED = 0x80 };
enum { DEVICE = LOCKED | NAPOT | R | W, UP_TO = LOCKED | TOR };

/* pmpaddr of a region of `size` bytes, a power of two that `base` is a multiple of */
#define REGION(base, size) ((base) >> 2 | ((size) / 8 - 1))
#define BORDER(symbol) ((uintptr_t)(symbol) >> 2)
#define FOUR(a, b, c, d)                                                               \
    ((unsigned long)(a) | (unsigned long)(b) << 8 | (unsigned long)(c) << 16 |         \
     (unsigned long)(d) << 24)

void virt_protect(void)
{
    /* the devices there are drivers for; the flash is theirs too, as data */
    csr_write(pmpaddr0, REGION(TEST_DEVICE, 0x1000u));
    csr_write(pmpaddr1, REGION(HIL_CLINT, 0x10000u));
    csr_write(pmpaddr2, REGION(HIL_PLIC, 0x800000u));
    csr_write(pmpaddr3, REGION(HIL_UART_ORIGIN, 0x1000u));
    csr_write(pmpaddr4, REGION(FLASH, 0x4000000u));
    /* where a reset begins: QEMU before 9.0 keeps locked entries through it */
    csr_write(pmpaddr5, REGION(RESET_VECTOR, 0x1000u));
    /* the image, each part from the border before */
    csr_write(pmpaddr6, BORDER(_start));
    csr_write(pmpaddr7, BORDER(constants_start));
    csr_write(pmpaddr8, BORDER(guard_start));
    csr_write(pmpaddr9, BORDER(stack_bottom));
    csr_write(pmpaddr10, BORDER(memory_end));
    /* all addresses: nothing, wherever no entry before this one allows it */
    csr_write(pmpaddr11, -1ul);

    const unsigned long first = FOUR(DEVICE, DEVICE, DEVICE, DEVICE);
    const unsigned long second = FOUR(DEVICE, LOCKED | NAPOT | R | X, LOCKED, UP_TO | R | X);
    const unsigned long third = FOUR(UP_TO | R, UP_TO, UP_TO | R | W, LOCKED | NAPOT);
#if __riscv_xlen == 64
    csr_write(pmpcfg0, first | second << 32);
    csr_write(pmpcfg2, third);
#else
    csr_write(pmpcfg0, first);
    csr_write(pmpcfg1, second);
    csr_write(pmpcfg2, third);
#endif
}
