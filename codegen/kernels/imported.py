"""Kernels of imported models: what TensorFlow Lite's reference kernels compute.

Images lie as [n][h][w][c], weights as they lie in the file. A kernel that has a window
is given where it goes, a kernel that rescales is given by what; `hil_operators.h` has
these structures.
"""

from __future__ import annotations

from codegen.formats import F32, I8, I16, I32, I64
from codegen.kernels.imported_between import BETWEEN
from codegen.kernels.imported_wide import WIDE
from codegen.kernels.kernel import Kernel

_FILTERED = (
    "const int8_t *x", "const int8_t *w", "const int32_t *b", "const hil_windows_t *at",
    "const hil_scales_t *by", "int8_t *y",
)  # fmt: skip


def _pooled(c_type: str) -> tuple[str, ...]:
    return (
        f"const {c_type} *x", "const hil_windows_t *at", "int32_t low", "int32_t high",
        f"{c_type} *y",
    )  # fmt: skip


_STEPS = (
    "const int16_t *x", "const int16_t *table", "int32_t m", "int32_t e", "int16_t *y",
    "size_t n",
)  # fmt: skip
_RESCALED = """
y = clamp(y_zero + rescaled(sum, m, e)), the sum modulo 2^32. rescaled takes it times 2^-e
where e < 0, then the high half of its doubled product with m, to nearest, halves up, then
divides by 2^e where e > 0, to nearest, halves away from zero. b has -x_zero * sum of w in it."""

_F32_FILTERED = (
    "const float *x", "const float *w", "const float *b", "const hil_windows_t *at",
    "float low", "float high", "float *y",
)  # fmt: skip
_F32_POOLED = (
    "const float *x", "const hil_windows_t *at", "float low", "float high", "float *y",
)  # fmt: skip
_OVER = """
y may lie over x, where it begins as early as codegen/lowering/overlap.py tells."""
_BOUND = "\ny < low gives low, y > high gives high."
_SYMMETRIC = """, and dense layers as images of one pixel, with weights of 8 bits, W
[k_h][k_w][x_c][y_c]. An image has r = max |x|; q = x * (127 / r) to nearest, halves away from
zero, within -127 .. 127. y_o = fl(sum of W q) * ((r / 127) * scale) + b_o, the sum exact and
each operation rounded once; places outside the image are left out."""
_ASYMMETRIC = """ with images that become integers from -128 to 127 around a zero point z, else as
hil_f32_hybrid_columns: in binary64 step = (max(x, 0) - min(x, 0)) / 255, s = fl(step), z the
nearest of -128 - min / step or 127 - max / step by the smaller error; q = z + x * (1 / s) to
nearest, each operation rounded once. y_o = fl(sum of W (q - z)) * (s * scale) + b_o."""
_OF_CHANNELS = """ as hil_f32_hybrid_columns_freely, with a scale for each output: y_o =
(fl(sum of W (q - z)) * scales_o) * s + b_o."""
_OF_EACH_CHANNEL = (
    """ of each channel, W [k_h][k_w][y_c], else as hil_f32_hybrid_channel_columns."""
)

