/* Checks of outputs with their losses, of drawn words, digests and class means: part of
 * checks.c. */
#ifndef OUTPUTS_H
#define OUTPUTS_H

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

#endif
