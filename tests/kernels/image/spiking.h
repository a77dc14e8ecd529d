/* Checks of the kernels of cells that spike: part of checks.c. Equal potentials are
 * frequent, traces full, and so are lists. */
#ifndef SPIKING_H
#define SPIKING_H

static uint8_t samples[WIDEST + MANY + GUARD], traces[2][WIDEST + MANY + GUARD];
static uint16_t lists[2][WIDEST + MANY + GUARD];
static int32_t synapses_i32[2][CELLS + GUARD], potentials[2][WIDEST + GUARD];

static void fill_bytes(uint8_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = (uint8_t)(draw() % 4 == 0 ? 255 : draw());
    }
}

/* About half of n inputs, ascending. */
static size_t fill_list(uint16_t *active, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        active[count] = (uint16_t)i;
        count += draw() % 2;
    }
    return count;
}

/* Both have the same, from zero to most. */
static void fill_both_i16(int16_t out[2][CELLS + GUARD], size_t n, uint32_t most)
{
    for (size_t i = 0; i < n; i++) {
        out[0][i] = out[1][i] = (int16_t)(draw() % (most + 1));
    }
}

static void fill_both_i32(int32_t *first, int32_t *second, size_t n, uint32_t most)
{
    for (size_t i = 0; i < n; i++) {
        first[i] = second[i] = (int32_t)(draw() % (most + 1));
    }
}

static void check_u8_poisson(size_t (*kernel)(const uint8_t *, uint32_t, uint32_t, uint32_t,
                                              uint16_t *, size_t))
{
    EACH (n, widths) {
        for (uint32_t chance = 8; chance <= 16; chance += 4) {
            for (size_t i = 0; i < n; i++) {
                samples[i] = (uint8_t)(draw() % 17);
            }
            const uint32_t shift = chance == 12, first = draw();
            for (size_t i = 0; i < n + GUARD; i++) {
                lists[0][i] = lists[1][i] = 7;
            }
            const size_t want = hil_u8_poisson__scalar(samples, chance, shift, first, lists[0], n);
            const size_t got = kernel(samples, chance, shift, first, lists[1], n);
            same_word((uint32_t)want, (uint32_t)got, 1, n, 0);
            for (size_t i = 0; i < want; i++) {
                same_word(lists[0][i], lists[1][i], 1, n, i);
            }
            for (size_t i = n; i < n + GUARD; i++) {
                same_word(7, lists[1][i], 1, n, i);
            }
        }
    }
}

static void check_i16_integrate(void (*kernel)(const int16_t *, const uint16_t *, size_t, uint32_t,
                                               int32_t *, size_t, size_t))
{
    EACH_SHAPE (n_in, n_out) {
        fill_both_i16(weights_i16, n_in * n_out, 1 << 14);
        fill_both_i32(potentials[0], potentials[1], n_out + GUARD, INT32_MAX);
        const size_t count = fill_list(lists[0], n_in);
        hil_i16_integrate__scalar(weights_i16[0], lists[0], count, 6, potentials[0], n_in, n_out);
        kernel(weights_i16[0], lists[0], count, 6, potentials[1], n_in, n_out);
        for (size_t j = 0; j < n_out + GUARD; j++) {
            same_word((uint32_t)potentials[0][j], (uint32_t)potentials[1][j], n_in, n_out, j);
        }
    }
}

static void check_u8_spike_trace(void (*kernel)(uint8_t *, uint32_t, const uint16_t *, size_t,
                                                uint32_t, size_t))
{
    EACH (n, widths) {
        for (size_t listed = 0; listed < 2; listed++) {
            const size_t count = listed ? fill_list(lists[0], n) : 0;
            fill_bytes(traces[0], n + GUARD);
            for (size_t j = 0; j < n + GUARD; j++) {
                traces[1][j] = traces[0][j];
            }
            hil_u8_spike_trace__scalar(traces[0], 4, listed ? lists[0] : NULL, count, 128, n);
            kernel(traces[1], 4, listed ? lists[0] : NULL, count, 128, n);
            for (size_t j = 0; j < n + GUARD; j++) {
                same_word(traces[0][j], traces[1][j], 1, n, j);
            }
        }
    }
}

static void check_i32_winner(size_t (*kernel)(const int32_t *, const int32_t *, int32_t, size_t))
{
    EACH (n, widths) {
        for (size_t turn = 0; turn < 20; turn++) {
            /* few values, so that the largest is there more than once, or not enough */
            /* or what no cell comes to, whose differences wrap */
            fill_both_i32(potentials[0], potentials[1], n,
                          turn < 10 ? 3 : turn < 15 ? 100 : INT32_MAX);
            for (size_t j = 0; j < n; j++) {
                potentials[1][j] = (int32_t)(turn < 15 ? draw() % 4 : draw());
            }
            const int32_t least = (int32_t)(draw() % 7) - 3;
            const size_t want = hil_i32_winner__scalar(potentials[0], potentials[1], least, n);
            same_word((uint32_t)want, (uint32_t)kernel(potentials[0], potentials[1], least, n), 1,
                      n, 0);
        }
    }
}

