/* What synapses of one bit cost as 32 to a word, beside the kernels that there are: the
 * instructions of each form, a line each. The first sum that differs ends the program with 1.
 *
 * WIDE and SPARSE name the kernels that are counted. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "hil_kernels.h"

enum { CELLS = 128, SOURCES = 12, WORDS = CELLS / 32, PLANES = 4, EXCITE = 900, INHIBIT = 1400 };

static uint8_t source[SOURCES][CELLS];         /* as a liquid has them */
static uint32_t heard[CELLS][PLANES][WORDS];   /* plane p: those a cell hears, bit p of how often */
static uint32_t dense[CELLS][WORDS];           /* half of all synapses are there */
static int16_t weights[CELLS][CELLS];          /* the same, from, to: 0 or 1 */
static int16_t spikes[CELLS];                  /* 0, EXCITE, or -INHIBIT of every fifth */
static uint32_t excites[WORDS], inhibits[WORDS], all[WORDS];
static uint16_t active[CELLS];
static int32_t base[CELLS], sums[2][CELLS];

void report_trap(unsigned long cause, unsigned long pc);

void report_trap(unsigned long cause, unsigned long pc)
{
    (void)cause;
    (void)pc;
    print("a trap\n");
}

static uint32_t draw(void)
{
    static uint32_t word = 1;

    word = word * 1664525 + 1013904223;
    return word >> 8;
}

static void print_number(uint32_t value)
{
    char digits[11];
    size_t at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    print(digits + at);
}

static unsigned long retired(void)
{
    unsigned long count;

    __asm__ volatile("csrr %0, minstret" : "=r"(count)::"memory");
    return count;
}

static inline uint32_t ones(uint32_t word)
{
#ifdef __riscv_zbb
    return (uint32_t)__builtin_popcount(word);
#else
    word -= word >> 1 & 0x55555555;
    word = (word & 0x33333333) + (word >> 2 & 0x33333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f;
    return word * 0x01010101 >> 24;
#endif
}

/* What cells hear of few others, some more than once: by look-ups no cell twice. */
static __attribute__((noinline)) void hear(const uint32_t (*masks)[PLANES][WORDS], size_t planes,
    int32_t *sum)
{
    for (size_t j = 0; j < CELLS; j++) {
        int32_t found = base[j];
        for (size_t p = 0; p < planes; p++) {
            uint32_t excited = 0, inhibited = 0;
            for (size_t k = 0; k < WORDS; k++) {
                excited += ones(masks[j][p][k] & excites[k]);
                inhibited += ones(masks[j][p][k] & inhibits[k]);
            }
            found += (int32_t)((excited * EXCITE) << p) - (int32_t)((inhibited * INHIBIT) << p);
        }
        sum[j] = found;
    }
}

/* What cells hear of all others, each synapse there or not. */
static __attribute__((noinline)) void count(const uint32_t (*masks)[WORDS], int32_t *sum)
{
    for (size_t j = 0; j < CELLS; j++) {
        uint32_t found = 0;
        for (size_t k = 0; k < WORDS; k++) {
            found += ones(masks[j][k] & all[k]);
        }
        sum[j] += (int32_t)found;
    }
}

/* Tables, and 3 spikes of 10 cells; returns how many spike, and as planes how often a
 * cell hears another one at most. */
static size_t fill(size_t *planes)
{
    size_t listed = 0;

    *planes = 1;
    for (size_t j = 0; j < CELLS; j++) {
        uint8_t often[CELLS] = {0};
        for (size_t k = 0; k < SOURCES; k++) {
            source[k][j] = (uint8_t)(draw() % CELLS);
            often[source[k][j]]++;
        }
        for (size_t i = 0; i < CELLS; i++) {
            for (size_t p = 0; p < PLANES; p++) {
                heard[j][p][i / 32] |= (uint32_t)(often[i] >> p & 1) << i % 32;
                *planes = (often[i] >> p & 1) && p >= *planes ? p + 1 : *planes;
            }
            weights[i][j] = (int16_t)(draw() & 1);
            dense[j][i / 32] |= (uint32_t)weights[i][j] << i % 32;
        }
        const bool spike = draw() % 10 < 3, fifth = j % 5 == 4;
        spikes[j] = (int16_t)(!spike ? 0 : fifth ? -INHIBIT : EXCITE);
        if (spike) {
            (fifth ? inhibits : excites)[j / 32] |= UINT32_C(1) << j % 32;
            all[j / 32] |= UINT32_C(1) << j % 32;
            active[listed++] = (uint16_t)j;
        }
    }
    return listed;
}

static void clear(void)
{
    for (size_t j = 0; j < CELLS; j++) {
        sums[0][j] = sums[1][j] = 0;
    }
}

static void tell(const char *form, unsigned long before, unsigned long after)
{
    print(form);
    print_number((uint32_t)(after - before));
    print("\n");
    for (size_t j = 0; j < CELLS && sums[1][0] != 0; j++) {
        if (sums[0][j] != sums[1][j]) {
            print("sums differ\n");
            finish(1);
        }
    }
}

int main(void)
{
    size_t planes;
    const size_t listed = fill(&planes);

    print("spikes ");
    print_number((uint32_t)listed);
    print("\nplanes ");
    print_number((uint32_t)planes);
    print("\n");
    unsigned long before = retired();
    SPARSE(spikes, source[0], base, sums[0], SOURCES, CELLS);
    tell("sparse look-ups ", before, retired());
    before = retired();
    hear(heard, planes, sums[1]);
    tell("sparse bits ", before, retired());

    clear();
    before = retired();
    WIDE(weights[0], active, listed, 31, sums[0], CELLS, CELLS);
    tell("dense rows ", before, retired());
    before = retired();
    count(dense, sums[1]);
    tell("dense bits ", before, retired());
    finish(0);
}
