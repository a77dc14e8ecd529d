/* Checks of the integer formats' kernels: part of checks.c. Weights lie at their limits
 * often, inputs and deltas too, and sums come as near to 32 bits as plans let them. More
 * than 400 lines because every kernel of integers has its check here. */
#ifndef INTEGERS_H
#define INTEGERS_H

enum { WIDEST = 512, CELLS = 20000, SUM = 0x7ff00000 };

static const size_t widths[] = {1, 7, 10, 16, 33, 64, 100, 128, 130, 256, 300, WIDEST};
static const size_t depths[] = {1, 2, 9, 10, 65, 300, 784};
static const float rates[] = {0.0f, 0.03f, 1.0f, 0.12f, 0.9f, 0x1.fep-9f, 0x1p-14f, 1e-9f};

/* Shapes that fit the buffers below. */
#define EACH_SHAPE(n_in, n_out) \
    EACH (n_in, depths) \
        EACH (n_out, widths) \
            if (n_in * n_out <= CELLS)

static int8_t signals[WIDEST + MANY], deltas[WIDEST + MANY];
static int32_t totals[2][WIDEST + GUARD];
static int8_t stored[2][WIDEST + MANY + GUARD];
/* What the scalar kernel (0) and the variant (1) read and write, of either width. */
static int16_t weights_i16[2][CELLS + GUARD], biases_i16[2][WIDEST + GUARD];
static int8_t weights_i8[2][CELLS + GUARD], biases_i8[2][WIDEST + GUARD];

static int32_t draw_within(int32_t most)
{
    const uint32_t kind = draw() % 8;

    if (kind < 2) {
        return kind == 0 ? most : -most;
    }
    return (int32_t)(draw() % ((uint32_t)most + 1)) * (kind % 2 == 0 ? 1 : -1);
}

/* Signals of which a share of quarters is not zero; `most` is their magnitude. */
static void fill_signals(int8_t *v, size_t n, uint32_t share, int32_t most)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t value = draw_within(most);
        v[i] = (int8_t)(draw() % 4 < share ? value == 0 ? 1 : value : 0);
    }
}

static void same_totals(size_t rows, size_t n)
{
    for (size_t j = 0; j < n + GUARD; j++) {
        same_word((uint32_t)totals[0][j], (uint32_t)totals[1][j], rows, n, j);
    }
}

static void same_stored(size_t rows, size_t n)
{
    for (size_t j = 0; j < n + GUARD; j++) {
        same_word((uint32_t)stored[0][j], (uint32_t)stored[1][j], rows, n, j);
    }
}

static void clear_totals(void)
{
    for (size_t j = 0; j < WIDEST + GUARD; j++) {
        totals[0][j] = totals[1][j] = 0x55;
    }
}

static void clear_stored(void)
{
    for (size_t j = 0; j < sizeof stored[0]; j++) {
        stored[0][j] = stored[1][j] = 0x55;
    }
}

/* The largest weight with which no sum leaves 32 bits, as plans choose it. */
static int32_t most_of(size_t n_in, size_t n_out, int32_t type)
{
    const size_t terms = 127 * n_in + 128 > 127 * n_out ? 127 * n_in + 128 : 127 * n_out;
    const size_t most = SUM / terms;

    return most < (size_t)type ? (int32_t)most : type;
}

