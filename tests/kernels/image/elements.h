/* Checks of the kernels of float32 that compute element by element: part of checks.c. */
#ifndef ELEMENTS_H
#define ELEMENTS_H

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

#endif
