"""Convolutions of 8 bits on vectors: pixels are lanes, where outputs are too few to fill them.

A plane is what one place of all windows sees of one channel, for as many rows of the output
as are computed together: a weight is a scalar, by which a plane is multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil

from codegen import kernels
from codegen.formats import I8, I16, U16
from codegen.graph.description import Operator
from codegen.kernels.cost import Shape
from codegen.lowering import columns, scaling
from codegen.lowering.composer import GraphComposer, call, numbers
from codegen.lowering.fixed_point import Factor
from codegen.lowering.windows import Windows, record
from codegen.program import Op

TOGETHER = 3
"""Outputs whose sums are in registers at once."""
MOST = 20480
"""Bytes of planes."""
WIDE = 2
"""Bytes of a pixel in a plane."""


@dataclass(frozen=True)
class Planes:
    """Planes of the windows of `rows` rows of the output `at` a time."""

    at: Windows
    rows: int

    @property
    def plane(self) -> int:
        """Pixels of a plane: rows of an image that are stride_h apart follow one another, as
        many as those of the output and what the lowest window reaches over more."""
        return (self.rows + self._reach // self.at.stride_h) * self.at.y_w

    @property
    def count(self) -> int:
        """How many planes there are. Windows have a row of an image at place 0 up to
        stride_h - 1, whose planes are apart."""
        return min(self._reach + 1, self.at.stride_h) * self.at.k_w * self.at.x_c

    @property
    def bytes(self) -> int:
        """Of all planes."""
        return WIDE * self.count * self.plane

    @property
    def line(self) -> int:
        """Bytes of a row of pixels that windows see."""
        return self.at.width_seen * self.at.x_c

    @property
    def _reach(self) -> int:
        return (self.at.k_h - 1) * self.at.apart_h

    def taps(self) -> Iterator[int]:
        """Where the places of a window are, in bytes, in the order of rows, columns and
        channels."""
        at = self.at
        for r in range(at.k_h):
            down, phase = divmod(r * at.apart_h, at.stride_h)
            for k in range(at.k_w * at.x_c):
                number = phase * at.k_w * at.x_c + k
                yield WIDE * (number * self.plane + down * at.y_w)

    def instructions(self, vlen: int) -> float:
        """An estimate: each place of a group of outputs takes two instructions for an output
        and 3.6 for all of them, and each output some 20 at its end."""
        at, lanes = self.at, 8 * vlen // 32
        places = at.k_h * at.k_w * at.x_c
        groups = [TOGETHER] * (at.y_c // TOGETHER) + [1] * (at.y_c % TOGETHER)
        strip = sum(places * (2 * n + 3.6) + 20 * n + 15 for n in groups)
        whole, rest = divmod(at.y_h, self.rows)
        blocks = [self.rows] * whole + [rest] * (rest > 0)
        strips = sum(ceil(n * at.y_w / lanes) for n in blocks)
        return at.images * (strip * strips + sum(map(self._filling, blocks)))

    def _filling(self, rows: int) -> float:
        """The same of planes that are filled for so many rows."""
        at = self.at
        seen = min(self._reach + 1, at.stride_h) * rows + max(
            0, self._reach + 1 - at.stride_h
        )
        return seen * (60 + at.k_w * (10 + 5 * at.x_c))


@cache
def chosen(at: Windows, vlen: int) -> Planes | None:
    """The planes that cost the least with registers of `vlen` bits, where they cost less than
    outputs as lanes."""
    most = range(1, at.y_h + 1)
    found = [one for one in (Planes(at, rows) for rows in most) if one.bytes <= MOST]
    best = min(found, key=lambda one: one.instructions(vlen), default=None)
    if best is None or best.instructions(vlen) >= of_columns(at.pixels, vlen):
        return None
    return best


def of_columns(at: Windows, vlen: int) -> float:
    """An estimate of instructions with outputs as lanes."""
    shape = Shape(at.y_w, at.y_c)
    places = kernels.best("i8_conv_2d_columns", (vlen,), shape).cost(shape, vlen)
    rows = at.images * at.y_h
    return rows * (60 + at.k_h * at.k_w * at.x_c * places.instructions + 12 * at.y_w)


def convolution(
    c: GraphComposer, operator: Operator, found: Planes, factors: Sequence[Factor]
) -> tuple[Op, ...]:
    """One call."""
    at = found.at
    sums = scaling.row_sums(operator, at.y_c)
    return call(
        "conv_2d_planes", operator,
        x=c.activation(operator.inputs[0]),
        w=c.computed(
            operator, "w", I8, columns.size(operator), lambda: grouped(operator, at.y_c)
        ),
        b=scaling.biases(c, operator, at.y_c, sums),
        taps=c.constant(operator, "taps", U16, found.taps()),
        at=record(c, operator, at),
        by=columns.scales(c, operator, factors, at.y_c),
        rows=found.rows,
        line=c.scratch(operator, I8, found.bytes),
        planes=c.scratch(operator, I16),
        y=c.activation(operator.outputs[0]),
    )  # fmt: skip


def grouped(operator: Operator, outputs: int) -> Iterator[float]:
    """Weights, those of one place of a few outputs side by side; then those of as few outputs
    as are left."""
    w = operator.inputs[1]
    assert w is not None
    values, places = numbers(w), w.elements // outputs
    for first in range(0, outputs, TOGETHER):
        for place in range(places):
            for o in range(first, min(first + TOGETHER, outputs)):
                yield values[o * places + place]
