/* Sizes that kernels are checked at, numbers for them to read, and the comparison of what
 * two of them have written: part of checks.c. */
#ifndef COMPARING_H
#define COMPARING_H

enum { MOST = 300, ROWS = 33, MANY = 1025, GUARD = 4, LONGEST = 65535, WORDS = 70000 };

static const size_t sizes[] = {1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 65, 130, MOST};
static const size_t row_counts[] = {1, 15, ROWS, MANY};
/* Beyond 8, 10 and nearly 16 bits: the most that a list of inputs may have. */
static const size_t long_sizes[] = {257, 1025, LONGEST};

#define EACH(variable, list) \
    for (size_t at_##variable = 0, variable = (list)[0]; \
         at_##variable < sizeof(list) / sizeof *(list) \
         && (variable = (list)[at_##variable], true); \
         at_##variable++)

/* The widths of so many rows: a few where the rows are many. */
#define EACH_WIDTH(variable, rows) \
    EACH (variable, sizes) \
        if ((rows) <= ROWS || variable <= 7)

/* How many rows a list has: none, each number up to ROWS, and MANY. */
#define EACH_COUNT(variable) \
    for (size_t variable = 0; variable <= MANY; \
         variable = variable == ROWS ? MANY : variable + 1)

/* What a kernel reads. */
static float w[WORDS], b[WORDS], x[WORDS];
/* What the scalar kernel (0) and the variant (1) write. */
static float first_out[2][WORDS], second_out[2][WORDS];

static const char *variant; /* under check, for the report */
static uint32_t compared;   /* words in all */

static void print_number(uint32_t value, uint32_t base)
{
    char digits[11];
    size_t at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    print(digits + at);
}

void report_trap(unsigned long cause, unsigned long pc);

void report_trap(unsigned long cause, unsigned long pc)
{
    print("trap, cause ");
    print_number((uint32_t)cause, 10);
    print(", pc ");
    print_number((uint32_t)pc, 16);
    print(variant == NULL ? "" : ", in ");
    print(variant == NULL ? "" : variant);
    print("\n");
}

static uint32_t word_of(float value)
{
    const union {
        float value;
        uint32_t bits;
    } u = {.value = value};
    return u.bits;
}

static float float_of(uint32_t bits)
{
    const union {
        uint32_t bits;
        float value;
    } u = {.bits = bits};
    return u.value;
}

static uint32_t draw(void)
{
    static uint32_t seed = 2463534242U;

    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

/* Mostly numbers like those of a network, some of them special. */
static float draw_float(bool finite)
{
    static const uint32_t special[] = {
        0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000,
        0x3f800000, 0xbf800000, 0x42b00000, 0xc2ae0000, 0x41120000, 0x7f7fffff,
        0xff7fffff, /* not finite: */ 0x7f800000, 0xff800000, 0x7fc00000,
    };
    const uint32_t kind = draw() % 8;

    if (kind == 0) {
        return float_of(special[draw() % (finite ? 13 : 16)]);
    }
    const float value = (float)(int32_t)draw() * 0x1p-31f;
    return kind < 3 ? value * 100.0f : value * 4.0f;
}

static void fill(float *v, size_t n, bool finite)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = draw_float(finite);
    }
}

/* The same, but none so large that a sum of many is infinite: that would hide the others. */
static void fill_summable(float *v, size_t n)
{
    fill(v, n, true);
    for (size_t i = 0; i < n; i++) {
        v[i] = v[i] < 0x1p32f && v[i] > -0x1p32f ? v[i] : 1.0f;
    }
}

/* Which inputs are zero: as they are drawn, none, or the first alone. */
enum zeros { DRAWN, NONE, FIRST };

static void fill_inputs(size_t n, enum zeros zeros)
{
    fill_summable(x, n);
    for (size_t i = 0; i < n && zeros != DRAWN; i++) {
        x[i] = x[i] != 0.0f ? x[i] : 1.0f;
    }
    x[0] = zeros == FIRST ? 0.0f : x[0];
}

/* A row of weights whose input is zero is left out: a kernel that multiplies it makes
 * another NaN of these, and one that adds it has a sum that is none. */
static void fill_weights(float *v, size_t n_in, size_t n_out)
{
    fill_summable(v, n_in * n_out);
    for (size_t i = 0; i < n_in * n_out; i++) {
        v[i] = x[i / n_out] != 0.0f ? v[i] : float_of(0x7fc00001);
    }
}

/* The same start for both, and beyond the end something to be left alone. */
static void fill_outputs(size_t n)
{
    for (size_t i = 0; i < n + GUARD; i++) {
        first_out[0][i] = first_out[1][i] = draw_float(true);
        second_out[0][i] = second_out[1][i] = draw_float(true);
    }
}

static void fill_learned(size_t n_in, size_t n_out)
{
    fill_outputs(n_in * n_out);
    fill_weights(first_out[0], n_in, n_out);
    for (size_t i = 0; i < n_in * n_out; i++) {
        first_out[1][i] = first_out[0][i];
    }
}

static void same_word(uint32_t want, uint32_t got, size_t rows, size_t n, size_t index)
{
    compared++;
    if (want == got) {
        return;
    }
    print(variant);
    print(": rows ");
    print_number((uint32_t)rows, 10);
    print(", n ");
    print_number((uint32_t)n, 10);
    print(", element ");
    print_number((uint32_t)index, 10);
    print(" is ");
    print_number(got, 16);
    print(", scalar ");
    print_number(want, 16);
    print("\n");
    finish(1);
}

static void same(float out[2][WORDS], size_t rows, size_t n)
{
    for (size_t i = 0; i < rows * n + GUARD; i++) {
        same_word(word_of(out[0][i]), word_of(out[1][i]), rows, n, i);
    }
}

#endif
