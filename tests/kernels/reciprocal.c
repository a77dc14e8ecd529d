/* Whether tanh's quotient without a division is the division's: n / (n + 2) of every
 * step-th binary32 n from 0 to 1286318416, the largest expm1(2 |x|) there is, and of the
 * last. vfrec7 as RVV 1.0 specifies it: a table of seven bits.
 *
 *     cc -O2 -ffp-contract=off tests/kernels/reciprocal.c -lm && ./a.out 1
 *
 * tries all of them (with -mfma on x86: half a minute). Prints how many are wrong, and
 * ends with 1 where there is one.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1286318416 };

static uint32_t estimates[128];

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Of the middle of each 128th of [1, 2), its reciprocal to seven bits. */
static void make_estimates(void)
{
    for (int i = 0; i < 128; i++) {
        estimates[i] = (uint32_t)lround((256 / (i + 128.5) - 1) * 128);
    }
}

/* Of a normal number whose reciprocal is one. */
static float vfrec7(float d)
{
    const uint32_t bits = bits_of(d);
    return float_of((253 - (bits >> 23)) << 23 | estimates[bits >> 16 & 127] << 16);
}

static float quotient(float n)
{
    const float d = n + 2.0f;
    float y = vfrec7(d);
    for (int newton = 0; newton < 2; newton++) {
        y = fmaf(fmaf(-d, y, 1.0f), y, y);
    }
    const float q = n * y;
    return fmaf(fmaf(-d, q, n), y, q);
}

int main(int count, char **given)
{
    const uint32_t step = count > 1 ? (uint32_t)strtoul(given[1], NULL, 10) : 1;
    unsigned long tried = 0, wrong = 0;

    make_estimates();
    for (uint32_t bits = 0;; bits += step < LARGEST - bits ? step : LARGEST - bits) {
        const float n = float_of(bits);
        wrong += bits_of(quotient(n)) != bits_of(n / (n + 2.0f));
        tried++;
        if (bits == LARGEST) {
            break;
        }
    }
    printf("%lu of %lu wrong\n", wrong, tried);
    return wrong != 0;
}
