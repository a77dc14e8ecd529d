/* Every variant against the scalar kernel of the same name, bit for bit.
 *
 * rows.h has a line ROW(kernel, symbol) for each variant to be checked. The
 * first difference ends the program with 1 and a line that names variant,
 * sizes, element and both words.
 *
 * More than 400 lines because one image must hold a check of every kernel.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "hil_kernels.h"

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

#define CONVERT(name, type) \
    static void check_##name(void (*kernel)(const type *, float, float *, size_t)) \
    { \
        static type v[MOST]; \
        EACH (n, sizes) { \
            for (size_t i = 0; i < n; i++) { \
                v[i] = (type)(draw() >> 7); \
            } \
            fill_outputs(n); \
            hil_##name##__scalar(v, 255.0f, first_out[0], n); \
            kernel(v, 255.0f, first_out[1], n); \
            same(first_out, 1, n); \
        } \
    }
CONVERT(u8_to_f32, uint8_t)
CONVERT(i16_to_f32, int16_t)


/* By 255, which no binary32 has the reciprocal of, and by 16. */
#define SCALED(name, type) \
    static void check_##name(void (*kernel)(const type *, float, float, float *, size_t)) \
    { \
        static type v[MOST]; \
        static const float factors[2][2] = {{0x1.010102p-8f, -0x1.fdfdfep-33f}, {0.0625f, 0.0f}}; \
        EACH (n, sizes) { \
            for (size_t k = 0; k < 2; k++) { \
                for (size_t i = 0; i < n; i++) { \
                    v[i] = (type)(draw() >> 7); \
                } \
                fill_outputs(n); \
                hil_##name##__scalar(v, factors[k][0], factors[k][1], first_out[0], n); \
                kernel(v, factors[k][0], factors[k][1], first_out[1], n); \
                same(first_out, 1, n); \
            } \
        } \
    }
SCALED(u8_scaled, uint8_t)
SCALED(i16_scaled, int16_t)
SCALED(f32_scaled, float)

static void check_f32_scale(void (*kernel)(const float *, float, float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, false);
        fill_outputs(n);
        hil_f32_scale__scalar(x, 3.0f, first_out[0], n);
        kernel(x, 3.0f, first_out[1], n);
        same(first_out, 1, n);
    }
}

/* Means and deviations of any size; one column that only moves, one that only shrinks. */
#define RESCALE(name, type) \
    static void check_##name( \
        void (*kernel)(const type *, const float *, const float *, float *, size_t)) \
    { \
        static type v[MOST]; \
        static float offset[MOST], divisor[MOST]; \
        EACH (n, sizes) { \
            fill(offset, n, true); \
            fill(divisor, n, false); \
            offset[0] = 0.0f; \
            divisor[n - 1] = 1.0f; \
            for (size_t i = 0; i < n; i++) { \
                v[i] = (type)(draw() >> 7); \
            } \
            fill_outputs(n); \
            hil_##name##__scalar(v, offset, divisor, first_out[0], n); \
            kernel(v, offset, divisor, first_out[1], n); \
            same(first_out, 1, n); \
        } \
    }
RESCALE(u8_rescale, uint8_t)
RESCALE(i16_rescale, int16_t)
RESCALE(f32_rescale, float)

static void check_i16_window_features(
    void (*kernel)(const int16_t *, const float *, const float *, float *, size_t, size_t))
{
    enum { AXES = 5 };
    static const size_t lengths[] = {2, 3, 8, 17, 64, 65, 128, 511, 512};
    static int16_t v[512 * AXES];
    static float offset[3 * AXES], divisor[3 * AXES];

    for (size_t k = 0; k < 3 * AXES; k++) {
        offset[k] = 3.0f * (float)k;
        divisor[k] = 0.7f + (float)k;
    }
    EACH (rows, lengths) {
        for (size_t axes = 1; axes <= AXES; axes++) {
            for (size_t i = 0; i < rows * axes; i++) { /* axis 0: the largest sums */
                v[i] = (int16_t)(i % axes ? draw() >> 7 : i / axes % 2 ? 0x7fff : 0x8000);
            }
            fill_outputs(3 * axes);
            hil_i16_window_features__scalar(v, offset, divisor, first_out[0], rows, axes);
            kernel(v, offset, divisor, first_out[1], rows, axes);
            same(first_out, 1, 3 * axes);
        }
    }
}

/* Constants of every size, as the front makes them. */
static void check_i16_window_levels(
    void (*kernel)(const int16_t *, const int32_t *, const int32_t *, const int32_t *, int8_t *,
                   size_t, size_t))
{
    enum { AXES = 5 };
    static const size_t lengths[] = {2, 3, 8, 17, 64, 65, 128, 511, 512};
    static int16_t v[512 * AXES];
    static int32_t centre[3 * AXES], factor[3 * AXES], shift[3 * AXES];

    for (size_t k = 0; k < 3 * AXES; k++) {
        centre[k] = (int32_t)draw() >> (2 + k);
        factor[k] = 4096 + (int32_t)(draw() >> 20);
        shift[k] = k < 3 ? 36 : 30 - (int32_t)k;
    }
    EACH (rows, lengths) {
        for (size_t axes = 1; axes <= AXES; axes++) {
            for (size_t i = 0; i < rows * axes; i++) { /* axis 0: the largest sums */
                v[i] = (int16_t)(i % axes ? draw() >> 7 : i / axes % 2 ? 0x7fff : 0x8000);
            }
            fill_outputs(3 * axes);
            hil_i16_window_levels__scalar(v, centre, factor, shift, (int8_t *)first_out[0], rows,
                                          axes);
            kernel(v, centre, factor, shift, (int8_t *)first_out[1], rows, axes);
            same(first_out, 1, 3 * axes);
        }
    }
}

static void check_f32_dense_forward(
    void (*kernel)(const float *, const float *, const float *, float *, size_t, size_t))
{
    EACH (n_in, row_counts) {
        EACH_WIDTH (n_out, n_in) {
            fill(w, n_in * n_out, false);
            fill(b, n_out, true);
            fill(x, n_in, true);
            fill_outputs(n_out);
            hil_f32_dense_forward__scalar(w, b, x, first_out[0], n_in, n_out);
            kernel(w, b, x, first_out[1], n_in, n_out);
            same(first_out, 1, n_out);
            fill_summable(b, n_out);
            for (enum zeros zeros = DRAWN; zeros <= FIRST; zeros++) {
                fill_inputs(n_in, zeros);
                fill_weights(w, n_in, n_out);
                hil_f32_dense_forward__scalar(w, b, x, first_out[0], n_in, n_out);
                kernel(w, b, x, first_out[1], n_in, n_out);
                same(first_out, 1, n_out);
            }
        }
    }
}

/* A list: its length, its entries, and nothing beyond them (`x` and `rows` may
 * be used as a whole while it is made). */
