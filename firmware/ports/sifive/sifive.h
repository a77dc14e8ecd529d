/* What SiFive's chips do each in their own way: files of their names. The FE310 is
 * the one of 32 bits, the FU540 of 64. */
#ifndef SIFIVE_H
#define SIFIVE_H

#include <stdint.h>

static inline volatile uint32_t *at(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)address;
}

/* Bring up what clocks the UART, and its pins. */
void sifive_clock(void);

/* Reset the board; it may return before that happens. */
void sifive_reset(void);

#endif
