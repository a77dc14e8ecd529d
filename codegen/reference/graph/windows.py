"""Windows that move over an image [n, h, w, c], for convolutions and pools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array

SAME = 0


@dataclass(frozen=True)
class Axis:
    """Along rows or columns: sizes of image, kernel and output, and how places step."""

    size: int
    kernel: int
    out: int
    stride: int
    dilation: int
    before: int

    @classmethod
    def of(
        cls, size: int, kernel: int, stride: int, dilation: int, padding: int
    ) -> Axis:
        """By the rule of SAME, which has the odd one behind, or VALID."""
        reach = (kernel - 1) * dilation + 1
        if padding != SAME:
            return cls(size, kernel, (size - reach) // stride + 1, stride, dilation, 0)
        out = -(-size // stride)
        total = max((out - 1) * stride + reach - size, 0)
        return cls(size, kernel, out, stride, dilation, total // 2)

    @property
    def taps(self) -> range:
        """The places of the kernel that see the image from some output."""
        first = -(((self.out - 1) * self.stride - self.before) // self.dilation)
        last = (self.size - 1 + self.before) // self.dilation
        return range(max(0, first), min(self.kernel, last + 1))

    def inside(self, tap: int) -> tuple[slice, slice]:
        """Of a place in the kernel, the outputs for which it is in the image, and
        where there."""
        off = tap * self.dilation - self.before
        first = max(0, -(off // self.stride))
        last = min(self.out, (self.size - 1 - off) // self.stride + 1)
        last = max(first, last)
        begin = off + first * self.stride
        return slice(first, last), slice(
            begin, max(begin, off + (last - 1) * self.stride + 1), self.stride
        )


def axes(
    operator: Operator, shape: tuple[int, ...], kernel: tuple[int, int]
) -> tuple[Axis, Axis]:
    """Rows and columns of an operator that has a window."""
    padding = node.number(operator, "padding")
    apart = [int(operator.options.get(f"dilation_{a}", 1)) for a in "hw"]  # type: ignore[arg-type]
    stride = [node.number(operator, f"stride_{a}") for a in "hw"]
    high, wide = (
        Axis.of(shape[1 + k], kernel[k], stride[k], apart[k], padding) for k in (0, 1)
    )
    return high, wide


Place = tuple[slice, slice, slice]


def taps(high: Axis, wide: Axis, x: Array) -> Iterator[tuple[int, int, Place, Array]]:
    """Each place (row, column) of a kernel, the outputs that it reaches, and what it
    sees of x there. Places outside the image are left out."""
    for row in high.taps:
        rows, from_rows = high.inside(row)
        for column in wide.taps:
            columns, from_columns = wide.inside(column)
            if rows.start < rows.stop and columns.start < columns.stop:
                seen = x[:, from_rows, from_columns]
                yield row, column, (slice(None), rows, columns), seen


def counts(high: Axis, wide: Axis) -> Array:
    """How many places of a window are in the image, [h, w, 1]."""
    found = np.zeros((1, high.out, wide.out, 1), np.int64)
    for _, _, place, _ in taps(high, wide, np.zeros((1, high.size, wide.size, 1))):
        found[place] += 1
    return found