static void same_list(size_t want, size_t got, float *const rows[2][LONGEST], size_t n)
{
    same_word((uint32_t)want, (uint32_t)got, 1, n, n);
    for (size_t k = 0; k < want; k++) {
        same_word(word_of(first_out[0][k]), word_of(first_out[1][k]), 1, n, k);
        same_word((uint32_t)(rows[0][k] - w), (uint32_t)(rows[1][k] - w), 2, n, k);
    }
    for (size_t i = n; i < n + GUARD; i++) {
        same_word(word_of(first_out[0][i]), word_of(first_out[1][i]), 1, n, i);
    }
}

static float *listed[2][LONGEST]; /* rows */

#define BY_ITSELF 255.0f
#define BY_FACTORS 0x1.010102p-8f, -0x1.fdfdfep-33f

#define NONZERO(name, type, by, ...) \
    static void check_##name(size_t (*kernel)( \
        const type *, __VA_ARGS__, float *, size_t, float **, float *, size_t)) \
    { \
        static type v[LONGEST]; \
        EACH (n, sizes) { \
            for (uint32_t share = 0; share <= 4; share++) { /* none, some, all */ \
                for (size_t i = 0; i < n; i++) { \
                    v[i] = (type)(draw() % 4 < share ? 1 + draw() % 127 : 0); \
                } \
                fill_outputs(n); \
                const size_t want = \
                    hil_##name##__scalar(v, by, w, 3, listed[0], first_out[0], n); \
                const size_t got = kernel(v, by, w, 3, listed[1], first_out[1], n); \
                same_list(want, got, listed, n); \
            } \
        } \
        EACH (n, long_sizes) { \
            for (size_t i = 0; i < n; i++) { \
                v[i] = (type)(draw() % 2); \
            } \
            fill_outputs(n); \
            const size_t want = \
                hil_##name##__scalar(v, by, w, 1, listed[0], first_out[0], n); \
            const size_t got = kernel(v, by, w, 1, listed[1], first_out[1], n); \
            same_list(want, got, listed, n); \
        } \
    }
NONZERO(u8_nonzero, uint8_t, BY_ITSELF, float)
NONZERO(i16_nonzero, int16_t, BY_ITSELF, float)
NONZERO(u8_nonzero_scaled, uint8_t, BY_FACTORS, float, float)
NONZERO(i16_nonzero_scaled, int16_t, BY_FACTORS, float, float)

static void check_f32_nonzero(
    size_t (*kernel)(const float *, float *, size_t, float **, float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        x[n / 2] = -0.0f;
        fill_outputs(n);
        const size_t want = hil_f32_nonzero__scalar(x, w, 3, listed[0], first_out[0], n);
        const size_t got = kernel(x, w, 3, listed[1], first_out[1], n);
        same_list(want, got, listed, n);
    }
    EACH (n, long_sizes) {
        fill(x, n, true);
        fill_outputs(n);
        const size_t want = hil_f32_nonzero__scalar(x, w, 1, listed[0], first_out[0], n);
        const size_t got = kernel(x, w, 1, listed[1], first_out[1], n);
        same_list(want, got, listed, n);
    }
}

static void check_f32_listed_forward(
    void (*kernel)(float *const *, const float *, size_t, const float *, float *, size_t))
{
    EACH_COUNT (count) {
        EACH_WIDTH (n_out, count) {
            fill_summable(w, count * n_out);
            fill_summable(b, n_out);
            fill_summable(x, count);
            for (size_t k = 0; k < count; k++) {
                listed[0][k] = w + k * n_out;
            }
            fill_outputs(n_out);
            hil_f32_listed_forward__scalar(listed[0], x, count, b, first_out[0], n_out);
            kernel(listed[0], x, count, b, first_out[1], n_out);
            same(first_out, 1, n_out);
        }
    }
}

static void check_f32_listed_update(
    void (*kernel)(float *const *, float *, size_t, float *, const float *, float, size_t))
{
    static float values[2][MANY];

    EACH_COUNT (count) {
        EACH_WIDTH (n_out, count) {
            fill(b, n_out, true);
            fill(values[0], count, true);
            fill_outputs(count * n_out);
            for (size_t k = 0; k < count; k++) {
                values[1][k] = values[0][k];
                listed[0][k] = first_out[0] + k * n_out;
                listed[1][k] = first_out[1] + k * n_out;
            }
            hil_f32_listed_update__scalar(
                listed[0], values[0], count, second_out[0], b, 0.03f, n_out);
            kernel(listed[1], values[1], count, second_out[1], b, 0.03f, n_out);
            same(first_out, count, n_out);
            same(second_out, 1, n_out);
            for (size_t k = 0; k < count; k++) {
                same_word(word_of(values[0][k]), word_of(values[1][k]), count, n_out, k);
            }
        }
    }
}

static void check_f32_dense_fused(
    void (*kernel)(float *, const float *, const float *, const float *, const float *,
                   float *, size_t, size_t))
{
    static float s[MANY];

    for (enum zeros zeros = DRAWN; zeros <= FIRST; zeros++) {
        EACH (n_in, row_counts) {
            EACH_WIDTH (n_out, n_in) {
                fill_summable(s, n_in);
                fill_summable(w, n_out); /* delta */
                fill_summable(b, n_out);
                fill_inputs(n_in, zeros);
                fill_learned(n_in, n_out);
                hil_f32_dense_fused__scalar(
                    first_out[0], s, w, b, x, second_out[0], n_in, n_out);
                kernel(first_out[1], s, w, b, x, second_out[1], n_in, n_out);
                same(first_out, n_in, n_out);
                same(second_out, 1, n_out);
            }
        }
    }
}

static void check_f32_rank_one(
    void (*kernel)(float *, const float *, const float *, size_t, size_t))
{
    EACH (n_in, row_counts) {
        EACH_WIDTH (n_out, n_in) {
            fill(x, n_in, true);
            fill(b, n_out, true);
            fill_outputs(n_in * n_out);
            hil_f32_rank_one__scalar(first_out[0], x, b, n_in, n_out);
            kernel(first_out[1], x, b, n_in, n_out);
            same(first_out, n_in, n_out);
        }
    }
}

static void check_f32_rates(bool (*kernel)(const float *, float, float *, size_t))
{
    static const float etas[] = {0.03f, 0x1p-140f};

    EACH (eta, etas) {
        EACH (n, sizes) {
            fill(x, n, true);
            for (size_t i = 0; i < n && n % 2 == 0; i++) {
                x[i] = x[i] != 0.0f ? x[i] : 1.0f;
            }
            fill_outputs(n);
            const bool want = hil_f32_rates__scalar(x, eta, first_out[0], n);
            same_word(want, kernel(x, eta, first_out[1], n), 1, n, n);
            same(first_out, 1, n);
        }
    }
}

static void check_f32_bias_update(void (*kernel)(float *, const float *, float, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill_outputs(n);
        hil_f32_bias_update__scalar(first_out[0], x, 0.03f, n);
        kernel(first_out[1], x, 0.03f, n);
        same(first_out, 1, n);
    }
}

