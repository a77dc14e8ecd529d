"""Convolutions of 8 bits on vectors: lanes are pixels that follow one another, a strip.

What each place of their windows sees lies by itself, so that two places at once are loaded as
they lie, whole registers. A strip may begin and end within a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from codegen.formats import I8, I16
from codegen.graph.description import Operator
from codegen.lowering import columns, filters, scaling
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.fixed_point import Factor
from codegen.lowering.planes import MOST, TOGETHER, WIDE, grouped
from codegen.lowering.windows import Windows, record
from codegen.program import Op

FURTHEST = 1 << 16
"""Bytes that pixels of a strip may be apart: an index has 16 bits."""

SHORTEST = 32
"""Pixels of a strip where a register has 128 bits: what is planned for more may run there."""


@dataclass(frozen=True)
class Strips:
    """Strips of up to `most` pixels."""

    at: Windows
    most: int
    size: int = 1
    """Bytes of a number of the image."""

    @property
    def places(self) -> int:
        """Of a window, and one more where they are odd."""
        at = self.at
        return ceil(at.k_h * at.k_w * at.x_c / 2) * 2

    @property
    def bytes(self) -> int:
        """Of what all places see."""
        return WIDE * self.places * self.most

    @property
    def line(self) -> int:
        """Bytes of the rows that windows of a strip see, where they are written out."""
        at = self.at
        if at.inside:
            return 0
        seen = (self._rows - 1) * at.stride_h + (at.k_h - 1) * at.apart_h + 1
        return self.size * seen * at.width_seen * at.x_c

    @property
    def fits(self) -> bool:
        """Whether there is room, and indices reach the pixels of a strip."""
        at = self.at
        pitch = self.size * (at.x_w if at.inside else at.width_seen) * at.x_c
        reach = max(self._rows * at.stride_h * pitch, at.y_w + self.most)
        return self.bytes + self.line <= MOST and (reach <= FURTHEST or self._even)

    @property
    def _rows(self) -> int:
        """Rows of the output that a strip may have pixels of: it begins at a multiple of its
        length, and is shorter where registers are."""
        at, count = self.at, 0
        for length in (
            SHORTEST << k for k in range((self.most // SHORTEST).bit_length())
        ):
            for first in range(0, at.y_h * at.y_w, length):
                last = min(first + length, at.y_h * at.y_w) - 1
                count = max(count, last // at.y_w - first // at.y_w + 1)
        return count

    @property
    def _even(self) -> bool:
        """Whether all pixels are as far apart: those of one row that are windows by themselves."""
        at = self.at
        return at.inside and at.x_h == at.y_h == 1 and at.x_w == at.y_w

    def instructions(self, vlen: int) -> float:
        """An estimate: two places of a group of outputs take four instructions for an output
        and 2.4 for all of them, each output some 15 at its end, and each place some six to be
        brought there."""
        at = self.at
        groups = [TOGETHER] * (at.y_c // TOGETHER) + [1] * (at.y_c % TOGETHER)
        pairs = self.places / 2
        strip = sum(pairs * (4 * n + 2.4) + 15 * n + 20 for n in groups)
        strip += (5 if self._even else 7) * self.places + 60
        if self.line:
            strip += 20 * self._rows * at.stride_h
        return at.images * strip * ceil(at.y_h * at.y_w / self.most)


def strips(at: Windows, vlen: int, size: int = 1) -> Iterator[Strips]:
    """As long as a group of registers of `vlen` bits is, where there is room for them."""
    found = Strips(at.pixels, vlen // 4, size)
    if found.fits:
        yield found


def convolution(
    c: GraphComposer, operator: Operator, found: Strips, factors: Sequence[Factor]
) -> tuple[Op, ...]:
    """One call."""
    at = found.at
    sums = scaling.row_sums(operator, at.y_c)
    count = found.places * at.y_c
    return call(
        filters.named(operator, "conv_2d_strips"), operator,
        x=c.activation(operator.inputs[0]),
        w=c.computed(
            operator, "w", filters.format_of(operator), count,
            lambda: _weights(operator, found),
        ),
        b=scaling.biases(c, operator, at.y_c, sums),
        at=record(c, operator, at),
        by=columns.scales(c, operator, factors, at.y_c),
        most=found.most,
        line=c.scratch(operator, I8, found.bytes) if found.line else None,
        planes=c.scratch(operator, I16),
        y=c.activation(operator.outputs[0]),
    )  # fmt: skip


def _weights(operator: Operator, found: Strips) -> Iterator[float]:
    return grouped(operator, found.at.y_c, found.places)
