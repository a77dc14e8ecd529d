/* Port of STM32F405/415/407/417: registers by ST's reference manual RM0090. The line
 * is USART6, on PC6 and PC7.
 *
 * The core runs at 168 MHz from a crystal of 25 MHz where there is one; without it
 * (and in an emulator that models no clocks) it stays as it came out of its reset. */
#include "hil_stm32_usart.h"

#define RCC_CR REGISTER(0x40023800u)
#define RCC_PLLCFGR REGISTER(0x40023804u)
#define RCC_CFGR REGISTER(0x40023808u)
#define RCC_AHB1ENR REGISTER(0x40023830u)
#define RCC_APB2ENR REGISTER(0x40023844u)
#define FLASH_ACR REGISTER(0x40023c00u)
#define GPIOC 0x40020800u
#define MODER(port) REGISTER((port) + 0x00u)
#define AFRL(port) REGISTER((port) + 0x20u)

enum { HSE_ON = 1u << 16, HSE_READY = 1u << 17, PLL_ON = 1u << 24, PLL_READY = 1u << 25 };
enum { SW_PLL = 2, SWS = 3 << 2, SWS_PLL = 2 << 2, APB1_BY_4 = 5 << 10, APB2_BY_2 = 4 << 13 };
/* 25 MHz / 25 * 336 / 2 = 168 MHz, and 48 MHz for USB; from HSE */
enum { PLL_168_MHZ = 25 | 336 << 6 | 0 << 16 | 1 << 22 | 7 << 24 };
enum { FLASH_5_WAITS_CACHED = 5 | 7 << 8 };
#define RESET_CLOCK 16000000u

/* Returns the clock of APB2, where USART1 and USART6 are, in Hz. */
static uint32_t start_clock(void)
{
    RCC_CR |= HSE_ON;
    if (!comes(&RCC_CR, HSE_READY, HSE_READY)) {
        return RESET_CLOCK;
    }
    RCC_PLLCFGR = PLL_168_MHZ;
    RCC_CR |= PLL_ON;
    FLASH_ACR = FLASH_5_WAITS_CACHED;
    RCC_CFGR = APB1_BY_4 | APB2_BY_2;
    if (!comes(&RCC_CR, PLL_READY, PLL_READY)) {
        return RESET_CLOCK / 2;
    }
    RCC_CFGR |= SW_PLL;
    (void)comes(&RCC_CFGR, SWS, SWS_PLL);
    return HIL_UART_CLOCK;
}

void hil_uart_open(void)
{
    const uint32_t clock = start_clock();

    RCC_AHB1ENR |= 1u << 2; /* GPIOC */
    RCC_APB2ENR |= 1u << 5; /* USART6 */
    MODER(GPIOC) = (MODER(GPIOC) & ~0xf000u) | 0xa000u;      /* PC6, PC7: alternate, */
    AFRL(GPIOC) = (AFRL(GPIOC) & ~0xff000000u) | 0x88000000u; /* number 8, USART6 */
    uart_begin(clock);
}
