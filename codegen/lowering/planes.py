"""Convolutions of 8 bits on vectors: pixels are lanes, where outputs are too few to fill them.

A plane is what one place of all windows sees of one channel, for as many rows of the output
as are computed together: a weight is a scalar, by which a plane is multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from codegen.formats import I8, I16, U16
from codegen.graph.description import Operator
from codegen.lowering import columns, filters, scaling
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.fixed_point import Factor
from codegen.lowering.windows import Windows, record
from codegen.program import Op

TOGETHER = 3
"""Outputs whose sums are in registers at once."""
MOST = 32768
"""Bytes of planes."""
WIDE = 2
"""Bytes of a pixel in a plane."""


@dataclass(frozen=True)
class Planes:
    """Planes of the windows of `rows` rows of the output `at` a time."""

    at: Windows
    rows: int
    size: int = 1
    """Bytes of a number of the image."""

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
        """Bytes of a row of pixels that windows see, where it is written out."""
        return 0 if self.at.inside else self.size * self.at.width_seen * self.at.x_c

    @property
    def _reach(self) -> int:
        return (self.at.k_h - 1) * self.at.apart_h

    def taps(self) -> Iterator[int]:
        """Where the rows of a window begin, in bytes from a pixel of the first plane on."""
        at = self.at
        for r in range(at.k_h):
            down, phase = divmod(r * at.apart_h, at.stride_h)
            place = phase * at.k_w * at.x_c * self.plane + down * at.y_w
            yield WIDE * place

    def instructions(self, vlen: int) -> float:
        """An estimate: each place of a group of outputs takes two instructions for an output
        and 2.5 for all of them, each row of a window some 12, and each output some 20 at its
        end."""
        at, lanes = self.at, 8 * vlen // 32
        places = at.k_h * at.k_w * at.x_c
        groups = [TOGETHER] * (at.y_c // TOGETHER) + [1] * (at.y_c % TOGETHER)
        strip = sum(places * (2 * n + 2.5) + 12 * at.k_h + 20 * n + 15 for n in groups)
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
        return seen * (20 + 40 * bool(self.line) + at.k_w * (25 + 7 * at.x_c))


def planes(at: Windows, size: int = 1) -> Iterator[Planes]:
    """All that there is room for."""
    every = (
        Planes(one, rows, size)
        for one in dict.fromkeys((at, at.pixels))
        for rows in range(1, one.y_h + 1)
    )
    return (one for one in every if one.bytes <= MOST)


def convolution(
    c: GraphComposer, operator: Operator, found: Planes, factors: Sequence[Factor]
) -> tuple[Op, ...]:
    """One call."""
    at = found.at
    sums = scaling.row_sums(operator, at.y_c)
    return call(
        filters.named(operator, "conv_2d_planes"), operator,
        x=c.activation(operator.inputs[0]),
        w=c.computed(
            operator, "w", filters.format_of(operator), columns.size(operator),
            lambda: grouped(operator, at.y_c),
        ),
        b=scaling.biases(c, operator, at.y_c, sums),
        taps=c.constant(operator, "taps", U16, found.taps()),
        at=record(c, operator, at),
        by=columns.scales(c, operator, factors, at.y_c),
        rows=found.rows,
        line=c.scratch(operator, I8, found.bytes) if found.line else None,
        planes=c.scratch(operator, I16),
        y=c.activation(operator.outputs[0]),
    )  # fmt: skip


def grouped(
    operator: Operator, outputs: int, places: int | None = None
) -> Iterator[float]:
    """Weights in groups of a few outputs: those of one place lie side by side; the
    outputs that are left make a smaller group. `places` may be more than the file has:
    their weights are 0."""
    values = filters.weights(operator)
    given = len(values) // outputs
    for first in range(0, outputs, TOGETHER):
        for place in range(places or given):
            for o in range(first, min(first + TOGETHER, outputs)):
                yield values[o * given + place] if place < given else 0
