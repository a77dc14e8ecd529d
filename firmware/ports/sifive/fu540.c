/* FU540-C000 on a HiFive Unleashed: its manual (v1p4), chapter 17 (GPIO). */
#include "sifive.h"

#if __riscv_xlen == 64

/* Pin 10 of the GPIO is the HiFive Unleashed's reset. */
#define GPIO 0x10060000u
enum { OUTPUT_ENABLE = 0x08, OUTPUT_VALUE = 0x0c, RESET_PIN = 1 << 10 };

void sifive_clock(void)
{
    /* the first-stage boot loader has brought it up */
}

void sifive_reset(void)
{
    *at(GPIO + OUTPUT_ENABLE) |= RESET_PIN;
    *at(GPIO + OUTPUT_VALUE) &= ~(uint32_t)RESET_PIN;
}

#endif