/* The columns of w that are tried: the first, one within, the last. */
#define EACH_CELL(cell, n_out) \
    for (size_t cell = 0; cell < n_out; cell += cell == 0 ? (n_out + 1) / 2 : n_out)

static void check_i16_potentiate(void (*kernel)(int16_t *, size_t, const uint8_t *, uint32_t,
                                                int32_t, size_t, size_t))
{
    EACH_SHAPE (n_in, n_out) {
        EACH_CELL (cell, n_out) {
            fill_both_i16(weights_i16, n_in * n_out + GUARD, 4095);
            fill_bytes(samples, n_in);
            hil_i16_potentiate__scalar(weights_i16[0], cell, samples, 255, 4095, n_in, n_out);
            kernel(weights_i16[1], cell, samples, 255, 4095, n_in, n_out);
            for (size_t k = 0; k < n_in * n_out + GUARD; k++) {
                same_word((uint32_t)weights_i16[0][k], (uint32_t)weights_i16[1][k], n_in, n_out, k);
            }
        }
    }
}

static void check_i32_potentiate(void (*kernel)(int32_t *, size_t, const uint8_t *, uint32_t,
                                                int32_t, size_t, size_t))
{
    EACH_SHAPE (n_in, n_out) {
        EACH_CELL (cell, n_out) {
            fill_both_i32(synapses_i32[0], synapses_i32[1], n_in * n_out + GUARD, 1 << 20);
            fill_bytes(samples, n_in);
            hil_i32_potentiate__scalar(synapses_i32[0], cell, samples, 64, 1 << 20, n_in, n_out);
            kernel(synapses_i32[1], cell, samples, 64, 1 << 20, n_in, n_out);
            for (size_t k = 0; k < n_in * n_out + GUARD; k++) {
                same_word((uint32_t)synapses_i32[0][k], (uint32_t)synapses_i32[1][k], n_in, n_out,
                          k);
            }
        }
    }
}

static void check_i16_normalise(void (*kernel)(int16_t *, size_t, uint32_t, uint32_t, size_t,
                                               size_t))
{
    EACH_SHAPE (n_in, n_out) {
        fill_both_i16(weights_i16, n_in * n_out, n_in > 1 ? 4095 : 0);
        hil_i16_normalise__scalar(weights_i16[0], n_out / 2, 14, 0, n_in, n_out);
        kernel(weights_i16[1], n_out / 2, 14, 0, n_in, n_out);
        for (size_t k = 0; k < n_in * n_out; k++) {
            same_word((uint32_t)weights_i16[0][k], (uint32_t)weights_i16[1][k], n_in, n_out, k);
        }
    }
}

static void check_i32_normalise(void (*kernel)(int32_t *, size_t, uint32_t, uint32_t, size_t,
                                               size_t))
{
    EACH_SHAPE (n_in, n_out) {
        fill_both_i32(synapses_i32[0], synapses_i32[1], n_in * n_out, (1 << 18) - 1);
        hil_i32_normalise__scalar(synapses_i32[0], n_out / 2, 16, 65536, n_in, n_out);
        kernel(synapses_i32[1], n_out / 2, 16, 65536, n_in, n_out);
        for (size_t k = 0; k < n_in * n_out; k++) {
            same_word((uint32_t)synapses_i32[0][k], (uint32_t)synapses_i32[1][k], n_in, n_out, k);
        }
    }
}

static void check_i32_heard(void (*kernel)(int32_t *, const uint8_t *, uint32_t, int32_t *,
                                           size_t))
{
    EACH (n, widths) {
        for (size_t taught = 0; taught < 2; taught++) {
            fill_both_i32(synapses_i32[0], synapses_i32[1], n, 1 << 20);
            fill_both_i32(potentials[0], potentials[1], n, 1 << 20);
            fill_bytes(samples, n);
            const uint8_t *const t = taught ? samples : NULL;
            hil_i32_heard__scalar(synapses_i32[0], t, 64, potentials[0], n);
            kernel(synapses_i32[1], t, 64, potentials[1], n);
            for (size_t j = 0; j < n; j++) {
                same_word((uint32_t)synapses_i32[0][j], (uint32_t)synapses_i32[1][j], 1, n, j);
                same_word((uint32_t)potentials[0][j], (uint32_t)potentials[1][j], 1, n, j);
            }
        }
    }
}

