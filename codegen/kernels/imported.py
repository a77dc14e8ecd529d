"""Kernels of imported models: what TensorFlow Lite's reference kernels compute.

Images lie as [n][h][w][c], weights as they lie in the file. A kernel that has a window
is given where it goes, a kernel that rescales is given by what; `hil_operators.h` has
these structures.
"""

from __future__ import annotations

from codegen.kernels.kernel import Kernel

_FILTERED = (
    "const int8_t *x", "const int8_t *w", "const int32_t *b", "const hil_windows_t *at",
    "const hil_scales_t *by", "int8_t *y",
)  # fmt: skip
_POOLED = (
    "const int8_t *x",
    "const hil_windows_t *at",
    "int32_t low",
    "int32_t high",
    "int8_t *y",
)
_RESCALED = """
y = clamp(y_zero + rescaled(sum, m, e)), the sum modulo 2^32. rescaled takes it times 2^-e
where e < 0, then the high half of its doubled product with m, to nearest, halves up, then
divides by 2^e where e > 0, to nearest, halves away from zero. b has -x_zero * sum of w in it."""

IMPORTED = (
    Kernel("i8_fully_connected", (
        *_FILTERED[:3], "const hil_scales_t *by", "int8_t *y", "size_t count", "size_t n_in",
        "size_t n_out"), f"""
Dense layer of `count` rows: sum = b_j + sum of W[j][i] x_i. W is [n_out][n_in].{_RESCALED}"""),
    Kernel("i8_conv_2d", _FILTERED, f"""
Convolution with W [y_c][k_h][k_w][x_c]: sum = b_o + sum of W[o][r][c][i] x_i, where places
outside the image hold x_zero.{_RESCALED}"""),
    Kernel("i8_depthwise_conv_2d", _FILTERED, f"""
Convolution of each channel with W [k_h][k_w][y_c]: output o is of channel o / (y_c / x_c),
sum = b_o + sum of W[r][c][o] x, where places outside the image hold x_zero.{_RESCALED}"""),
    Kernel("i8_average_pool_2d", _POOLED, """
Mean of the places of a window that are in the image, their sum exact and the quotient to
nearest, halves away from zero; then y within low .. high."""),
    Kernel("i8_max_pool_2d", _POOLED, """
The largest of the places of a window that are in the image; then y within low .. high."""),
    Kernel("i8_sum", (
        "const int8_t *x", "const int8_t *v", "const hil_sums_t *by", "int8_t *y",
        "size_t n_x", "size_t n_v", "size_t n"), """
Sum of two that are repeated to n numbers: y = clamp(y_zero + rescaled(a + sign c, m, e)),
a = rescaled(2^20 (x - x_zero), x_m, x_e), c the same of v. y may be x or v, where that
has n numbers. rescaled as in hil_i8_conv_2d."""),
    Kernel("i8_lookup", ("const int8_t *x", "const int8_t *table", "int8_t *y", "size_t n"), """
A function of one number, y = table[x modulo 256]. y may be x."""),
    Kernel("i8_mean", (
        "const int8_t *x", "const hil_scales_t *by", "int8_t *y", "size_t outer",
        "size_t count", "size_t inner"), """
Mean over the middle of three axes: y = clamp(y_zero + rescaled(sum of (x - x_zero), m, e)),
m and e having the count in them. rescaled as in hil_i8_conv_2d."""),
    Kernel("i8_softmax", (
        "const int8_t *x", "const hil_softmax_t *by", "int8_t *y", "size_t count", "size_t n"), """
Softmax of `count` rows of n: E = exp of (x - max) 2^e m 2^-31 with 5 integer bits, in
gemmlowp's fixed point of 32 bits; y = -128 + E / sum of E, in 1 / 256. What is below
max - reach gives -128. y may be x."""),
)  # fmt: skip
"""By the order in which docs/import.md lists operators."""