#define ACTIVATION(name) \
    static void check_##name(bool (*kernel)(float *, size_t)) \
    { \
        EACH (n, sizes) { \
            fill_outputs(n); \
            fill(first_out[0], n, true); \
            for (size_t i = 0; i < n; i++) { \
                first_out[1][i] = first_out[0][i]; \
            } \
            same_word(true, hil_##name##__scalar(first_out[0], n), 1, n, n); \
            same_word(true, kernel(first_out[1], n), 1, n, n); \
            same(first_out, 1, n); \
            for (size_t i = 0; i < n; i += 1 + i / 8) { \
                fill(first_out[1], n, true); \
                first_out[1][i] = float_of(i % 2 ? 0xff800000 : 0x7fc00000); \
                same_word(false, kernel(first_out[1], n), 1, n, i); \
            } \
        } \
    }
ACTIVATION(f32_tanh)
ACTIVATION(f32_sigmoid)
ACTIVATION(f32_relu)

#define GRADIENT(name) \
    static void check_##name(bool (*kernel)(const float *, float *, size_t)) \
    { \
        EACH (n, sizes) { \
            fill(x, n, true); \
            fill_outputs(n); \
            const bool want = hil_##name##__scalar(x, first_out[0], n); \
            same_word(want, kernel(x, first_out[1], n), 1, n, n); \
            same(first_out, 1, n); \
            for (size_t i = 0; i < n; i += 1 + i / 8) { \
                x[i] = 0.5f; \
                fill(first_out[1], n, true); \
                first_out[1][i] = float_of(0x7f800000); \
                same_word(false, kernel(x, first_out[1], n), 1, n, i); \
            } \
        } \
    }
GRADIENT(f32_tanh_grad)
GRADIENT(f32_sigmoid_grad)
GRADIENT(f32_relu_grad)

static void check_f32_all_finite(bool (*kernel)(const float *, size_t))
{
    static const uint32_t bad[] = {0x7f800000, 0xff800000, 0x7fc00000, 0xff800001};

    EACH (n, sizes) {
        fill(x, n, true);
        x[n] = float_of(bad[0]); /* beyond the end: not looked at */
        same_word(1, kernel(x, n), 1, n, n);
        for (size_t i = 0; i < n; i += 1 + i / 8) {
            const float kept = x[i];
            x[i] = float_of(bad[i % 4]);
            same_word(hil_f32_all_finite__scalar(x, n), kernel(x, n), 1, n, i);
            same_word(0, kernel(x, n), 1, n, i);
            x[i] = kept;
        }
    }
}

static void check_f32_feedback_stored(
    void (*kernel)(const float *, const float *, float *, size_t, size_t))
{
    EACH (n_err, row_counts) {
        EACH_WIDTH (n, n_err) {
            fill_summable(w, n_err * n);
            fill_summable(x, n_err);
            fill_outputs(n);
            hil_f32_feedback_stored__scalar(w, x, first_out[0], n_err, n);
            kernel(w, x, first_out[1], n_err, n);
            same(first_out, 1, n);
        }
    }
}

static void check_f32_feedback_signs(
    void (*kernel)(uint32_t, uint32_t, float, const float *, float *, uint32_t *, size_t,
                   size_t))
{
    static uint32_t words[WORDS / 32 + 1];

    EACH (n_err, row_counts) {
        EACH_WIDTH (n, n_err) {
            const uint32_t seed = draw(), word = draw();
            fill_summable(x, n_err);
            fill_outputs(n);
            hil_f32_feedback_signs__scalar(seed, word, 0.3f, x, first_out[0], words, n_err, n);
            kernel(seed, word, 0.3f, x, first_out[1], words, n_err, n);
            same(first_out, 1, n);
        }
    }
}

static void check_f32_feedback_words(
    void (*kernel)(float, const float *, float *, const uint32_t *, size_t, size_t))
{
    static uint32_t words[WORDS / 32 + 1];

    EACH (n_err, row_counts) {
        EACH_WIDTH (n, n_err) {
            hil_u32_words__scalar(draw(), draw(), draw(), words, (n_err * n + 31) / 32);
            fill_summable(x, n_err);
            fill_outputs(n);
            hil_f32_feedback_words__scalar(0.3f, x, first_out[0], words, n_err, n);
            kernel(0.3f, x, first_out[1], words, n_err, n);
            same(first_out, 1, n);
        }
    }
}

static void check_f32_dense_backward(
    void (*kernel)(const float *, const float *, float *, size_t, size_t))
{
    EACH (n_in, row_counts) {
        EACH_WIDTH (n_out, n_in) {
            fill_summable(w, n_in * n_out);
            fill_summable(x, n_out);
            fill_outputs(n_in);
            hil_f32_dense_backward__scalar(w, x, first_out[0], n_in, n_out);
            kernel(w, x, first_out[1], n_in, n_out);
            same(first_out, 1, n_in);
        }
    }
    fill_summable(w, MOST * 7); /* more rows than lanes, in the short order */
    fill_summable(x, 7);
    fill_outputs(MOST);
    hil_f32_dense_backward__scalar(w, x, first_out[0], MOST, 7);
    kernel(w, x, first_out[1], MOST, 7);
    same(first_out, 1, MOST);
    fill_summable(w, MOST * ROWS); /* and in the long one */
    fill_summable(x, ROWS);
    fill_outputs(MOST);
    hil_f32_dense_backward__scalar(w, x, first_out[0], MOST, ROWS);
    kernel(w, x, first_out[1], MOST, ROWS);
    same(first_out, 1, MOST);
}

static void check_f32_dense_update(
    void (*kernel)(float *, float *, const float *, const float *, float, size_t, size_t))
{
    for (enum zeros zeros = DRAWN; zeros <= FIRST; zeros++) {
        EACH (n_in, row_counts) {
            EACH_WIDTH (n_out, n_in) {
                fill_inputs(n_in, zeros);
                fill(b, n_out, true);
                fill_learned(n_in, n_out);
                hil_f32_dense_update__scalar(
                    first_out[0], second_out[0], x, b, 0.03f, n_in, n_out);
                kernel(first_out[1], second_out[1], x, b, 0.03f, n_in, n_out);
                same(first_out, n_in, n_out);
                same(second_out, 1, n_out);
            }
        }
    }
}

static void check_f32_momentum_update(
    void (*kernel)(float *, float *, float *, float *, const float *, const float *, float,
                   float, size_t, size_t))
{
    static float velocities[2][WORDS], of_biases[2][WORDS];

    EACH (n_in, row_counts) {
        EACH_WIDTH (n_out, n_in) {
            const size_t whole = n_in * n_out + GUARD;
            fill(x, n_in, true);
            fill(b, n_out, true);
            fill_outputs(n_in * n_out);
            fill(velocities[0], whole, true);
            fill(of_biases[0], n_out + GUARD, true);
            for (size_t i = 0; i < whole; i++) {
                velocities[1][i] = velocities[0][i];
                of_biases[1][i] = of_biases[0][i];
            }
            hil_f32_momentum_update__scalar(first_out[0], second_out[0], velocities[0],
                of_biases[0], x, b, 0.03f, 0.9f, n_in, n_out);
            kernel(first_out[1], second_out[1], velocities[1], of_biases[1], x, b, 0.03f, 0.9f,
                n_in, n_out);
            same(first_out, n_in, n_out);
            same(second_out, 1, n_out);
            same(velocities, n_in, n_out);
            same(of_biases, 1, n_out);
            hil_f32_momentum_update__scalar(
                first_out[0], NULL, velocities[0], NULL, x, b, 0.03f, 0.9f, n_in, n_out);
            kernel(first_out[1], NULL, velocities[1], NULL, x, b, 0.03f, 0.9f, n_in, n_out);
            same(first_out, n_in, n_out);
            same(velocities, n_in, n_out);
        }
    }
}

#define OUTPUT(name) \
    static void check_##name( \
        float (*kernel)(const float *, uint32_t, float *, float *, size_t)) \
    { \
        EACH (n, sizes) { \
            const uint32_t label = n == MOST ? MOST - 1 : draw() % (uint32_t)n; \
            for (size_t i = 0; i < n; i++) { /* no overflow in the losses */ \
                x[i] = draw() % 8 == 0 ? -0.0f : (float)(int32_t)draw() * 0x1p-26f; \
            } \
            fill_outputs(n); \
            const float want = hil_##name##__scalar(x, label, first_out[0], second_out[0], n); \
            const float got = kernel(x, label, first_out[1], second_out[1], n); \
            same_word(word_of(want), word_of(got), 0, n, 0); \
            same(first_out, 1, n); \
            same(second_out, 1, n); \
            kernel(x, label, x, second_out[1], n); /* p is a */ \
            for (size_t i = 0; i < n; i++) { \
                same_word(word_of(first_out[0][i]), word_of(x[i]), 1, n, i); \
            } \
            same(second_out, 1, n); \
            fill(x, n, true); /* inference only */ \
            same_word(0, word_of(hil_##name##__scalar(x, 0, first_out[0], NULL, n)), 0, n, 0); \
            same_word(0, word_of(kernel(x, 0, first_out[1], NULL, n)), 0, n, 0); \
            same(first_out, 1, n); \
            for (size_t i = 0; i < n; i += 1 + i / 8) { \
                fill(x, n, true); \
                x[i] = float_of(i % 2 ? 0xff800000 : 0x7fc00000); \
                const float nan = kernel(x, label, first_out[1], second_out[1], n); \
                same_word(true, nan != nan, 0, n, i); \
            } \
        } \
    }
OUTPUT(f32_sigmoid_bce)
OUTPUT(f32_softmax_ce)
OUTPUT(f32_identity_mse)

#define VECTOR_OUTPUT(name) \
    static void check_##name( \
        float (*kernel)(const float *, const float *, float *, float *, size_t)) \
    { \
        for (uint32_t draws = 0; draws < 200; draws++) { /* each rounding of a loss */ \
            x[0] = (float)draw() * 0x1p-30f; \
            b[0] = (float)draw() * 0x1p-32f; \
            const float alone = hil_##name##__scalar(x, b, first_out[0], second_out[0], 1); \
            const float got = kernel(x, b, first_out[1], second_out[1], 1); \
            same_word(word_of(alone), word_of(got), 1, 1, draws); \
        } \
        EACH (n, sizes) { \
            for (size_t i = 0; i < n; i++) { /* no overflow in the losses */ \
                x[i] = draw() % 8 == 0 ? -0.0f : (float)(int32_t)draw() * 0x1p-26f; \
                b[i] = draw() % 8 == 0 ? 1.0f : (float)draw() * 0x1p-33f; \
            } \
            fill_outputs(n); \
            const float want = hil_##name##__scalar(x, b, first_out[0], second_out[0], n); \
            const float got = kernel(x, b, first_out[1], second_out[1], n); \
            same_word(word_of(want), word_of(got), 0, n, 0); \
            same(first_out, 1, n); \
            same(second_out, 1, n); \
            const float again = kernel(x, b, x, second_out[1], n); /* p is a */ \
            same_word(word_of(want), word_of(again), 0, n, 0); \
            for (size_t i = 0; i < n; i++) { \
                same_word(word_of(first_out[0][i]), word_of(x[i]), 1, n, i); \
            } \
            same(second_out, 1, n); \
            fill(x, n, true); /* inference only */ \
            same_word(0, word_of(hil_##name##__scalar(x, NULL, first_out[0], NULL, n)), 0, n, 0); \
            same_word(0, word_of(kernel(x, NULL, first_out[1], NULL, n)), 0, n, 0); \
            same(first_out, 1, n); \
            for (size_t i = 0; i < n; i += 1 + i / 8) { \
                float *const wrong = i % 2 ? x : b; \
                const float kept = wrong[i]; \
                wrong[i] = float_of(draw() % 2 ? 0xff800000 : 0x7fc00000); \
                const float nan = kernel(x, b, first_out[1], second_out[1], n); \
                same_word(true, nan != nan, 0, n, i); \
                wrong[i] = kept; \
            } \
        } \
    }
VECTOR_OUTPUT(f32_sigmoid_bce_vector)
VECTOR_OUTPUT(f32_identity_mse_vector)

static void check_f32_uniform(void (*kernel)(uint32_t, uint32_t, float, float *, size_t))
{
    EACH (n, sizes) {
        const uint32_t seed = draw(), stream = draw();
        fill_outputs(n);
        hil_f32_uniform__scalar(seed, stream, 0.3f, first_out[0], n);
        kernel(seed, stream, 0.3f, first_out[1], n);
        same(first_out, 1, n);
    }
}

static void check_u32_words(void (*kernel)(uint32_t, uint32_t, uint32_t, uint32_t *, size_t))
{
    static uint32_t words[2][WORDS];

    EACH (n, sizes) {
        const uint32_t seed = draw(), stream = draw(), first = draw();
        hil_u32_words__scalar(seed, stream, first, words[0], n);
        kernel(seed, stream, first, words[1], n);
        for (size_t i = 0; i < n; i++) {
            same_word(words[0][i], words[1][i], 1, n, i);
        }
    }
}

static void check_u32_digest(uint32_t (*kernel)(const uint32_t *, size_t, uint32_t))
{
    static uint32_t words[WORDS];

    for (size_t i = 0; i < WORDS; i++) {
        words[i] = draw();
    }
    EACH (n, sizes) {
        const uint32_t first = draw();
        same_word(hil_u32_digest__scalar(words, n, first), kernel(words, n, first), 1, n, 0);
    }
    EACH (n, long_sizes) {
        const size_t more = n + 2; /* the longest has more than 16 bits count */
        same_word(hil_u32_digest__scalar(words, more, 0), kernel(words, more, 0), 1, more, 0);
    }
}

static void check_f32_target(void (*kernel)(float *, uint32_t, float, size_t))
{
    EACH (n, sizes) {
        const uint32_t label = draw() % (uint32_t)n;
        fill_outputs(n);
        hil_f32_target__scalar(first_out[0], label, -1.0f, n);
        kernel(first_out[1], label, -1.0f, n);
        same(first_out, 1, n);
    }
}

static void check_f32_class_mean(
    float (*kernel)(float *, const float *, uint32_t, float, float, size_t, size_t))
{
    EACH (n, sizes) {
        const size_t n_out = 1 + draw() % 9, n_in = 1 + (n - 1) / n_out;
        const uint32_t label = draw() % (uint32_t)n_out;
        fill(x, n_in, true);
        fill_outputs(n_in * n_out);
        const float square = hil_f32_class_mean__scalar(
            first_out[0], x, label, 0.3f, 0.9f, n_in, n_out);
        const float other = kernel(first_out[1], x, label, 0.3f, 0.9f, n_in, n_out);
        same_word(word_of(square), word_of(other), n_in, n_out, label);
        same(first_out, 1, n_in * n_out);
    }
}

/* A covariance of n_in inputs, and what is made of it: sizes whose triangles have room. */
static void check_f32_class_scatter(void (*kernel)(
    float *, const float *, const float *, float *, uint32_t, float, float, float, size_t, size_t))
{
    for (size_t n = 1; n <= 12; n++) {
        const size_t triangle = n * (n + 1) / 2;
        fill(w, n * 3, true);
        fill(x, n, true);
        fill_outputs(triangle);
        hil_f32_class_scatter__scalar(first_out[0], w, x, b, 1, 0.75f, 0.3f, 0.9f, n, 3);
        kernel(first_out[1], w, x, b, 1, 0.75f, 0.3f, 0.9f, n, 3);
        same(first_out, 1, triangle);
    }
}

static void check_f32_class_discriminant(void (*kernel)(
    const float *, const float *, const float *, float *, float *, float *,
    float, float, float, size_t, size_t))
{
    static const float counts[3] = { 1.0f, 0.0f, 5.0f };
    static float offsets[2][3];

    for (size_t n = 1; n <= 12; n++) {
        fill(x, n * (n + 1) / 2, true);
        fill(w, n * 3, true);
        fill_outputs(n * 3);
        hil_f32_class_discriminant__scalar(
            x, w, counts, b, first_out[0], offsets[0], 0.1f, 9.0f, -1e30f, n, 3);
        kernel(x, w, counts, b, first_out[1], offsets[1], 0.1f, 9.0f, -1e30f, n, 3);
        same(first_out, 1, n * 3);
        for (size_t c = 0; c < 3; c++) {
            same_word(word_of(offsets[0][c]), word_of(offsets[1][c]), 1, 3, c);
        }
    }
}

static void check_f32_fill(void (*kernel)(float *, float, size_t))
{
    EACH (n, sizes) {
        fill_outputs(n);
        hil_f32_fill__scalar(first_out[0], -0.0f, n);
        kernel(first_out[1], -0.0f, n);
        same(first_out, 1, n);
    }
}

static void check_f32_copy(void (*kernel)(const float *, float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, false);
        fill_outputs(n);
        hil_f32_copy__scalar(x, first_out[0], n);
        kernel(x, first_out[1], n);
        same(first_out, 1, n);
    }
}

static void check_f32_difference(
    void (*kernel)(const float *, const float *, float, float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill(b, n, true);
        fill_outputs(n);
        hil_f32_difference__scalar(x, b, 0.7f, first_out[0], n);
        kernel(x, b, 0.7f, first_out[1], n);
        same(first_out, 1, n);
    }
}

static void check_f32_times(void (*kernel)(const float *, float, float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill_outputs(n);
        hil_f32_times__scalar(x, 0.7f, first_out[0], n);
        kernel(x, 0.7f, first_out[1], n);
        same(first_out, 1, n);
    }
}

static void check_f32_settle(
    void (*kernel)(const float *, const float *, float, float *, float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill(b, n, true);
        fill_outputs(n);
        fill(first_out[0], n, true);
        for (size_t i = 0; i < n; i++) {
            first_out[1][i] = first_out[0][i];
        }
        hil_f32_settle__scalar(x, b, 0.7f, first_out[0], second_out[0], n);
        kernel(x, b, 0.7f, first_out[1], second_out[1], n);
        same(first_out, 1, n);
        same(second_out, 1, n);
    }
}

static void check_f32_ratio(void (*kernel)(const float *, const float *, float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill(b, n, true);
        fill_outputs(n);
        hil_f32_ratio__scalar(x, b, first_out[0], n);
        kernel(x, b, first_out[1], n);
        same(first_out, 1, n);
    }
}

static void check_f32_adapt(
    void (*kernel)(float *, const float *, float, float, float, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill_outputs(n);
        for (size_t i = 0; i < n; i++) { /* variances are positive */
            first_out[0][i] = first_out[1][i] = 0.5f + (float)(draw() % 1000) * 0.1f;
        }
        hil_f32_adapt__scalar(first_out[0], x, 0.03f, 0.5f, 90.0f, n);
        kernel(first_out[1], x, 0.03f, 0.5f, 90.0f, n);
        same(first_out, 1, n);
    }
}

static void check_f32_latency(void (*kernel)(const float *, float, float, float *, size_t))
{
    EACH (n, sizes) {
        for (uint32_t tick = 0; tick < 8; tick++) {
            for (size_t i = 0; i < n; i++) { /* below 0, above 1, and between */
                x[i] = (float)(draw() % 40) / 28.0f - 0.2f;
            }
            x[n / 2] = float_of(tick % 2 ? 0x7f800000 : 0x7fc00000);
            fill_outputs(n);
            hil_f32_latency__scalar(x, (float)tick, 7.0f, first_out[0], n);
            kernel(x, (float)tick, 7.0f, first_out[1], n);
            same(first_out, 1, n);
        }
    }
}

static void check_f32_homeostat(void (*kernel)(
    const float *, float *, float *, float, float, float, float, float, float, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill_outputs(n);
        hil_f32_homeostat__scalar(
            x, first_out[0], second_out[0], 0.125f, 0.03125f, 0.1f, 0.2f, -0.75f, 0.9f, n);
        kernel(x, first_out[1], second_out[1], 0.125f, 0.03125f, 0.1f, 0.2f, -0.75f, 0.9f, n);
        same(first_out, 1, n);
        same(second_out, 1, n);
    }
}

static void check_f32_ternary(void (*kernel)(const float *, float *, float, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        x[n / 2] = -0.5f;
        fill_outputs(n);
        hil_f32_ternary__scalar(x, first_out[0], 0.5f, n);
        kernel(x, first_out[1], 0.5f, n);
        same(first_out, 1, n);
    }
}

static void check_f32_clip(void (*kernel)(float *, float, size_t))
{
    EACH (n, sizes) {
        fill_outputs(n);
        fill(first_out[0], n, false);
        for (size_t i = 0; i < n; i++) {
            first_out[1][i] = first_out[0][i];
        }
        hil_f32_clip__scalar(first_out[0], 1.5f, n);
        kernel(first_out[1], 1.5f, n);
        same(first_out, 1, n);
    }
}

static void check_f32_leak(void (*kernel)(float *, const float *, float, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill_outputs(n);
        hil_f32_leak__scalar(first_out[0], x, 0.7f, n);
        kernel(first_out[1], x, 0.7f, n);
        same(first_out, 1, n);
    }
}

static void check_f32_leaky_sigmoid(
    bool (*kernel)(float *, const float *, const float *, float, float, size_t))
{
    EACH (n, sizes) {
        for (size_t bad = 0; bad < 4; bad++) {
            fill(x, n, true);
            fill(b, n, true);
            fill_outputs(n);
            if (bad > 1) {
                x[n / 2] = float_of(bad == 2 ? 0x7f800000 : 0x7fc00000);
            }
            const float *const u = bad == 1 ? NULL : b;
            const bool want = hil_f32_leaky_sigmoid__scalar(
                first_out[0], x, u, 0.3f, 0.7f, n);
            const bool got = kernel(first_out[1], x, u, 0.3f, 0.7f, n);
            same_word(want, got, 1, n, 0);
            if (want) { /* else what s holds is of no use */
                same(first_out, 1, n);
            }
        }
    }
}

static void check_f32_leaky_clip(bool (*kernel)(float *, const float *, const float *,
                                                const float *, float, float, size_t))
{
    EACH (n, sizes) {
        for (size_t kind = 0; kind < 8; kind++) {
            fill(x, n, true);
            fill(b, n, true);
            fill(w, n, true);
            fill_outputs(n);
            if (kind > 3) {
                x[n - 1] = float_of(kind % 2 ? 0xff800000 : 0x7fc00000);
            }
            const float *const u = kind & 1 ? b : NULL;
            const float *const t = kind & 2 ? w : NULL;
            const bool want = hil_f32_leaky_clip__scalar(
                first_out[0], x, u, t, -1.5f, 0.5f, n);
            const bool got = kernel(first_out[1], x, u, t, -1.5f, 0.5f, n);
            same_word(want, got, 1, n, 0);
            if (want) {
                same(first_out, 1, n);
            }
        }
    }
}

static void check_f32_membrane(void (*kernel)(const float *, const float *, const float *,
                                              float, float, float *, size_t))
{
    EACH (n, sizes) {
        for (size_t resets = 0; resets < 2; resets++) {
            fill(x, n, true);
            fill(w, n, true);
            fill(b, n, true);
            fill_outputs(n);
            const float *const s = resets ? w : NULL;
            hil_f32_membrane__scalar(x, s, b, 0.7f, 0.9f, first_out[0], n);
            kernel(x, s, b, 0.7f, 0.9f, first_out[1], n);
            same(first_out, 1, n);
        }
    }
}

static void check_f32_gathered(void (*kernel)(const float *, const uint8_t *, const float *,
                                              const float *, float *, size_t, size_t))
{
    static uint8_t source[3 * MOST];

    EACH (n, sizes) {
        for (size_t sources = 1; sources <= 3; sources++) {
            fill(w, sources * n, true);
            fill(x, n, true);
            fill(b, n, true);
            for (size_t i = 0; i < sources * n; i++) {
                source[i] = (uint8_t)((draw() >> 8) % (n < 256 ? n : 256));
            }
            fill_outputs(n);
            hil_f32_gathered__scalar(w, source, x, b, first_out[0], sources, n);
            kernel(w, source, x, b, first_out[1], sources, n);
            same(first_out, 1, n);
        }
    }
}

static void check_i16_gathered(void (*kernel)(const int16_t *, const uint8_t *,
                                              const int32_t *, int32_t *, size_t, size_t))
{
    static uint8_t source[3 * MOST];
    static int16_t spikes[MOST];
    static int32_t driven[MOST];

    EACH (n, sizes) {
        for (size_t sources = 1; sources <= 3; sources++) {
            for (size_t i = 0; i < sources * n; i++) {
                source[i] = (uint8_t)((draw() >> 8) % (n < 256 ? n : 256));
            }
            for (size_t i = 0; i < n; i++) {
                spikes[i] = (int16_t)draw();
                driven[i] = (int32_t)draw() >> 4;
            }
            fill_outputs(n);
            hil_i16_gathered__scalar(spikes, source, driven, (int32_t *)first_out[0], sources, n);
            kernel(spikes, source, driven, (int32_t *)first_out[1], sources, n);
            same(first_out, 1, n);
        }
    }
}

/* Constants with which products are within 31 bits, as the front makes them. */
#define LEVEL(name, type) \
    static void check_##name(void (*kernel)(const type *, const int32_t *, const int32_t *, \
                                            unsigned, int8_t *, size_t)) \
    { \
        static type v[MOST]; \
        static int32_t offset[MOST], factor[MOST]; \
        EACH (n, sizes) { \
            for (unsigned shift = 1; shift <= 30; shift += 7) { \
                for (size_t i = 0; i < n; i++) { \
                    v[i] = (type)(draw() >> 7); \
                    offset[i] = (int32_t)draw() >> 3; \
                    factor[i] = (int32_t)(draw() >> 19); \
                } \
                fill_outputs(n); \
                hil_##name##__scalar(v, offset, factor, shift, (int8_t *)first_out[0], n); \
                kernel(v, offset, factor, shift, (int8_t *)first_out[1], n); \
                same(first_out, 1, n); \
            } \
        } \
    }
