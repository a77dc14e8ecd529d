"""Kernels of dense layers and convolutions whose products are wider than those of 8 bits by 8:
numbers of 16 bits, and weights less a zero point.

`rescaled` is that of hil_i8_conv_2d (codegen/kernels/imported.py).
"""

from __future__ import annotations

from codegen.kernels.kernel import Kernel

_AT = "const hil_windows_t *at"
_ZERO = "int32_t w_zero"


def plain(c_type: str, bias: str, *between: str) -> tuple[str, ...]:
    """Parameters of kernels that no packed weights are made for."""
    zero = () if c_type == "int16_t" else (_ZERO,)
    sizes = () if between else ("size_t count", "size_t n_in", "size_t n_out")
    return (
        f"const {c_type} *x", "const int8_t *w", f"const {bias} *b", *between,
        "const hil_scales_t *by", f"{c_type} *y", *sizes, *zero,
    )  # fmt: skip


def _shifted(
    weight: str, *between: str, by: str = "scales", last: str = ""
) -> tuple[str, ...]:
    """Parameters of kernels whose weights have a zero point, or of those in `between`."""
    zero = (_ZERO,) if weight != "int16_t" else ()
    return (
        "const int8_t *x", f"const {weight} *w", "const int32_t *b", *between,
        f"const hil_{by}_t *by", *((last,) if last else ()), "int8_t *y", *zero,
    )  # fmt: skip


_PLAIN = (
    ("i16_", "int16_t", "int64_t", "of 16 bits", """
Sums of 64 bits; y = clamp(sum m / 2^e, to nearest, halves up)."""),
    ("i16_narrow_", "int16_t", "int32_t", "of 16 bits with a bias of 32", """
Sums modulo 2^32; y = clamp(rescaled(sum, m, e)), as in hil_i8_conv_2d."""),
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

WIDE = (
    *SHIFTED,
    *(
        kernel
        for first, c_type, bias, of, said in _PLAIN
        for kernel in (
            Kernel(f"{first}fully_connected", plain(c_type, bias), f"""
Dense layer of `count` rows {of}; W is [n_out][n_in].{said}"""),
            Kernel(f"{first}conv_2d", plain(c_type, bias, _AT), f"""
Convolution of images {of}; W is [y_c][k_h][k_w][x_c].
Places outside are left out.{said}"""),
            *(() if first == "i16_narrow_" else (
                Kernel(f"{first}depthwise_conv_2d", plain(c_type, bias, _AT), f"""
Convolution of each channel {of}; W is [k_h][k_w][y_c].
Places outside are left out.{said}"""),)),
        )
    ),
)  # fmt: skip
"""Each listed before the others of its operator."""
