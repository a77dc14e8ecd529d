"""Kernels of dense layers and convolutions whose products are wider than those of 8 bits by 8:
numbers of 16 bits, and weights less a zero point.

`rescaled` is that of hil_i8_conv_2d (codegen/kernels/imported.py).
"""

from __future__ import annotations

from codegen.kernels.kernel import Kernel

_AT = "const hil_windows_t *at"
_ZERO = "int32_t w_zero"


def _shifted(
    weight: str, *between: str, by: str = "scales", last: str = ""
) -> tuple[str, ...]:
    """Parameters of kernels whose weights have a zero point, or of those in `between`."""
    zero = (_ZERO,) if weight != "int16_t" else ()
    return (
        "const int8_t *x", f"const {weight} *w", "const int32_t *b", *between,
        f"const hil_{by}_t *by", *((last,) if last else ()), "int8_t *y", *zero,
    )  # fmt: skip


_SCRATCH = "int8_t *scratch"

SHIFTED = (
    Kernel("i8_shifted_fully_connected", (
        "const int8_t *x", "const int8_t *w", "const int32_t *b", "const hil_scales_t *by",
        "int8_t *y", "size_t count", "size_t n_in", "size_t n_out", _ZERO), """
As hil_i8_fully_connected, with weights W - w_zero."""),
    Kernel("i8_shifted_conv_2d", _shifted("int8_t", _AT, last=_SCRATCH), """
As hil_i8_conv_2d, with weights W - w_zero."""),
    Kernel("i8_shifted_conv_2d_eights", _shifted("int64_t", _AT, last=_SCRATCH), """
As hil_i8_conv_2d_eights, with weights W - w_zero."""),
    Kernel("i8_shifted_conv_2d_columns", _shifted(
        "int8_t", _AT, by="columns", last=_SCRATCH), """
As hil_i8_conv_2d_columns, with weights W - w_zero."""),
    Kernel("i8_shifted_conv_2d_planes", (
        "const int8_t *x", "const int16_t *w", "const int32_t *b", "const uint16_t *taps", _AT,
        "const hil_columns_t *by", "int32_t rows", "int8_t *line", "int16_t *planes",
        "int8_t *y"), """
As hil_i8_conv_2d_planes, with weights of 9 bits."""),
    Kernel("i8_shifted_conv_2d_strips", (
        "const int8_t *x", "const int16_t *w", "const int32_t *b", _AT,
        "const hil_columns_t *by", "int32_t most", "int8_t *line", "int16_t *planes",
        "int8_t *y"), """
As hil_i8_conv_2d_strips, with weights of 9 bits."""),
    Kernel("i8_shifted_depthwise_conv_2d", _shifted("int8_t", _AT, last=_SCRATCH), """
As hil_i8_depthwise_conv_2d, with weights W - w_zero."""),
    Kernel("i8_shifted_depthwise_columns", (
        "const int8_t *x", "const int16_t *w", "const int32_t *b", "const int32_t *taps", _AT,
        "const hil_columns_t *by", "int32_t tile", "int16_t *scratch", "int8_t *y"), """
As hil_i8_depthwise_columns, with weights of 9 bits."""),
)  # fmt: skip
"""Of weights that have a zero point: b has -x_zero * sum of (w - w_zero) in it."""

_X, _Y = "const int16_t *x", "int16_t *y"
_SUMS = {"": ("const int64_t *b", """
Sums of 64 bits; y = clamp(sum m / 2^e, to nearest, halves up), 0 < e < 47, m of 15 bits. Where
`rounding` is HIL_UP, sums are within -2^30 .. 2^30 - 1 and 17 <= e."""),
    "narrow_": ("const int32_t *b", """
Sums modulo 2^32; y = clamp(rescaled(sum, m, e)), as in hil_i8_conv_2d."""),
}  # fmt: skip
_BY = "const hil_scales_t *by"
_FOURS = """. Of each four weights
of a row that follow one another the second and the third have changed places."""
_LANES = """
Sums are within 32 bits; y = clamp(sum m / 2^e, to nearest, halves up), by factors 2^16 m and
e - 15 > 0."""

SIXTEEN = (
    *(
        kernel
        for first, (bias, said) in _SUMS.items()
        for kernel in (
            Kernel(f"i16_{first}fully_connected", (
                _X, "const int8_t *w", bias, _BY, _Y, "size_t count", "size_t n_in",
                "size_t n_out"), f"""
Dense layer of `count` rows of 16 bits; W is [n_out][n_in]{_FOURS}{said}"""),
            Kernel(f"i16_{first}conv_2d", (
                _X, "const int8_t *w", bias, _AT, _BY, _SCRATCH, _Y), f"""
Convolution of images of 16 bits; W is [y_c][k_h][k_w][x_c]{_FOURS}
Places outside the image hold 0. `scratch` holds 2 k_h k_w x_c numbers, or is NULL where windows
have one place.{said}"""),
        )
    ),
    Kernel("i16_conv_2d_eights", (
        _X, "const int64_t *w", "const int64_t *b", _AT, _BY, _SCRATCH, _Y), f"""
As hil_i16_conv_2d, and dense layers as windows of one place, with W as in
hil_i8_conv_2d_eights.{_SUMS[""][1]}"""),
    Kernel("i16_depthwise_conv_2d", (
        _X, "const int8_t *w", "const int64_t *b", _AT, _BY, "int16_t *scratch", _Y), f"""
Convolution of each channel of 16 bits; W is [k_h][k_w][y_c]. `scratch` is as that of
hil_i8_depthwise_conv_2d.{_SUMS[""][1]}"""),
    Kernel("i16_conv_2d_columns", (
        _X, "const int8_t *w", "const int32_t *b", _AT, "const hil_columns_t *by", _SCRATCH, _Y), f"""
As hil_i8_conv_2d_columns, of 16 bits.{_LANES}"""),
    Kernel("i16_narrow_conv_2d_columns", (
        _X, "const int8_t *w", "const int32_t *b", _AT, "const hil_columns_t *by", _SCRATCH, _Y), f"""
As hil_i8_conv_2d_columns, of 16 bits.{_SUMS["narrow_"][1]}"""),
    Kernel("i16_conv_2d_planes", (
        _X, "const int8_t *w", "const int32_t *b", "const uint16_t *taps", _AT,
        "const hil_columns_t *by", "int32_t rows", "int8_t *line", "int16_t *planes", _Y), f"""
As hil_i8_conv_2d_planes, of 16 bits.{_LANES}"""),
    Kernel("i16_conv_2d_strips", (
        _X, "const int8_t *w", "const int32_t *b", _AT, "const hil_columns_t *by",
        "int32_t most", "int8_t *line", "int16_t *planes", _Y), f"""
As hil_i8_conv_2d_strips, of 16 bits.{_LANES}"""),
    Kernel("i16_depthwise_columns", (
        _X, "const int16_t *w", "const int32_t *b", "const int32_t *taps", _AT,
        "const hil_columns_t *by", "int32_t tile", "int16_t *scratch", _Y), f"""
As hil_i8_depthwise_columns, of 16 bits.{_LANES}"""),
)  # fmt: skip
"""Of numbers of 16 bits."""

WIDE = (*SHIFTED, *SIXTEEN)
"""Each listed before the others of its operator."""