LEVEL(u8_level, uint8_t)
LEVEL(i16_level, int16_t)

/* The same, each by a shift of its own. */
#define OWN_LEVEL(name, type) \
    static void check_##name(void (*kernel)(const type *, const int32_t *, const int32_t *, \
                                            const int32_t *, int8_t *, size_t)) \
    { \
        static type v[MOST]; \
        static int32_t offset[MOST], factor[MOST], shift[MOST]; \
        EACH (n, sizes) { \
            for (size_t i = 0; i < n; i++) { \
                v[i] = (type)(draw() >> 7); \
                offset[i] = (int32_t)draw() >> 3; \
                factor[i] = (int32_t)(draw() >> 19); \
                shift[i] = (int32_t)(1 + draw() % 30); \
            } \
            fill_outputs(n); \
            hil_##name##__scalar(v, offset, factor, shift, (int8_t *)first_out[0], n); \
            kernel(v, offset, factor, shift, (int8_t *)first_out[1], n); \
            same(first_out, 1, n); \
        } \
    }
OWN_LEVEL(u8_own_level, uint8_t)
OWN_LEVEL(i16_own_level, int16_t)

static void check_i32_fill(void (*kernel)(int32_t *, int32_t, size_t))
{
    EACH (n, sizes) {
        fill_outputs(n);
        hil_i32_fill__scalar((int32_t *)first_out[0], -77, n);
        kernel((int32_t *)first_out[1], -77, n);
        same(first_out, 1, n);
    }
}

