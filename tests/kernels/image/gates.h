/* Checks of bounded and gated updates, and of random directions: part of checks.c. */
#ifndef GATES_H
#define GATES_H

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

#endif
