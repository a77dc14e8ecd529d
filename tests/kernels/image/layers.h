/* Checks of the kernels of float32's dense layers, forward, backward and updated: part of
 * checks.c. */
#ifndef LAYERS_H
#define LAYERS_H

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

#endif