#define WEIGHTS(bits, type) \
    static void fill_i##bits(int##bits##_t v[2][CELLS + GUARD], size_t n, int32_t most) \
    { \
        for (size_t i = 0; i < n + GUARD; i++) { \
            v[0][i] = v[1][i] = (int##bits##_t)draw_within(most); \
        } \
    } \
    static void check_i##bits##_dense_forward( \
        void (*kernel)(const int##bits##_t *, const int##bits##_t *, const int8_t *, \
                       int32_t *, size_t, size_t)) \
    { \
        EACH_SHAPE (n_in, n_out) { \
            for (uint32_t share = 0; share <= 5; share++) { \
                const int32_t most = most_of(n_in, n_out, type); \
                fill_i##bits(weights_i##bits, n_in * n_out, share == 5 ? 1 : most); \
                fill_signals(signals, n_in, share, 127); \
                for (size_t j = 0; j < n_out; j++) { \
                    biases_i##bits[0][j] = (int##bits##_t)draw_within(most); \
                } \
                for (size_t i = 0; share == 5 && i < n_in * n_out; i++) { \
                    weights_i##bits[0][i] = (int##bits##_t)(i % 2 ? most : -most); \
                    signals[i / n_out] = 127; /* the largest sums */ \
                } \
                clear_totals(); \
                hil_i##bits##_dense_forward__scalar( \
                    weights_i##bits[0], biases_i##bits[0], signals, totals[0], n_in, n_out); \
                kernel(weights_i##bits[0], biases_i##bits[0], signals, totals[1], n_in, n_out); \
                same_totals(n_in, n_out); \
            } \
        } \
    } \
    static void check_i##bits##_feedback_stored( \
        void (*kernel)(const int##bits##_t *, const int8_t *, int32_t *, size_t, size_t)) \
    { \
        EACH_SHAPE (n_in, n_out) { \
            fill_i##bits(weights_i##bits, n_in * n_out, most_of(n_in, n_out, type)); \
            fill_signals(signals, n_in, 1 + draw() % 4, 127); \
            clear_totals(); \
            hil_i##bits##_feedback_stored__scalar( \
                weights_i##bits[0], signals, totals[0], n_in, n_out); \
            kernel(weights_i##bits[0], signals, totals[1], n_in, n_out); \
            same_totals(n_in, n_out); \
        } \
    } \
    static void check_i##bits##_dense_backward( \
        void (*kernel)(const int##bits##_t *, const int8_t *, unsigned, int8_t *, size_t, \
                       size_t)) \
    { \
        EACH_SHAPE (n_in, n_out) { \
            clear_stored(); \
            fill_i##bits(weights_i##bits, n_in * n_out, most_of(n_in, n_out, type)); \
            fill_signals(deltas, n_out, 1 + draw() % 4, draw() % 2 ? 127 : 2); \
            const unsigned fraction = 2 + draw() % (bits - 2); \
            hil_i##bits##_dense_backward__scalar( \
                weights_i##bits[0], deltas, fraction, stored[0], n_in, n_out); \
            kernel(weights_i##bits[0], deltas, fraction, stored[1], n_in, n_out); \
            same_stored(n_out, n_in); \
        } \
    } \
    static void update_i##bits( \
        void (*kernel)(int##bits##_t *, int##bits##_t *, const int8_t *, const int8_t *, float, \
                       unsigned, int32_t, size_t, size_t), \
        size_t n_in, size_t n_out, float eta) \
    { \
        const int32_t limit = most_of(n_in, n_out, type); \
        const int32_t most = draw() % 2 ? limit : (limit + 1) / 2; \
        const unsigned fraction = bits - 4 + draw() % 5; \
        fill_i##bits(weights_i##bits, n_in * n_out, most); \
        fill_signals(signals, n_in, 1 + draw() % 4, 127); \
        fill_signals(deltas, n_out, draw() % 5, draw() % 2 ? 127 : 2); \
        for (size_t j = 0; j < n_out + GUARD; j++) { \
            biases_i##bits[0][j] = biases_i##bits[1][j] = (int##bits##_t)draw_within(most); \
        } \
        hil_i##bits##_dense_update__scalar(weights_i##bits[0], biases_i##bits[0], signals, \
            deltas, eta, fraction, most, n_in, n_out); \
        kernel(weights_i##bits[1], biases_i##bits[1], signals, deltas, eta, fraction, most, \
               n_in, n_out); \
        for (size_t j = 0; j < n_out + GUARD; j++) { \
            same_word((uint32_t)biases_i##bits[0][j], (uint32_t)biases_i##bits[1][j], 1, n_out, \
                      j); \
        } \
        for (size_t i = 0; i < n_in * n_out + GUARD; i++) { \
            same_word((uint32_t)weights_i##bits[0][i], (uint32_t)weights_i##bits[1][i], n_in, \
                      n_out, i); \
        } \
    } \
    static void check_i##bits##_dense_update( \
        void (*kernel)(int##bits##_t *, int##bits##_t *, const int8_t *, const int8_t *, float, \
                       unsigned, int32_t, size_t, size_t)) \
    { \
        EACH_SHAPE (n_in, n_out) { \
            for (size_t k = 0; k < sizeof rates / sizeof *rates; k++) { \
                update_i##bits(kernel, n_in, n_out, rates[k]); \
            } \
        } \
    } \
    static void check_i##bits##_uniform( \
        void (*kernel)(uint32_t, uint32_t, int32_t, int32_t, int##bits##_t *, size_t)) \
    { \
        EACH (n, widths) { \
            const uint32_t seed = draw(); \
            fill_i##bits(weights_i##bits, n, 5); \
            hil_i##bits##_uniform__scalar(seed, 3, type / 3, type / 4, weights_i##bits[0], n); \
            kernel(seed, 3, type / 3, type / 4, weights_i##bits[1], n); \
            for (size_t i = 0; i < n + GUARD; i++) { \
                same_word((uint32_t)weights_i##bits[0][i], (uint32_t)weights_i##bits[1][i], 1, \
                          n, i); \
            } \
        } \
    }
WEIGHTS(16, 32767)
WEIGHTS(8, 127)

#define TO_I8(name, type, factor, shift) \
    static void check_##name(void (*kernel)(const type *, int32_t, unsigned, int8_t *, size_t)) \
    { \
        static type v[WIDEST]; \
        EACH (n, widths) { \
            for (size_t i = 0; i < n; i++) { \
                v[i] = (type)(draw() >> 7); \
            } \
            v[0] = (type)(1 << (8 * sizeof *v - 1)); \
            clear_stored(); \
            hil_##name##__scalar(v, factor, shift, stored[0], n); \
            kernel(v, factor, shift, stored[1], n); \
            same_stored(1, n); \
            hil_##name##__scalar(v, 3, 0, stored[0], n); \
            kernel(v, 3, 0, stored[1], n); \
            same_stored(1, n); \
        } \
    }
TO_I8(u8_to_i8, uint8_t, 2105376, 22)
TO_I8(i16_to_i8, int16_t, 16320, 21)

#define SIGNAL(name) \
    static void check_##name(void (*kernel)(const int32_t *, unsigned, int8_t *, size_t)) \
    { \
        EACH (n, widths) { \
            for (unsigned fraction = 11; fraction <= 22; fraction++) { \
                for (size_t j = 0; j < n; j++) { \
                    totals[0][j] = draw() % 4 ? (int32_t)draw() >> (30 - fraction) \
                                              : draw_within(SUM); \
                } \
                clear_stored(); \
                hil_##name##__scalar(totals[0], fraction, stored[0], n); \
                kernel(totals[0], fraction, stored[1], n); \
                same_stored(fraction, n); \
            } \
        } \
    }
SIGNAL(i32_tanh)
SIGNAL(i32_hard_tanh)

/* Potentials near a threshold of 3000, near zero and at their limits, and spikes. */
static void fill_cells(size_t n)
{
    for (size_t j = 0; j < n; j++) {
        const int32_t odd = draw() % 2 ? 0x3fffffff : -0x3fffffff;
        const int32_t near = draw_within(3000) + (draw() % 2 ? 3000 : 0);
        totals[0][j] = totals[1][j] = draw() % 4 ? near : odd;
        signals[j] = draw() % 2 ? 127 : 0;
    }
}

static void check_i32_charge(void (*kernel)(int32_t *, const int8_t *, const int32_t *, int32_t,
                                            unsigned, size_t))
{
    static int32_t came[WIDEST];

    EACH (n, widths) {
        for (unsigned leak = 0; leak < 2; leak++) {
            clear_totals();
            fill_cells(n);
            for (size_t j = 0; j < n; j++) {
                came[j] = draw() % 4 ? draw_within(9000) : draw() % 2 ? SUM : -SUM;
            }
            const int8_t *const s = leak ? signals : NULL;
            hil_i32_charge__scalar(totals[0], s, came, 3000, leak, n);
            kernel(totals[1], s, came, 3000, leak, n);
            same_totals(1, n);
        }
    }
}

static void check_i32_spike(void (*kernel)(const int32_t *, int32_t, int8_t *, size_t))
{
    EACH (n, widths) {
        clear_stored();
        fill_cells(n);
        hil_i32_spike__scalar(totals[0], 3000, stored[0], n);
        kernel(totals[0], 3000, stored[1], n);
        same_stored(1, n);
    }
}

static void check_i32_share(void (*kernel)(int32_t *, const int32_t *, unsigned, size_t))
{
    static int32_t u[WIDEST];

    EACH (n, widths) {
        clear_totals();
        for (size_t j = 0; j < n; j++) {
            u[j] = draw_within(0x3fffffff);
        }
        hil_i32_share__scalar(totals[0], u, 3, n);
        kernel(totals[1], u, 3, n);
        same_totals(1, n);
    }
}

static void check_i32_rademacher(
    void (*kernel)(uint32_t, uint32_t, uint32_t, int32_t, const int32_t *, int32_t *, size_t))
{
    static int32_t x[WIDEST];

    EACH (n, widths) {
        const uint32_t seed = draw(), row = draw() % 100;
        for (size_t j = 0; j < n; j++) {
            x[j] = draw_within(0x3fffffff);
        }
        for (uint32_t with = 0; with < 2; with++) {
            clear_totals();
            hil_i32_rademacher__scalar(seed, 111, row, 0x3fffffff, with ? x : NULL, totals[0], n);
            kernel(seed, 111, row, 0x3fffffff, with ? x : NULL, totals[1], n);
            same_totals(1, n);
        }
    }
}

static void check_i8_dot(int32_t (*kernel)(const int8_t *, const int8_t *, size_t))
{
    EACH (n, widths) {
        for (uint32_t share = 1; share < 5; share++) {
            fill_signals(signals, n, share, 127);
            fill_signals(deltas, n, 4, 127);
            same_word((uint32_t)hil_i8_dot__scalar(signals, deltas, n),
                      (uint32_t)kernel(signals, deltas, n), 1, n, 0);
        }
    }
}

static void check_i8_trace(void (*kernel)(int8_t *, const int8_t *, size_t))
{
    EACH (n, widths) {
        clear_stored();
        fill_signals(signals, n, 3, 127);
        for (size_t j = 0; j < n; j++) {
            stored[0][j] = stored[1][j] = (int8_t)draw_within(127);
        }
        hil_i8_trace__scalar(stored[0], signals, n);
        kernel(stored[1], signals, n);
        same_stored(1, n);
    }
}

static void check_i32_spike_grad(
    void (*kernel)(const int32_t *, int32_t, unsigned, int8_t *, size_t))
{
    EACH (n, widths) {
        clear_stored();
        fill_cells(n);
        for (size_t j = 0; j < n; j++) {
            stored[0][j] = stored[1][j] = (int8_t)draw_within(127);
        }
        hil_i32_spike_grad__scalar(totals[0], 3000, 11, stored[0], n);
        kernel(totals[0], 3000, 11, stored[1], n);
        same_stored(1, n);
    }
}

static void check_i8_bernoulli(void (*kernel)(const int8_t *, uint32_t, int8_t *, size_t))
{
    EACH (n, widths) {
        const uint32_t first = draw();
        clear_stored();
        fill_signals(signals, n, 3, 127);
        hil_i8_bernoulli__scalar(signals, first, stored[0], n);
        kernel(signals, first, stored[1], n);
        same_stored(1, n);
    }
}

static void check_i8_latency(void (*kernel)(const int8_t *, int32_t, int32_t, int8_t *, size_t))
{
    EACH (n, widths) {
        for (int32_t tick = 0; tick < 8; tick++) {
            clear_stored();
            fill_signals(signals, n, 3, 127);
            hil_i8_latency__scalar(signals, tick, 7, stored[0], n);
            kernel(signals, tick, 7, stored[1], n);
            same_stored(1, n);
        }
    }
}

static void check_i8_tanh_grad(void (*kernel)(const int8_t *, int8_t *, size_t))
{
    for (int32_t h = -127; h <= 127; h++) { /* with every delta */
        for (size_t j = 0; j < 256 + GUARD; j++) {
            signals[j] = (int8_t)h;
            stored[0][j] = stored[1][j] = (int8_t)(j < 255 ? (int32_t)j - 127 : 1);
        }
        hil_i8_tanh_grad__scalar(signals, stored[0], 255);
        kernel(signals, stored[1], 255);
        same_stored(1, 255);
    }
}

static void check_i8_feedback_signs(
    void (*kernel)(uint32_t, uint32_t, int32_t, unsigned, const int8_t *, int8_t *, size_t,
                   size_t))
{
    static const size_t errors[] = {1, 10, 128, 300};

    EACH (n_err, errors) {
        EACH (n, widths) {
            const uint32_t seed = draw();
            clear_stored();
            fill_signals(deltas, n_err, 4, 127);
            hil_i8_feedback_signs__scalar(seed, 5, 181, 9, deltas, stored[0], n_err, n);
            kernel(seed, 5, 181, 9, deltas, stored[1], n_err, n);
            same_stored(n_err, n);
        }
    }
    clear_stored(); /* rows that the words at hand do not hold */
    fill_signals(deltas, 2, 4, 127);
    static int8_t wide[2][2100];
    hil_i8_feedback_signs__scalar(1, 5, 181, 9, deltas, wide[0], 2, sizeof wide[0]);
    kernel(1, 5, 181, 9, deltas, wide[1], 2, sizeof wide[0]);
    for (size_t j = 0; j < sizeof wide[0]; j++) {
        same_word((uint32_t)wide[0][j], (uint32_t)wide[1][j], 2, sizeof wide[0], j);
    }
}

static void check_i8_ternary(void (*kernel)(const int8_t *, int8_t *, int32_t, size_t))
{
    static const int32_t thresholds[] = {1, 32, 127, 128, 300};

    EACH (n, widths) {
        for (size_t k = 0; k < sizeof thresholds / sizeof *thresholds; k++) {
            clear_stored();
            fill_signals(signals, n, 3, 127);
            hil_i8_ternary__scalar(signals, stored[0], thresholds[k], n);
            kernel(signals, stored[1], thresholds[k], n);
            same_stored(1, n);
        }
    }
}

static void check_i8_max_abs(int32_t (*kernel)(const int8_t *, size_t))
{
    EACH (n, widths) {
        for (uint32_t share = 0; share <= 4; share++) {
            fill_signals(signals, n, share, n % 2 ? 127 : 5);
            const int32_t want = hil_i8_max_abs__scalar(signals, n);
            same_word((uint32_t)want, (uint32_t)kernel(signals, n), share, n, 0);
        }
    }
}

static void check_i8_target(void (*kernel)(int8_t *, uint32_t, int32_t, size_t))
{
    EACH (n, widths) {
        clear_stored();
        hil_i8_target__scalar(stored[0], (uint32_t)n / 2, 127, n);
        kernel(stored[1], (uint32_t)n / 2, 127, n);
        same_stored(1, n);
    }
}

static void check_i32_sigmoid_bce(
    float (*kernel)(const int32_t *, uint32_t, unsigned, float *, int8_t *, size_t))
{
    EACH (n, widths) {
        for (unsigned fraction = 11; fraction <= 22; fraction++) {
            for (size_t j = 0; j < n; j++) {
                totals[0][j] = draw() % 4 ? (int32_t)draw() >> (29 - fraction)
                                          : draw_within(SUM);
            }
            clear_stored();
            fill_outputs(n);
            const uint32_t label = draw() % (uint32_t)n;
            float *const p[2] = {draw() % 4 ? first_out[0] : NULL, first_out[1]};
            int8_t *const e[2] = {draw() % 4 ? stored[0] : NULL, stored[1]};
            const float want =
                hil_i32_sigmoid_bce__scalar(totals[0], label, fraction, p[0], e[0], n);
            const float got = kernel(totals[0], label, fraction, p[0] == NULL ? NULL : p[1],
                                     e[0] == NULL ? NULL : e[1], n);
            same_word(word_of(want), word_of(got), fraction, n, n);
            same(first_out, 1, n);
            same_stored(fraction, n);
        }
    }
}

#endif
