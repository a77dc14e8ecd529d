"""Where windows go, for convolutions and pools."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from codegen.errors import ModelError
from codegen.graph.checks import SAME, dims, number
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.program import Symbol

REACH = 1 << 28
"""Rows or columns that a window may reach over: kernels count in 32 bits."""


@dataclass(frozen=True)
class Windows:
    """A window of k_h x k_w places, `apart`, that moves by strides over images
    [x_h][x_w][x_c] and gives [y_h][y_w][y_c]; the first is `top` rows and `left`
    columns outside."""

    images: int
    x_h: int
    x_w: int
    x_c: int
    y_h: int
    y_w: int
    y_c: int
    k_h: int = 1
    k_w: int = 1
    stride_h: int = 1
    stride_w: int = 1
    apart_h: int = 1
    apart_w: int = 1
    top: int = 0
    left: int = 0

    @property
    def width_seen(self) -> int:
        """Pixels of a row that windows see, those outside the image too."""
        return (self.y_w - 1) * self.stride_w + (self.k_w - 1) * self.apart_w + 1

    @property
    def inside(self) -> bool:
        """Whether each window is one place, and that in the image."""
        return self.k_h == self.k_w == 1 and self.width_seen <= self.x_w

    @property
    def pixels(self) -> Windows:
        """The same with all pixels in one row, where each is a window by itself."""
        if self.inside and self.stride_h == self.stride_w == 1:
            return rows(self.images * self.y_h * self.y_w, self.x_c, self.y_c)
        return self


def rows(count: int, n_in: int, n_out: int) -> Windows:
    """Rows that are windows by themselves."""
    return Windows(1, 1, count, n_in, 1, count, n_out)


def windows(c: GraphComposer, operator: Operator, kernel: tuple[int, int]) -> Symbol:
    """The structure that says it. Raises `ModelError` for a window beyond all images."""
    return record(c, operator, geometry(operator, kernel))


def record(c: GraphComposer, operator: Operator, found: Windows) -> Symbol:
    """The same of windows that are known."""
    return c.record(operator, "hil_windows_t", **asdict(found))


def geometry(operator: Operator, kernel: tuple[int, int]) -> Windows:
    """Where an operator's window goes. Raises `ModelError` for one beyond all images."""
    images, x_h, x_w, x_c = dims(operator)
    _, y_h, y_w, y_c = operator.outputs[0].shape
    stride = number(operator, "stride_h"), number(operator, "stride_w")
    apart = _option(operator, "dilation_h"), _option(operator, "dilation_w")
    top, left = (
        _before(operator, *each)
        for each in zip((x_h, x_w), (y_h, y_w), kernel, stride, apart, strict=True)
    )
    return Windows(
        images, x_h, x_w, x_c, y_h, y_w, y_c, *kernel, *stride, *apart, top, left
    )


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