static void check_i32_vote(void (*kernel)(int32_t *, uint32_t, int32_t, int32_t *, size_t))
{
    EACH (n, widths) {
        fill_both_i32(synapses_i32[0], synapses_i32[1], n, n > 1 ? 3 : 0);
        fill_both_i32(potentials[0], potentials[1], n, 1 << 20);
        hil_i32_vote__scalar(synapses_i32[0], (uint32_t)n / 2, 1, potentials[0], n);
        kernel(synapses_i32[1], (uint32_t)n / 2, 1, potentials[1], n);
        for (size_t j = 0; j < n; j++) {
            same_word((uint32_t)synapses_i32[0][j], (uint32_t)synapses_i32[1][j], 1, n, j);
            same_word((uint32_t)potentials[0][j], (uint32_t)potentials[1][j], 1, n, j);
        }
    }
}

static void check_i32_fade(void (*kernel)(int32_t *, uint32_t, size_t))
{
    EACH (n, widths) {
        fill_both_i32(potentials[0], potentials[1], n, 1 << 20);
        hil_i32_fade__scalar(potentials[0], 10, n);
        kernel(potentials[1], 10, n);
        for (size_t j = 0; j < n; j++) {
            same_word((uint32_t)potentials[0][j], (uint32_t)potentials[1][j], 1, n, j);
        }
    }
}

static void check_i32_most_current(float (*kernel)(const int32_t *, uint32_t, float *, size_t))
{
    EACH (n, widths) {
        fill_both_i32(potentials[0], potentials[1], n, 3);
        const uint32_t label = draw() % (uint32_t)n;
        const float want = hil_i32_most_current__scalar(potentials[0], label, first_out[0], n);
        const float got = kernel(potentials[0], label, first_out[1], n);
        same_word(word_of(want), word_of(got), 1, n, 0);
        for (size_t j = 0; j < n; j++) {
            same_word(word_of(first_out[0][j]), word_of(first_out[1][j]), 1, n, j);
        }
    }
}

static void check_u8_response(void (*kernel)(const uint8_t *, const uint8_t *, int32_t *, size_t,
                                             size_t))
{
    EACH (n_in, widths) {
        fill_bytes(traces[0], n_in * 3);
        for (size_t i = 0; i < n_in; i++) {
            samples[i] = draw() % 2 ? 0 : (uint8_t)draw();
        }
        hil_u8_response__scalar(traces[0], samples, potentials[0], n_in, 3);
        kernel(traces[0], samples, potentials[1], n_in, 3);
        for (size_t j = 0; j < 3; j++) {
            same_word((uint32_t)potentials[0][j], (uint32_t)potentials[1][j], n_in, 3, j);
        }
        /* the same bytes as one input of many cells, which spikes or does not */
        hil_u8_response__scalar(traces[0], samples, synapses_i32[0], 1, n_in * 3);
        kernel(traces[0], samples, synapses_i32[1], 1, n_in * 3);
        for (size_t j = 0; j < n_in * 3; j++) {
            same_word((uint32_t)synapses_i32[0][j], (uint32_t)synapses_i32[1][j], 1, n_in * 3, j);
        }
    }
}

static void check_u8_exchange(uint32_t (*kernel)(uint8_t *, size_t, const uint8_t *, uint32_t,
                                                 uint32_t, size_t, size_t))
{
    EACH (n_in, widths) {
        fill_bytes(traces[0], n_in * 3);
        fill_bytes(samples, n_in);
        for (size_t k = 0; k < n_in * 3; k++) {
            traces[1][k] = traces[0][k];
        }
        const uint32_t place = draw() % (uint32_t)(n_in + 1);
        const uint32_t want = hil_u8_exchange__scalar(traces[0], 1, samples, 4, place, n_in, 3);
        same_word(want, kernel(traces[1], 1, samples, 4, place, n_in, 3), n_in, 3, 0);
        for (size_t k = 0; k < n_in * 3; k++) {
            same_word(traces[0][k], traces[1][k], n_in, 3, k);
        }
    }
}

static void check_i32_crossed(void (*kernel)(const int32_t *, const int32_t *, int32_t, int32_t *,
                                             int32_t *, size_t))
{
    static int32_t above[2][WIDEST], count[2][WIDEST];

    EACH (n, widths) {
        fill_both_i32(potentials[0], potentials[1], n, 9);
        fill_both_i32(synapses_i32[0], synapses_i32[1], n, 3);
        hil_i32_crossed__scalar(potentials[0], synapses_i32[0], 4, above[0], count[0], n);
        kernel(potentials[0], synapses_i32[0], 4, above[1], count[1], n);
        for (size_t j = 0; j < n; j++) {
            same_word((uint32_t)above[0][j], (uint32_t)above[1][j], 1, n, j);
            same_word((uint32_t)count[0][j], (uint32_t)count[1][j], 1, n, j);
        }
    }
}

