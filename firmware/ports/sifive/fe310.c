/* FE310-G000 on a HiFive1: registers by its manual (v2p3), chapters Clock Generation
 * (PRCI), Always-On Domain's watchdog, and GPIO. */
#include "sifive.h"

#if __riscv_xlen == 32

#define HFXOSCCFG 0x10008004u
#define PLLCFG 0x10008008u
#define PLLOUTDIV 0x1000800cu
enum { OSC_ENABLE = 1 << 30, PLL_SELECTED = 1 << 16, FROM_CRYSTAL = 1 << 17 };
enum { PLL_BYPASSED = 1 << 18, NOT_DIVIDED = 1 << 8 };
#define OSC_READY 0x80000000u

#define GPIO_IOF_ENABLE 0x10012038u
#define GPIO_IOF_SELECT 0x1001203cu
enum { UART0_PINS = 1 << 16 | 1 << 17 };

#define WDOGCFG 0x10000000u
#define WDOGKEY 0x1000001cu
#define WDOGCMP 0x10000020u
enum { KEY = 0x51f15e, RESETS = 1 << 8, RUNS = 1 << 12 };

/* The crystal's 16 MHz, past the PLL: exact, where the reset's ring oscillator is not. */
void sifive_clock(void)
{
    *at(HFXOSCCFG) = OSC_ENABLE;
    while (!(*at(HFXOSCCFG) & OSC_READY)) {
    }
    *at(PLLOUTDIV) = NOT_DIVIDED;
    *at(PLLCFG) = FROM_CRYSTAL | PLL_BYPASSED;
    *at(PLLCFG) = FROM_CRYSTAL | PLL_BYPASSED | PLL_SELECTED;
    *at(GPIO_IOF_SELECT) &= ~(uint32_t)UART0_PINS;
    *at(GPIO_IOF_ENABLE) |= UART0_PINS;
}

/* Nothing else resets the chip from inside. Each write wants the key before it. */
static void write_watchdog(uint32_t address, uint32_t value)
{
    *at(WDOGKEY) = KEY;
    *at(address) = value;
}

void sifive_reset(void)
{
    write_watchdog(WDOGCMP, 0);
    write_watchdog(WDOGCFG, RESETS | RUNS);
}

#endif