/* Some ticks of cells that one stimulus drives, by tables of any numbers; of two sizes in
 * three their state is any, as a host may have written it. */
static void check_u8_delays(void (*kernel)(const uint8_t *, const uint8_t *, const uint8_t *,
                                           const uint8_t *, uint8_t *, int32_t *, int32_t *,
                                           uint8_t *, uint32_t *, uint8_t *, size_t, size_t))
{
    static uint8_t source[16 * MOST], delay[16 * MOST], driven[MOST];
    static uint8_t shown[2], rest[2][MOST], trace[2][MOST];
    static int32_t v[2][MOST], bias[2][MOST];
    static uint32_t past[2][MOST];

    unsigned any = 0;
    EACH (n, sizes) {
        const int32_t all = any++ % 3 > 0 ? -1 : 0;
        for (size_t i = 0; i < 16 * n; i++) {
            source[i] = (uint8_t)((draw() >> 8) % (n < 256 ? n : 256));
            delay[i] = (uint8_t)(draw() >> 24 & 143);
        }
        for (size_t i = 0; i < n; i++) {
            driven[i] = (uint8_t)(draw() >> 30);
            v[0][i] = v[1][i] = (int32_t)draw() & all;
            bias[0][i] = bias[1][i] = (int32_t)draw() & all;
            rest[0][i] = rest[1][i] = (uint8_t)((draw() >> 29) & (uint32_t)all);
            trace[0][i] = trace[1][i] = (uint8_t)((draw() >> 24) & (uint32_t)all);
            past[0][i] = past[1][i] = draw() & (uint32_t)all;
        }
        shown[0] = shown[1] = 0;
        for (unsigned tick = 0; tick < 12; tick++) {
            const uint8_t stimulus = tick % 8 == 0;
            hil_u8_delays__scalar(&stimulus, source, delay, driven, &shown[0], v[0], bias[0],
                rest[0], past[0], trace[0], 1, n);
            kernel(&stimulus, source, delay, driven, &shown[1], v[1], bias[1], rest[1],
                past[1], trace[1], 1, n);
            for (size_t copy = 0; copy < 2; copy++) {
                int32_t *const found = (int32_t *)first_out[copy];
                for (size_t i = 0; i < n; i++) {
                    found[i] = v[copy][i];
                    found[n + i] = (int32_t)past[copy][i];
                    found[2 * n + i] = rest[copy][i] * 256 + trace[copy][i];
                    found[3 * n + i] = bias[copy][i];
                }
            }
            same(first_out, 1, 4 * n);
        }
    }
}

