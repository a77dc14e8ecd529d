/* Checks of the kernels that scale samples, and compute features of windows: part of
 * checks.c. */
#ifndef INPUTS_H
#define INPUTS_H

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

#endif