/* Cells of a liquid whose thresholds differ, for some ticks. */
static void check_i32_regulated_liquid(void (*kernel)(int32_t *, int32_t *, const int32_t *,
                                                      const int32_t *, unsigned, int16_t, int16_t,
                                                      int16_t *, int16_t *, int32_t *, size_t))
{
    static int32_t bias[2][WIDEST], fired[2][WIDEST], theta[WIDEST], a[WIDEST];
    static int16_t spikes[2][WIDEST], count[2][WIDEST];

    EACH (n, widths) {
        fill_both_i32(potentials[0], potentials[1], n, 8000);
        fill_both_i32(bias[0], bias[1], n, 2000);
        fill_both_i32(fired[0], fired[1], n, 5);
        for (size_t j = 0; j < n; j++) {
            theta[j] = (int32_t)(draw() % 9000) - 3000;
            count[0][j] = count[1][j] = 0;
        }
        for (unsigned tick = 0; tick < 6; tick++) {
            fill_both_i32(a, a, n, 6000);
            hil_i32_regulated_liquid__scalar(potentials[0], bias[0], theta, a, 3, 900, 1400,
                                             spikes[0], count[0], fired[0], n);
            kernel(potentials[1], bias[1], theta, a, 3, 900, 1400, spikes[1], count[1], fired[1],
                   n);
            for (size_t j = 0; j < n; j++) {
                same_word((uint32_t)potentials[0][j], (uint32_t)potentials[1][j], 1, n, j);
                same_word((uint32_t)bias[0][j], (uint32_t)bias[1][j], 1, n, j);
                same_word((uint32_t)fired[0][j], (uint32_t)fired[1][j], 1, n, j);
                same_word((uint32_t)spikes[0][j], (uint32_t)spikes[1][j], 1, n, j);
                same_word((uint32_t)count[0][j], (uint32_t)count[1][j], 1, n, j);
            }
        }
    }
}

/* Cells with delays whose thresholds differ, some of them out of reach. */
static void check_u8_regulated_delays(void (*kernel)(
    const uint8_t *, const uint8_t *, const uint8_t *, const uint8_t *, uint8_t *, int32_t *,
    int32_t *, const int32_t *, uint8_t *, uint32_t *, uint8_t *, int32_t *, size_t, size_t))
{
    static uint8_t source[16 * WIDEST], delay[16 * WIDEST], driven[WIDEST];
    static uint8_t shown[2], rest[2][WIDEST], trace[2][WIDEST];
    static int32_t bias[2][WIDEST], fired[2][WIDEST], theta[WIDEST];
    static uint32_t past[2][WIDEST];

    EACH (n, widths) {
        fill_both_i32(potentials[0], potentials[1], n, 8000);
        fill_both_i32(bias[0], bias[1], n, 2000);
        for (size_t k = 0; k < 16 * n; k++) {
            source[k] = (uint8_t)((draw() >> 8) % (n < 256 ? n : 256));
            delay[k] = (uint8_t)(draw() >> 24 & 143);
        }
        for (size_t j = 0; j < n; j++) {
            driven[j] = (uint8_t)(draw() >> 30);
            theta[j] = (int32_t)draw() >> (draw() % 2 ? 18 : 0);
            rest[0][j] = rest[1][j] = (uint8_t)(draw() >> 31);
            trace[0][j] = trace[1][j] = (uint8_t)(draw() >> 24);
            past[0][j] = past[1][j] = draw();
            fired[0][j] = fired[1][j] = 7;
        }
        for (unsigned tick = 0; tick < 6; tick++) {
            const uint8_t stimulus = tick == 1;
            hil_u8_regulated_delays__scalar(&stimulus, source, delay, driven, &shown[0],
                                            potentials[0], bias[0], theta, rest[0], past[0],
                                            trace[0], fired[0], 1, n);
            kernel(&stimulus, source, delay, driven, &shown[1], potentials[1], bias[1], theta,
                   rest[1], past[1], trace[1], fired[1], 1, n);
            for (size_t j = 0; j < n; j++) {
                same_word((uint32_t)potentials[0][j], (uint32_t)potentials[1][j], 1, n, j);
                same_word((uint32_t)bias[0][j], (uint32_t)bias[1][j], 1, n, j);
                same_word((uint32_t)fired[0][j], (uint32_t)fired[1][j], 1, n, j);
                same_word(past[0][j], past[1][j], 1, n, j);
                same_word(rest[0][j] * 256U + trace[0][j], rest[1][j] * 256U + trace[1][j], 1, n,
                          j);
            }
        }
    }
}

static void check_u8_fill(void (*kernel)(uint8_t *, uint8_t, size_t))
{
    EACH (n, widths) {
        fill_bytes(samples, n + GUARD);
        const uint8_t after = samples[n];
        kernel(samples, 3, n);
        for (size_t j = 0; j <= n; j++) {
            same_word(j < n ? 3 : after, samples[j], 1, n, j);
        }
    }
}

#endif
