/* Port of STM32F100, the value line: registers by ST's reference manual RM0041. The line
 * is USART1, on PA9 and PA10.
 *
 * The core runs at 24 MHz, its most, from a crystal of 8 MHz where there is one; without
 * it (and in an emulator that models no clocks) it stays as it came out of its reset. */
#include "hil_stm32_usart.h"

#define RCC_CR REGISTER(0x40021000u)
#define RCC_CFGR REGISTER(0x40021004u)
#define RCC_APB2ENR REGISTER(0x40021018u)
#define GPIOA_CRH REGISTER(0x40010804u)

enum { HSE_ON = 1u << 16, HSE_READY = 1u << 17, PLL_ON = 1u << 24, PLL_READY = 1u << 25 };
enum { SW_PLL = 2, SWS = 3 << 2, SWS_PLL = 2 << 2 };
enum { PLL_OF_HSE = 1 << 16, PLL_BY_3 = 1 << 18 };
#define RESET_CLOCK 8000000u

/* Returns the clock of APB2, where USART1 is, in Hz: the core's. */
static uint32_t start_clock(void)
{
    RCC_CR |= HSE_ON;
    if (!comes(&RCC_CR, HSE_READY, HSE_READY)) {
        return RESET_CLOCK;
    }
    RCC_CFGR = PLL_OF_HSE | PLL_BY_3;
    RCC_CR |= PLL_ON;
    if (!comes(&RCC_CR, PLL_READY, PLL_READY)) {
        return RESET_CLOCK;
    }
    RCC_CFGR |= SW_PLL;
    (void)comes(&RCC_CFGR, SWS, SWS_PLL);
    return HIL_UART_CLOCK;
}

void hil_uart_open(void)
{
    const uint32_t clock = start_clock();

    RCC_APB2ENR |= 1u << 2 | 1u << 14; /* GPIOA, USART1 */
    GPIOA_CRH = (GPIOA_CRH & ~0xff0u) | 0x4b0u; /* PA9: alternate, PA10: input */
    uart_begin(clock);
}
