"""Where windows go, for convolutions and pools."""

from __future__ import annotations

from codegen.errors import ModelError
from codegen.graph.checks import SAME, dims, number
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.program import Symbol

REACH = 1 << 28
"""Rows or columns that a window may reach over: kernels count in 32 bits."""


def windows(c: GraphComposer, operator: Operator, kernel: tuple[int, int]) -> Symbol:
    """The structure that says it. Raises `ModelError` for a window beyond all images."""
    images, x_h, x_w, x_c = dims(operator)
    _, y_h, y_w, y_c = operator.outputs[0].shape
    stride = number(operator, "stride_h"), number(operator, "stride_w")
    apart = _option(operator, "dilation_h"), _option(operator, "dilation_w")
    top, left = (
        _before(operator, *each)
        for each in zip((x_h, x_w), (y_h, y_w), kernel, stride, apart, strict=True)
    )
    return c.record(
        operator, "hil_windows_t", images=images, x_h=x_h, x_w=x_w, x_c=x_c, y_h=y_h,
        y_w=y_w, y_c=y_c, k_h=kernel[0], k_w=kernel[1], stride_h=stride[0],
        stride_w=stride[1], apart_h=apart[0], apart_w=apart[1], top=top, left=left,
    )  # fmt: skip


def _option(operator: Operator, name: str) -> int:
    return number(operator, name) if name in operator.options else 1


def _before(
    operator: Operator, size: int, out: int, kernel: int, stride: int, apart: int
) -> int:
    """How far outside the image the first window begins: of SAME, half of what there
    is outside, the odd one behind."""
    reach = (kernel - 1) * apart + 1
    if max(reach, stride * (out - 1)) > REACH or stride > REACH or apart > REACH:
        raise ModelError(
            f"{operator}, which gives {operator.outputs[0]}: its window reaches over "
            f"{reach:,} places: a device takes up to {REACH:,}"
        )
    outside = (out - 1) * stride + reach - size
    return max(outside, 0) // 2 if number(operator, "padding") == SAME else 0