IMPORTED = (
    Kernel("i8_fully_connected", (
        *_FILTERED[:3], "const hil_scales_t *by", "int8_t *y", "size_t count", "size_t n_in",
        "size_t n_out"), f"""
Dense layer of `count` rows: sum = b_j + sum of W[j][i] x_i. W is [n_out][n_in].{_RESCALED}"""),
    Kernel("i8_dense_runs", (
        *_FILTERED[:3], "const uint8_t *wholes", "const hil_columns_t *by", "int8_t *y",
        "size_t n_in", "size_t n_out"), f"""
One row of a dense layer with W [n_in][n_out], n_in even. Two weights of an output that follow
one another have magnitudes of 255 at most together; so have eight, where `wholes` is not 0,
of which there is one for each eight inputs.{_RESCALED}"""),
    Kernel("i8_conv_2d", (*_FILTERED[:-1], "int8_t *scratch", "int8_t *y"), f"""
Convolution with W [y_c][k_h][k_w][x_c]: sum = b_o + sum of W[o][r][c][i] x_i, where places
outside the image hold x_zero. `scratch` holds 2 k_h k_w x_c numbers, or is NULL where windows
have one place.{_RESCALED}{_OVER}"""),
    Kernel("i8_conv_2d_eights", (
        _FILTERED[0], "const int64_t *w", *_FILTERED[2:-1], "int8_t *scratch", "int8_t *y"), f"""
The same, and dense layers as windows of one place, with W [y_c / 8][k_h][k_w][x_c]: words of
eight outputs' weights plus 128, the first in the lowest byte, and 128 where y_c ends.{_RESCALED}{_OVER}"""),
    Kernel("i8_conv_2d_columns", (
        *_FILTERED[:4], "const hil_columns_t *by", "int8_t *scratch", "int8_t *y"), f"""
The same, and dense layers as windows of one place, with W [k_h][k_w][x_c][y_c]. `scratch`
holds k_h rows of all pixels that windows see, or is NULL where windows have one place and
none is outside.{_RESCALED}{_OVER}"""),
    Kernel("i8_conv_2d_planes", (
        *_FILTERED[:3], "const uint16_t *taps", *_FILTERED[3:4], "const hil_columns_t *by",
        "int32_t rows", "int8_t *line", "int16_t *planes", "int8_t *y"), f"""
The same, `rows` rows of pixels at a time. W has three outputs side by side, [n][k_h k_w x_c][3]
of n = y_c / 3, then those that are left. `line` holds a row of the pixels that windows see, or
is NULL where windows have one place and none is outside; `planes` holds what they see of all
rows, and `taps` says where each row of a window begins there, in bytes:
codegen/lowering/planes.py says where.{_RESCALED}{_OVER}"""),
    Kernel("i8_conv_2d_strips", (
        *_FILTERED[:4], "const hil_columns_t *by", "int32_t most", "int8_t *line",
        "int16_t *planes", "int8_t *y"), f"""
The same, up to `most` pixels of an image at a time, which may be of several rows. W is that of
hil_i8_conv_2d_planes with 0 behind an odd number of places, so that each two are side by side.
`line` holds the rows that windows of so many pixels see, or is NULL where windows have one
place and none is outside; `planes` holds what each place of the windows sees, `most` numbers
each: codegen/lowering/strips.py says how many.{_RESCALED}{_OVER}"""),
    Kernel("i8_depthwise_conv_2d", (*_FILTERED[:-1], "int8_t *scratch", "int8_t *y"), f"""
Convolution of each channel with W [k_h][k_w][y_c]: output o is of channel o / (y_c / x_c),
sum = b_o + sum of W[r][c][o] x, where places outside the image hold x_zero. `scratch` holds
k_h rows of all pixels that windows see, in x_c channels, and three numbers.{_RESCALED}{_OVER}"""),
    *WIDE,
    Kernel("i8_depthwise_columns", (
        "const int8_t *x", "const int16_t *w", "const int32_t *b", "const int32_t *taps",
        "const hil_windows_t *at", "const hil_columns_t *by", "int32_t tile",
        "int16_t *scratch", "int8_t *y"), f"""
The same with channels side by side as often as fill a `tile` of weights, factors and biases:
W is [k_h][k_w][tile], of numbers of 8 bits. `scratch` holds the rows of the image that windows
of two rows see, in y_c channels: pixels that are stride_w apart follow one another, and
`taps` has the places of a window's columns there.{_RESCALED}{_OVER}"""),
    *(
        Kernel(f"{format.name}_average_pool_2d", _pooled(format.c_type), """
Mean of the places of a window that are in the image, their sum exact and the quotient to
nearest, halves away from zero; then y within low .. high.""")
        for format in (I8, I16)
    ),
    Kernel("i8_average_pool_2d_up", _pooled("int8_t"), """
The same, halves up, as those of numbers without a sign are."""),
    *(
        Kernel(f"{format.name}_max_pool_2d", _pooled(format.c_type), """
The largest of the places of a window that are in the image; then y within low .. high.""")
        for format in (I8, I16)
    ),
    *(
        Kernel(f"{format.name}_sum", (
            f"const {format.c_type} *x", f"const {format.c_type} *v", "const hil_sums_t *by",
            f"{format.c_type} *y", "size_t n_x", "size_t n_v", "size_t n"), f"""
Sum of two that are repeated to n numbers: y = clamp(y_zero + rescaled(a + sign c, m, e)),
a = rescaled(2^{up} (x - x_zero), x_m, x_e), c the same of v. y may be x or v, where that
has n numbers. rescaled as in hil_i8_conv_2d.""")
        for format, up in ((I8, 20), (I16, 15))
    ),
    *(
        Kernel(f"{format.name}_product", (
            f"const {format.c_type} *x", f"const {format.c_type} *v", "const hil_scales_t *by",
            "int32_t v_zero", f"{format.c_type} *y", "size_t n_x", "size_t n_v", "size_t n"), """
Product of two that are repeated to n numbers: y = clamp(y_zero + rescaled((x - x_zero)
(v - v_zero), m, e)). rescaled as in hil_i8_conv_2d. y may be x or v, where that has n
numbers.""")
        for format in (I8, I16)
    ),
    *(
        Kernel(f"{format.name}_move", (
            f"const {format.c_type} *x", "const hil_move_t *by", f"{format.c_type} *y"), """
Numbers from places of x to places of y, along five axes: y[to_first + sum of i_k to_k] =
x[from_first + sum of i_k from_k], 0 <= i_k < n_k. y holds nothing of x.""")
        for format in (I8, I16, F32)
    ),
    *(
        Kernel(f"{format.name}_{which}", (
            f"const {format.c_type} *x", f"const {format.c_type} *v", f"{format.c_type} *y",
            "size_t n_x", "size_t n_v", "size_t n"), f"""
The {word} of two that are repeated to n numbers, v where neither is (NaN). y may be x or v,
where that has n numbers.""")
        for which, word in (("maximum", "larger"), ("minimum", "smaller"))
        for format in (I8, I16, F32)
    ),
    *(
        Kernel(f"{format.name}_fill", (
            f"{format.c_type} *v", f"{format.c_type} value", "size_t n"), """
v = value.""")
        for format in (I8, I16)
    ),
    Kernel("i8_turned", ("int8_t *v", "size_t n"), """
v = v - 128 modulo 256: of a number without a sign one with, and back."""),
    Kernel("i16_bent", (
        "const int16_t *x", "const hil_scales_t *by", "int16_t *y", "size_t n"), """
y = clamp(rescaled(x, m, e)), of the second factors where x < 0. rescaled as in
hil_i8_conv_2d. y may be x."""),
    Kernel("i16_requantize", (
        "const int16_t *x", "const hil_scales_t *by", "int8_t *y", "size_t n"), """
y = clamp(y_zero + rescaled(x, m, e)), as hil_i16_bent.""", "void", "requantize", (I16, I8)),
    Kernel("i16_logistic_table", _STEPS, """
1 / (1 + exp(-x)) with 15 bits behind the point: s = (x m + 2^(e - 1)) >> e is in 512ths of a
step; between the table's numbers, less 2^15, by 9 bits; then to nearest. y may be x."""),
    Kernel("i16_tanh_table", _STEPS, """
tanh(x) with 15 bits behind the point: the same of twice the logistic function less 1, between
the table's numbers by 8 bits. y may be x."""),
    Kernel("i16_softmax", (
        "const int16_t *x", "const int16_t *powers", "const int16_t *inverses", "int32_t m",
        "int32_t e", "int16_t *y", "size_t count", "size_t n"), """
Softmax of `count` rows of n: E = powers at rescaled(x - max, m, e) + 2^15 - 1, S = sum of E;
y = E times inverses at the 16 bits behind the first of S, which stands for 1, to nearest,
within 0 .. 2^15 - 1. Between two numbers of a table by 7 bits. y may be x."""),
    Kernel("i8_lookup", ("const int8_t *x", "const int8_t *table", "int8_t *y", "size_t n"), """
A function of one number, y = table[x modulo 256]. y may be x."""),
    Kernel("i16_ranked", (
        "const int16_t *x", "const int16_t *ends", "int32_t least", "int8_t *y", "size_t n"), """
A function of one number that never falls: y = least + how many of 255 ascending ends x is
above."""),
    *(
        Kernel(f"{format.name}_mean", (
            f"const {format.c_type} *x", "const hil_scales_t *by", f"{format.c_type} *y",
            "size_t outer", "size_t count", "size_t inner"), """
Mean over the middle of three axes: y = clamp(y_zero + rescaled(sum of (x - x_zero), m, e)),
m and e having the count in them. rescaled as in hil_i8_conv_2d.""")
        for format in (I8, I16)
    ),
    Kernel("i8_softmax", (
        "const int8_t *x", "const hil_softmax_t *by", "int8_t *y", "size_t count", "size_t n"), """
Softmax of `count` rows of n: E = exp of (x - max) 2^e m 2^-31 with 5 integer bits, in
gemmlowp's fixed point of 32 bits; y = -128 + E / sum of E, in 1 / 256. What is below
max - reach gives -128. y may be x."""),
    Kernel("f32_conv_2d_columns", _F32_FILTERED, f"""
Convolution, and dense layers as windows of one place, with W [k_h][k_w][x_c][y_c]: y_o = b_o,
then y_o = fma(x, W[r][c][i][o], y_o) by rows, columns and channels, ascending; no x is skipped,
and places outside the image are left out.{_BOUND}"""),
    Kernel("f32_depthwise_conv_2d", _F32_FILTERED, f"""
Convolution of each channel with W [k_h][k_w][y_c]: output o is of channel o / (y_c / x_c),
y_o = b_o, then y_o = fma(x, W[r][c][o], y_o) by rows and columns; places outside the image
are left out.{_BOUND}"""),
    Kernel("f32_average_pool_2d", _F32_POOLED, f"""
Mean of the places of a window that are in the image: from +0, added by rows and columns,
then one division by their count.{_BOUND}"""),
    Kernel("f32_max_pool_2d", _F32_POOLED, f"""
The largest of the places of a window that are in the image.{_BOUND}"""),
    Kernel("f32_sum", (
        "const float *x", "const float *v", "float sign", "float low", "float high",
        "float *y", "size_t n_x", "size_t n_v", "size_t n"), f"""
Sum of two that are repeated to n numbers, y = x + sign v, sign 1 or -1. y may be x or v,
where that has n numbers.{_BOUND}"""),
    Kernel("f32_product", (
        "const float *x", "const float *v", "float low", "float high", "float *y", "size_t n_x",
        "size_t n_v", "size_t n"), f"""
Product of two that are repeated to n numbers, y = x v. y may be x or v, where that has n
numbers.{_BOUND}"""),
    Kernel("f32_bounded", (
        "const float *x", "float low", "float high", "float *y", "size_t n"), f"""
y = x. y may be x.{_BOUND}"""),
    Kernel("f32_leaky_relu", ("const float *x", "float alpha", "float *y", "size_t n"), """
y = x where x > 0, else alpha x, rounded once. y may be x."""),
    Kernel("f32_hard_swish", ("const float *x", "float *y", "size_t n"), """
y = x g / 6, g = x + 3 within 0 .. 6; each operation rounded once. y may be x."""),
    Kernel("f32_mean", (
        "const float *x", "float *y", "size_t outer", "size_t count", "size_t inner"), """
Mean over the middle of three axes: from the first on, added in order, then one division by
the count."""),
    Kernel("i8_lstm", (
        "const int8_t *x", "const hil_i8_lstm_t *by", "int16_t *scratch", "int8_t *y"), """
An LSTM whose state begins at zero, in gemmlowp's fixed point of 16 bits. s_k = rescaled(
w_k x + b_k) + rescaled(r_k h + d_k), each saturated to 16 bits, 3 of them integer bits;
cell = logistic(s_1) cell + logistic(s_0) tanh(s_2), within -most .. most;
h = logistic(s_3) tanh(cell), rescaled by m and e, plus y_zero. y is h of every step;
`scratch` has `cells` numbers."""),
    Kernel("f32_lstm", (
        "const float *x", "const hil_f32_lstm_t *by", "float *scratch", "float *y"), """
The same of float32: s_k = b_k, then s_k = fma(x_i, w_k, s_k) and fma(h_i, r_k, s_k), i
ascending; cell = fma(tanh(s_2), sigmoid(s_0), sigmoid(s_1) cell); h = sigmoid(s_3) tanh(cell).
A cell below low is low, above high it is high."""),
    Kernel("i8_svdf", (
        "const int8_t *x", "const hil_i8_svdf_t *by", "int16_t *state", "int8_t *y"), """
Filters that remember: s = rescaled(d_f + w_f x, w_m, w_e), saturated to 16 bits, is the newest
of `memory` places of `state`; the sum of b_u and of t_f s over the places of `rank` filters,
modulo 2^32, gives y = clamp(y_zero + rescaled(sum, m, e)). Then all places move on by one and
the newest is left empty. rescaled as in hil_i8_conv_2d."""),
    Kernel("f32_svdf", (
        "const float *x", "const hil_f32_svdf_t *by", "float low", "float high", "float *state",
        "float *y"), f"""
The same of float32: s = +0, then s = fma(x_i, w_i, s), i ascending; a filter's sum is +0, then
fma(s, t, sum) from the oldest on; y = b_u, then y + each filter's sum.{_BOUND}"""),
    Kernel("f32_softmax", (
        "const float *x", "float beta", "float *y", "size_t count", "size_t n"), """
Softmax of `count` rows of n: E_i = exp((x_i - max) * beta), each operation rounded once;
y_i = E_i / sum of E, added in order. y may be x."""),
    Kernel("f32_log_softmax", ("const float *x", "float *y", "size_t count", "size_t n"), """
Logarithm of a softmax of `count` rows of n: y_i = (x_i - max) - log(sum of exp(x_j - max)),
added in order, each operation rounded once. y may be x."""),
    Kernel("i8_transpose_conv", (*_FILTERED, "int32_t w_zero"), """
Transposed convolution of images less x_zero, with weights less w_zero [y_c][k_h][k_w][x_c]:
pixel (i, j) adds its products at rows i stride_h - top + r and columns j stride_w - left + c.
y as in hil_i8_conv_2d, but that b is the bias alone."""),
    Kernel("f32_transpose_conv", _F32_FILTERED, f"""
The same of float32: y_o = b_o, then y_o = fma(x, W[o][r][c][k], y_o) by rows and columns of
pixels and by channels, ascending.{_BOUND}"""),
    *(
        Kernel(f"{format.name}_gather", (
            f"const {format.c_type} *x", "const int32_t *at", f"{format.c_type} *y",
            "size_t outer", "size_t size", "size_t count", "size_t inner"), """
Places of the middle of three axes, which has `size`: y[i][k][j] = x[i][at[k]][j], k < count;
one that is not there is the nearest.""")
        for format in (I8, I16, F32)
    ),
    *(
        Kernel(f"{format.name}_{which}", (
            f"const {format.c_type} *x", f"{format.c_type} *y", "size_t outer",
            "size_t count", "size_t inner"), f"""
The {which} of the middle of three axes, of zeros the first; NaN is never {further}.""")
        for which, further in (("largest", "larger"), ("smallest", "smaller"))
        for format in (I8, I16, F32)
    ),
    Kernel("f32_total", (
        "const float *x", "float *y", "size_t outer", "size_t count", "size_t inner"), """
Sum over the middle of three axes: from the first on, added in order."""),
    *(
        Kernel(f"{format.name}_{which}_{to.name}", (
            f"const {format.c_type} *x", f"{to.c_type} *y", "size_t outer", "size_t count",
            "size_t inner"), f"""
The first place of the middle of three axes at which it is {found}; NaN is never {further}.""",
            "void", which, (format, to))
        for which, found, further in (
            ("arg_max", "largest", "larger"), ("arg_min", "smallest", "smaller"))
        for format in (I8, F32) for to in (I32, I64)
    ),
    Kernel("i8_prelu", (
        "const int8_t *x", "const int8_t *v", "const hil_scales_t *by", "int32_t v_zero",
        "int8_t *y", "size_t n_x", "size_t n_v", "size_t n"), """
Of two that are repeated to n numbers: y = clamp(y_zero + rescaled(x - x_zero, first m, e)),
where x < x_zero that of (x - x_zero) (v - v_zero) and the second. y may be x."""),
    Kernel("f32_prelu", (
        "const float *x", "const float *v", "float *y", "size_t n_x", "size_t n_v", "size_t n"), """
Of two that are repeated to n numbers: y = x where x >= 0, else x v. y may be x."""),
    Kernel("f32_quotient", (
        "const float *x", "const float *v", "float low", "float high", "float *y", "size_t n_x",
        "size_t n_v", "size_t n"), f"""
Quotient of two that are repeated to n numbers, y = x / v. y may be x or v, where that has n
numbers.{_BOUND}"""),
    *(
        Kernel(f"f32_{name}", ("const float *x", "float *y", "size_t n"), f"""
y = {said}. y may be x.""")
        for name, said in (
            ("absolute", "|x|"), ("negated", "-x"), ("squared", "x x, rounded once"),
            ("root", "sqrt(x), rounded once"),
            ("inverse_root", "1 / sqrt(x), the root and the quotient rounded once each"),
            ("power", "exp(x), of NaN x"),
        )
    ),
    *BETWEEN,
    Kernel("f32_quantize", (
        "const float *x", "float scale", "int32_t zero", "int8_t *y", "size_t n"), """
y = x / scale, rounded to binary32 and then to nearest, halves away from zero; plus zero,
within -128 .. 127. NaN gives -128.""", "void", "quantize", (F32, I8)),
    Kernel("f32_quantize_i16", (
        "const float *x", "float scale", "int32_t zero", "int16_t *y", "size_t n"), """
The same within -32768 .. 32767.""", "void", "quantize", (F32, I16)),
    *(
        Kernel(f"{format.name}_dequantize", (
            f"const {format.c_type} *x", "float scale", "int32_t zero", "float *y", "size_t n"), """
y = scale * (x - zero), rounded once.""", "void", "quantize", (format, F32))
        for format in (I8, I16)
    ),
    *(
        Kernel(f"f32_hybrid_{name}", (
            "const float *x", "const int8_t *w", "const float *b", "const hil_windows_t *at",
            scales, "float low", "float high", "int8_t *scratch", "float *y"), f"""
Convolution{said}{_BOUND}""")
        for name, scales, said in (
            ("columns", "float scale", _SYMMETRIC),
            ("columns_freely", "float scale", _ASYMMETRIC),
            ("channel_columns", "const float *scales", _OF_CHANNELS),
            ("depthwise", "const float *scales", _OF_EACH_CHANNEL),
        )
    ),
)  # fmt: skip
"""By the order in which docs/import.md lists operators."""
