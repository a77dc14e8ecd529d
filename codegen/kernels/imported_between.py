"""Kernels of what imported models hold between their layers: functions, rows by their
lengths, products of matrices, images between pixels, other types.

`rescaled` is that of hil_i8_conv_2d (codegen/kernels/imported.py).
"""

from __future__ import annotations

from codegen.formats import F32, I8, I16, I32
from codegen.kernels.kernel import Kernel

_IN_1024THS = """In 1024ths: the four products are
added up, then divided by 2^20, halves away from zero."""
_IN_FLOATS = """With s = 1 - part, from the first
row and column on: ((a s) s + (b p) s) + (c s) p + (d p) p, the row's factor first."""

BETWEEN = (
    Kernel("f32_elu", ("const float *x", "float *y", "size_t n"), """
y = x, where x < 0 expm1(x): fma(p, m, p - 1) with exp(x) = p (1 + m). y may be x."""),
    Kernel("f32_gelu", ("const float *x", "float *y", "size_t n"), """
y = (x / 2) (2 - q), where x < 0 (x / 2) q: z = |x| sqrt(1/2), t = 1 / fma(z, p, 1), q = (s t)
exp(-(z z)), s five coefficients by Horner in t, each operation rounded once. y may be x."""),
    Kernel("f32_gelu_by_tanh", ("const float *x", "float *y", "size_t n"), """
y = (x / 2) (1 + tanh(sqrt(2 / pi) (x + ((0.044715 x) x) x))), each operation rounded once. y
may be x."""),
    Kernel("i8_squared_difference", (
        "const int8_t *x", "const int8_t *v", "const hil_sums_t *by", "int8_t *y", "size_t n_x",
        "size_t n_v", "size_t n"), """
Of two that are repeated to n numbers: y = clamp(y_zero + rescaled((a - c)^2, m, e)), a =
rescaled(2^7 (x - x_zero), x_m, x_e), c the same of v. y may be x or v, where that has n
numbers. rescaled as in hil_i8_conv_2d."""),
    Kernel("f32_squared_difference", (
        "const float *x", "const float *v", "float *y", "size_t n_x", "size_t n_v", "size_t n"), """
Of two that are repeated to n numbers: y = d d, d = x - v, each rounded once. y may be x or v,
where that has n numbers."""),
    Kernel("i8_l2_normalize", (
        "const int8_t *x", "int32_t zero", "int32_t up", "int8_t *y", "size_t count", "size_t n"), """
`count` rows of n by their lengths: y = rescaled(2^up (x - zero), m, e - (7 - up)), m 2^(-31 - e)
being 1 / sqrt(sum of (x - zero)^2) by five steps of Newton and Raphson in gemmlowp's fixed
point; 1 of a sum of 0. rescaled as in hil_i8_conv_2d. y may be x."""),
    Kernel("f32_l2_normalize", (
        "const float *x", "float *y", "size_t count", "size_t n"), """
`count` rows of n by their lengths: s = sum of x x, added in order, r = sqrt(s), at least 1e-6;
y = x / r. Each operation is rounded once. y may be x."""),
    *(
        Kernel(f"{format.name}_matmul", (
            f"const {format.c_type} *x", f"const {format.c_type} *v", "const hil_matrices_t *at",
            "const hil_scales_t *by", "int32_t v_zero", f"{format.c_type} *y"), f"""
Products of matrices: the sum over k of (x[i][k] - x_zero) (v[k][j] - v_zero), scaled as
{how}.""")
        for format, how in ((I8, "in hil_i8_conv_2d"), (I16, "in hil_i16_conv_2d"))
    ),
    Kernel("f32_matmul", (
        "const float *x", "const float *v", "const hil_matrices_t *at", "float *y"), """
Products of matrices: y = +0, then y = fma(x[i][k], v[k][j], y), k ascending."""),
    *(
        Kernel(f"{format.name}_bilinear", (
            f"const {format.c_type} *x", "const int32_t *rows", f"const {part} *row_parts",
            "const int32_t *columns", f"const {part} *column_parts", f"{format.c_type} *y",
            "size_t images", "size_t x_h", "size_t x_w", "size_t y_h", "size_t y_w",
            "size_t depth"), f"""
Images [y_h][y_w][depth] of images [x_h][x_w][depth]: row r lies between rows[2 r] and
rows[2 r + 1], row_parts[r] from the first, a column likewise. {how}""")
        for format, part, how in (
            (I8, "int32_t", _IN_1024THS),
            (I16, "int32_t", _IN_1024THS),
            (F32, "float", _IN_FLOATS),
        )
    ),
    Kernel("i8_softmax_i16", (
        "const int8_t *x", "const hil_softmax_t *by", "int16_t *y", "size_t count", "size_t n"), """
As hil_i8_softmax, but y = -32768 + E / sum of E, in 1 / 65536.""", "void", "softmax_finer",
        (I8, I16)),
    Kernel("i16_requantize_i32", (
        "const int16_t *x", "int32_t zero", "int32_t m", "int32_t e", "int32_t *y", "size_t n"), """
y = rescaled(x - zero, m, e).""", "void", "requantize_wide", (I16, I32)),
    *(
        Kernel(f"{format.name}_cast_i32", (
            f"const {format.c_type} *x", "int32_t zero", "int32_t *y", "size_t n"), """
y = x - zero.""", "void", "cast", (format, I32))
        for format in (I8, I16)
    ),
    Kernel("i32_cast_f32", ("const int32_t *x", "float *y", "size_t n"), """
y = x, rounded once.""", "void", "cast", (I32, F32)),
    Kernel("f32_cast_i32", ("const float *x", "int32_t *y", "size_t n"), """
y = x cut off, within -2^31 .. 2147483520; of NaN 0.""", "void", "cast", (F32, I32)),
)  # fmt: skip
"""Each listed before the conversions of codegen/kernels/imported.py."""