/* Potentials around the threshold, and what comes of them for some ticks. */
static void check_i32_homeostat(void (*kernel)(const int32_t *, int32_t *, int32_t *, int32_t,
                                               uint32_t, int32_t, int32_t, uint32_t, int32_t,
                                               int32_t, size_t))
{
    static int32_t count[MOST], a[2][MOST], theta[2][MOST];

    EACH (n, sizes) {
        for (size_t i = 0; i < n; i++) {
            count[i] = (int32_t)(draw() % 40);
            a[0][i] = a[1][i] = (int32_t)(draw() >> 8);
            theta[0][i] = theta[1][i] = (int32_t)(draw() >> 15) - 4500;
        }
        hil_i32_homeostat__scalar(
            count, a[0], theta[0], 1 << 20, 5, 16777, 100, 17, -4500, 90000, n);
        kernel(count, a[1], theta[1], 1 << 20, 5, 16777, 100, 17, -4500, 90000, n);
        for (size_t copy = 0; copy < 2; copy++) {
            for (size_t i = 0; i < n; i++) {
                first_out[copy][i] = (float)a[copy][i];
                first_out[copy][n + i] = (float)theta[copy][i];
            }
        }
        same(first_out, 1, 2 * n);
    }
}

static void check_i32_liquid(void (*kernel)(int32_t *, int32_t *, const int32_t *, unsigned,
                                            int16_t, int16_t, int16_t *, int16_t *, size_t))
{
    static int32_t v[2][MOST], bias[2][MOST], a[MOST];
    static int16_t spikes[2][MOST], count[2][MOST];

    EACH (n, sizes) {
        for (size_t i = 0; i < n; i++) {
            v[0][i] = v[1][i] = (int32_t)(draw() >> 19) - 4096;
            bias[0][i] = bias[1][i] = (int32_t)(draw() >> 21);
            count[0][i] = count[1][i] = 0;
        }
        for (unsigned tick = 0; tick < 9; tick++) {
            for (size_t i = 0; i < n; i++) {
                a[i] = tick == 8 ? 4096 : (int32_t)(draw() >> 19) - 3000;
            }
            hil_i32_liquid__scalar(v[0], bias[0], a, 3, 900, 1400, spikes[0], count[0], n);
            kernel(v[1], bias[1], a, 3, 900, 1400, spikes[1], count[1], n);
            for (size_t copy = 0; copy < 2; copy++) {
                for (size_t i = 0; i < n; i++) {
                    first_out[copy][i] = (float)v[copy][i];
                    first_out[copy][n + i] = (float)bias[copy][i];
                    first_out[copy][2 * n + i] = (float)spikes[copy][i];
                    first_out[copy][3 * n + i] = (float)count[copy][i];
                }
            }
            same(first_out, 1, 4 * n);
        }
    }
}

