"""Kernels of dense layers and convolutions whose products are wider than those of 8 bits by 8:
numbers of 16 bits, and weights less a zero point.

`rescaled` is that of hil_i8_conv_2d (codegen/kernels/imported.py).
"""

from __future__ import annotations

from codegen.kernels.kernel import Kernel


def plain(c_type: str, bias: str, *between: str) -> tuple[str, ...]:
    """Parameters of kernels that no packed weights are made for."""
    zero = () if c_type == "int16_t" else ("int32_t w_zero",)
    sizes = () if between else ("size_t count", "size_t n_in", "size_t n_out")
    return (
        f"const {c_type} *x", "const int8_t *w", f"const {bias} *b", *between,
        "const hil_scales_t *by", f"{c_type} *y", *sizes, *zero,
    )  # fmt: skip


_PLAIN = (
    ("i16_", "int16_t", "int64_t", "of 16 bits", """
Sums of 64 bits; y = clamp(sum m / 2^e, to nearest, halves up)."""),
    ("i16_narrow_", "int16_t", "int32_t", "of 16 bits with a bias of 32", """
Sums modulo 2^32; y = clamp(rescaled(sum, m, e)), as in hil_i8_conv_2d."""),
    ("i8_shifted_", "int8_t", "int32_t", "less x_zero, with weights less w_zero", """
y as in hil_i8_conv_2d, but that b is the bias alone."""),
)  # fmt: skip
_AT = "const hil_windows_t *at"

WIDE = (
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
