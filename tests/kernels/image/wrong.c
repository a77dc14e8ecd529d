/* Dense forwards with a mistake each, which the checks must find. */
#include <stddef.h>

void wrong_index(const float *w, const float *b, const float *x, float *a,
                 size_t n_in, size_t n_out);
void wrong_last_lane(const float *w, const float *b, const float *x, float *a,
                     size_t n_in, size_t n_out);
void wrong_rounding(const float *w, const float *b, const float *x, float *a,
                    size_t n_in, size_t n_out);
void wrong_end(const float *w, const float *b, const float *x, float *a,
               size_t n_in, size_t n_out);

/* W is taken as output-major. */
void wrong_index(const float *w, const float *b, const float *x, float *a,
                 size_t n_in, size_t n_out)
{
    for (size_t j = 0; j < n_out; j++) {
        a[j] = b[j];
        for (size_t i = 0; i < n_in; i++) {
            if (x[i] != 0.0f) {
                a[j] = __builtin_fmaf(x[i], w[j * n_in + i], a[j]);
            }
        }
    }
}

/* The last of an odd number of outputs is forgotten. */
void wrong_last_lane(const float *w, const float *b, const float *x, float *a,
                     size_t n_in, size_t n_out)
{
    for (size_t j = 0; j + 1 < n_out + (n_out + 1) % 2; j++) {
        a[j] = b[j];
        for (size_t i = 0; i < n_in; i++) {
            if (x[i] != 0.0f) {
                a[j] = __builtin_fmaf(x[i], w[i * n_out + j], a[j]);
            }
        }
    }
}

/* The fma is split in two: rounded twice. */
void wrong_rounding(const float *w, const float *b, const float *x, float *a,
                    size_t n_in, size_t n_out)
{
    for (size_t j = 0; j < n_out; j++) {
        a[j] = b[j];
        for (size_t i = 0; i < n_in; i++) {
            if (x[i] != 0.0f) {
                a[j] = x[i] * w[i * n_out + j] + a[j];
            }
        }
    }
}

/* Right, and then it writes one element too many. */
void wrong_end(const float *w, const float *b, const float *x, float *a,
               size_t n_in, size_t n_out)
{
    for (size_t j = 0; j < n_out; j++) {
        a[j] = b[j];
        for (size_t i = 0; i < n_in; i++) {
            if (x[i] != 0.0f) {
                a[j] = __builtin_fmaf(x[i], w[i * n_out + j], a[j]);
            }
        }
    }
    a[n_out] = 0.0f;
}