static void check_f32_spike(bool (*kernel)(const float *, float, float *, size_t))
{
    EACH (n, sizes) {
        for (size_t bad = 0; bad < 3; bad++) {
            fill(x, n, true);
            x[n / 2] = bad ? float_of(bad == 1 ? 0x7f800000 : 0x7fc00000) : 0.7f;
            fill_outputs(n);
            const bool want = hil_f32_spike__scalar(x, 0.7f, first_out[0], n);
            const bool got = kernel(x, 0.7f, first_out[1], n);
            same_word(want, got, 1, n, 0);
            if (want) { /* else what s holds is of no use */
                same(first_out, 1, n);
            }
        }
    }
}

static void check_f32_bernoulli(void (*kernel)(const float *, uint32_t, float *, size_t))
{
    EACH (n, sizes) {
        const uint32_t first = draw();
        fill(x, n, true);
        fill_outputs(n);
        hil_f32_bernoulli__scalar(x, first, first_out[0], n);
        kernel(x, first, first_out[1], n);
        same(first_out, 1, n);
    }
}

static void check_f32_trace(void (*kernel)(float *, float, const float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill_outputs(n);
        hil_f32_trace__scalar(first_out[0], 0.7f, x, n);
        kernel(first_out[1], 0.7f, x, n);
        same(first_out, 1, n);
    }
}

static void check_f32_spike_grad(bool (*kernel)(const float *, float, float *, size_t))
{
    EACH (n, sizes) {
        for (size_t bad = 0; bad < 3; bad++) {
            fill(x, n, true);
            fill_outputs(n);
            if (bad) {
                first_out[0][n / 2] = float_of(bad == 1 ? 0x7f800000 : 0x7fc00000);
                first_out[1][n / 2] = first_out[0][n / 2];
            }
            const bool want = hil_f32_spike_grad__scalar(x, 0.9f, first_out[0], n);
            const bool got = kernel(x, 0.9f, first_out[1], n);
            same_word(want, got, 1, n, 0);
            if (want) {
                same(first_out, 1, n);
            }
        }
    }
}

static void check_f32_contrast_update(
    void (*kernel)(float *, const float *, const float *, const float *, const float *,
                   float, size_t, size_t))
{
    static float y[WORDS], c[WORDS];

    EACH (n_in, row_counts) {
        EACH_WIDTH (n_out, n_in) {
            fill(x, n_in, true);
            fill(y, n_in, true);
            fill(b, n_out, true);
            fill(c, n_out, true);
            x[n_in / 2] = 0.0f;
            y[n_in / 3] = -0.0f;
            fill_outputs(n_in * n_out);
            hil_f32_contrast_update__scalar(first_out[0], x, b, y, c, 0.03f, n_in, n_out);
            kernel(first_out[1], x, b, y, c, 0.03f, n_in, n_out);
            same(first_out, n_in, n_out);
        }
    }
}

