/* A program that is not ours, in C and in C++, with two generated libraries: it
 * teaches both, in turns. Standard input brings a label byte and the elements for
 * the first, then for the second, and so on; the loss's bits and the digest of each
 * go out after each step. */
#include <stdio.h>
#include <string.h>

#include "digits.h"
#include "wave.h"

static digits_t digits;
static wave_t wave;

static void print(float loss, uint32_t digest)
{
    uint32_t bits;

    memcpy(&bits, &loss, sizeof bits);
    printf("%08x %08x\n", (unsigned)bits, (unsigned)digest);
}

int main(void)
{
    digits_sample_t digit[DIGITS_INPUTS];
    wave_sample_t window[WAVE_INPUTS];
    float loss;
    int label;

    if (digits_init(&digits, 7) != DIGITS_OK || wave_init(&wave, 8) != WAVE_OK) {
        return 2;
    }
    while ((label = getchar()) != EOF && fread(digit, sizeof digit, 1, stdin) == 1) {
        if (digits_step(&digits, digit, (uint32_t)label, 0.03f, &loss) != DIGITS_OK) {
            return 1;
        }
        print(loss, digits_digest(&digits));
        label = getchar();
        if (fread(window, sizeof window, 1, stdin) != 1 ||
            wave_step(&wave, window, (uint32_t)label, 0.03f, &loss) != WAVE_OK) {
            return 1;
        }
        print(loss, wave_digest(&wave));
    }
    return DIGITS_CULPRIT(DIGITS_NON_FINITE(DIGITS_W1)) == DIGITS_W1 ? 0 : 1;
}
