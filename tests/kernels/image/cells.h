/* Checks of the kernels of reservoirs, and of float32's cells that spike: part of checks.c. */
#ifndef CELLS_H
#define CELLS_H

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

#endif
