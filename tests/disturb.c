/* A shared object that changes the arithmetic of the process which loads it, as one
 * does that was linked with -ffast-math. DISTURBED says how. */
#include <fenv.h>

enum { UPWARD = FE_UPWARD, DOWNWARD = FE_DOWNWARD, TO_ZERO = FE_TOWARDZERO };
enum { RESULTS = -1, OPERANDS = -2 };

#ifdef __x86_64__
static void flush(int what)
{
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | (what == RESULTS ? 0x8000u : 0x40u));
}
#else /* 64-bit Arm flushes both at once */
static void flush(int what)
{
    unsigned long fpcr;

    (void)what;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | 1ul << 24));
}
#endif

__attribute__((constructor)) static void disturb(void)
{
    if (DISTURBED < 0) {
        flush(DISTURBED);
    } else {
        fesetround(DISTURBED);
    }
}