static void check_f32_bounded_update(
    void (*kernel)(float *, float *, const float *, const float *, float, float, float,
                   size_t, size_t))
{
    EACH (n_in, row_counts) {
        EACH_WIDTH (n_out, n_in) {
            fill(x, n_in, true);
            fill(b, n_out, true);
            x[n_in / 2] = 0.0f;
            x[n_in / 3] = -0.0f;
            fill_outputs(n_in * n_out);
            hil_f32_bounded_update__scalar(
                first_out[0], second_out[0], x, b, 0.3f, 0.7f, 1.5f, n_in, n_out);
            kernel(first_out[1], second_out[1], x, b, 0.3f, 0.7f, 1.5f, n_in, n_out);
            same(first_out, n_in, n_out);
            same(second_out, 1, n_out);
        }
    }
}

static void check_f32_sigmoidal(void (*kernel)(const float *, const float *, float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill(b, n, true);
        hil_f32_clip__scalar(x, 1.0f, n);
        fill_outputs(n);
        hil_f32_sigmoidal__scalar(x, b, first_out[0], n);
        kernel(x, b, first_out[1], n);
        same(first_out, 1, n);
    }
}

static void check_f32_max_abs(float (*kernel)(const float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        same_word(word_of(hil_f32_max_abs__scalar(x, n)), word_of(kernel(x, n)), 1, n, 0);
    }
}

static void check_f32_gate_rows(
    size_t (*kernel)(float **, float *, size_t, float, float, float))
{
    static const float taus[] = {1e-9f, 0.01f, 0.1f, 1e3f};

    EACH (tau, taus) {
        EACH (n, sizes) {
            fill_outputs(n);
            fill(first_out[0], n, true);
            for (size_t k = 0; k < n; k++) {
                first_out[1][k] = first_out[0][k];
                listed[0][k] = listed[1][k] = w + 3 * k;
            }
            const size_t want =
                hil_f32_gate_rows__scalar(listed[0], first_out[0], n, 0.03f, 0.7f, tau);
            const size_t got = kernel(listed[1], first_out[1], n, 0.03f, 0.7f, tau);
            same_list(want, got, listed, n);
        }
    }
}

static void check_f32_listed_masked_update(
    size_t (*kernel)(float *const *, float *, size_t, float *, const float *, const float *,
                     float, float, size_t))
{
    static float values[2][MANY];

    EACH_COUNT (count) {
        EACH_WIDTH (n_out, count) {
            fill(b, n_out, true);
            hil_f32_block_max__scalar(b, x, count % 2 ? 8 : 1, n_out);
            fill(values[0], count, true);
            fill_outputs(count * n_out);
            for (size_t k = 0; k < count; k++) {
                values[1][k] = values[0][k];
                listed[0][k] = first_out[0] + k * n_out;
                listed[1][k] = first_out[1] + k * n_out;
            }
            const size_t want = hil_f32_listed_masked_update__scalar(
                listed[0], values[0], count, second_out[0], b, x, 0.03f, 0.1f, n_out);
            const size_t got = kernel(
                listed[1], values[1], count, second_out[1], b, x, 0.03f, 0.1f, n_out);
            same_word((uint32_t)want, (uint32_t)got, count, n_out, n_out);
            same(first_out, count, n_out);
            same(second_out, 1, n_out);
        }
    }
}

static void check_f32_block_max(void (*kernel)(const float *, float *, size_t, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill_outputs(n);
        hil_f32_block_max__scalar(x, first_out[0], 8, n);
        kernel(x, first_out[1], 8, n);
        same(first_out, 1, n);
    }
}

static void check_f32_controlled(float (*kernel)(float, size_t, size_t, float, float))
{
    EACH (n, sizes) {
        const float want = hil_f32_controlled__scalar(0.01f, n, MOST, 0.25f, 0.4f);
        same_word(word_of(want), word_of(kernel(0.01f, n, MOST, 0.25f, 0.4f)), 1, n, 0);
    }
}

static void check_f32_dot(float (*kernel)(const float *, const float *, size_t))
{
    EACH (n, sizes) {
        fill(x, n, true);
        fill(b, n, true);
        const float want = hil_f32_dot__scalar(x, b, n), got = kernel(x, b, n);
        same_word(want != want ? 0 : word_of(want), got != got ? 0 : word_of(got), 1, n, 0);
    }
}

#define PERTURB(name) \
    static void check_##name( \
        void (*kernel)(uint32_t, uint32_t, uint32_t, float, const float *, float *, size_t)) \
    { \
        EACH (n, sizes) { \
            const uint32_t seed = draw(), row = draw() % 100; \
            fill(x, n, true); \
            fill_outputs(n); \
            hil_##name##__scalar(seed, 111, row, 0.3f, x, first_out[0], n); \
            kernel(seed, 111, row, 0.3f, x, first_out[1], n); \
            same(first_out, 1, n); \
            hil_##name##__scalar(seed, 111, row, -1.0f, NULL, first_out[0], n); \
            kernel(seed, 111, row, -1.0f, NULL, first_out[1], n); \
            same(first_out, 1, n); \
        } \
    }
PERTURB(f32_rademacher)
PERTURB(f32_gaussian)

#define JVP(name) \
    static void check_##name( \
        void (*kernel)(uint32_t, uint32_t, const float *, const float *, const float *, \
                       const float *, float *, float *, size_t, size_t)) \
    { \
        static float t[MANY]; \
        for (uint32_t moving = 0; moving < 2; moving++) { \
            EACH (n_in, row_counts) { \
                EACH_WIDTH (n_out, n_in) { \
                    const uint32_t seed = draw(); \
                    fill(w, n_in * n_out, true); \
                    fill(b, n_out, true); \
                    fill(x, n_in, true); \
                    fill(t, n_in, true); \
                    for (size_t i = 0; i < n_in * n_out; i++) { \
                        w[i] = w[i] * 0x1p-100f; /* or sums may be NaN */ \
                    } \
                    fill_outputs(n_out); \
                    hil_##name##__scalar(seed, 111, w, b, x, moving ? t : NULL, \
                                         first_out[0], second_out[0], n_in, n_out); \
                    kernel(seed, 111, w, b, x, moving ? t : NULL, \
                           first_out[1], second_out[1], n_in, n_out); \
                    same(first_out, 1, n_out); \
                    same(second_out, 1, n_out); \
                } \
            } \
        } \
    }
JVP(f32_jvp_rademacher)
JVP(f32_jvp_gaussian)

#include "integers.h"
#include "spiking.h"
#include "played.h"

int main(void)
{
#define ROW(kernel, symbol) \
    variant = #symbol; \
    check_##kernel(symbol);
#include "rows.h"
    print("same ");
    print_number(compared, 10);
    print("\n");
    return 0;
}
