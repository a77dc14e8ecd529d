"""The arithmetic of integers on their bounds: that no sum of 32 bits overflows.

Bounds are exact integers. What learning changes is kept within its limit by every
update, so one step from any state within its limits stands for all steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from codegen import tables
from codegen.numbers import SUM
from codegen.reference import homeostasis, integers
from codegen.reference.arithmetic import F32
from codegen.reference.integers import POINT, Fixed
from codegen.reference.intervals import Entry, Unbounded
from codegen.reference.operations import Judged


@dataclass(frozen=True)
class Range:
    """Every element of a tensor of this shape is lo .. hi, times 2^-fraction."""

    lo: int
    hi: int
    fraction: int
    shape: tuple[int, ...] = ()
    most: int = 0

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    def __getitem__(self, place: int | slice) -> Range:
        """A part: within the same bounds."""
        if isinstance(place, slice):
            first, last, _ = place.indices(self.shape[0])
            return replace(self, shape=(last - first, *self.shape[1:]))
        return replace(self, shape=self.shape[1:])


def around(values: Fixed) -> Range:
    """The least range of numbers."""
    lo, hi = int(values.min(initial=0)), int(values.max(initial=0))
    return Range(lo, hi, values.fraction, values.shape)


def anywhere(values: Fixed) -> Range:
    """All that a tensor of the state may come to hold."""
    return Range(-values.most, values.most, values.fraction, values.shape, values.most)


def signals(shape: tuple[int, ...]) -> Range:
    """All that an activation, an error or a delta may be."""
    return Range(-tables.LARGEST, tables.LARGEST, POINT, shape)


def _products(a: Range, b: Range, count: int, start: tuple[int, int]) -> Range:
    """`start` and so many products, added one by one in any order: 32 bits must hold
    every sum on the way. Raises `Unbounded`."""
    corners = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    lo = min(0, start[0]) + count * min(0, *corners)
    hi = max(0, start[1]) + count * max(0, *corners)
    if max(-lo, hi) > SUM:
        why = f"its magnitude may reach {max(-lo, hi):,}, and 32 bits hold {SUM:,}"
        raise Unbounded(f"a sum of {count} products", why)
    return Range(lo, hi, a.fraction + b.fraction)


class IntegerBounds:
    """The operations of `integers.Integers` on ranges; `entries` are the tensors it has
    bounded, in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def constant(self, values: F32 | np.float32) -> Range:
        """As integers have it."""
        return around(integers.Integers().constant(values))

    def witness(self, value: Range, name: str, made: str, fault: str = "") -> None:
        """Enter a tensor."""
        unit = 2.0**-value.fraction
        self.entries.append(Entry(name, made, value.lo * unit, value.hi * unit))

    def chain(
        self, start: Range | None, *pairs: tuple[Range, Range], skip: bool = False
    ) -> Range:
        """Every sum on the way."""
        ((factors, rows),) = pairs
        first = 0, 0
        if start is not None:
            shift = factors.fraction + rows.fraction - start.fraction
            first = start.lo << shift, start.hi << shift
        found = _products(factors, rows, factors.shape[0], first)
        return replace(found, shape=rows.shape[1:])

    def dot(self, rows: Range, y: Range) -> Range:
        """Likewise."""
        found = _products(rows, y, rows.shape[-1], (0, 0))
        return replace(found, shape=rows.shape[:-1])

    def negated(self, value: Range) -> Range:
        """The ends change places."""
        return replace(value, lo=-value.hi, hi=-value.lo)

    def against(self, eta: np.float32, value: Range) -> Range:
        """The product with the rate's 8 bits."""
        factor, shift = integers.significant(float(eta))
        rate = Range(-factor, -factor, shift)
        return replace(_products(rate, value, 1, (0, 0)), shape=value.shape)

    def moved(self, tensor: Range, c: Range, v: Range) -> Range:
        """Saturated; its product must fit."""
        _products(c, v, 1, (0, 0))
        return tensor

    def outer(self, w: Range, x: Range, s: Range, d: Range) -> tuple[Range, int]:
        """Likewise."""
        return self.moved(w, s, d), w.size

    def value(self, activation: str, a: Range) -> Range:
        """Any."""
        return signals(a.shape)

    def slope(self, activation: str, h: Range, u: Range) -> Range:
        """Any."""
        return signals(u.shape)

    def judged(self, output: str, a: Range, t: Range) -> Judged[Range]:
        """Any error."""
        return Judged(a, signals(a.shape), np.float32(0))

    def silence(self, width: int) -> Range:
        """Zeros."""
        return Range(0, 0, POINT, (width,))

    def charged(
        self, u: Range, s: Range | None, theta: np.float32, a: Range, halves: bool
    ) -> Range:
        """Anywhere that does not saturate."""
        return Range(-tables.CHARGE, tables.CHARGE, a.fraction, a.shape)

    def spiked(self, u: Range, theta: np.float32) -> Range:
        """A cell spikes or does not."""
        return Range(0, tables.LARGEST, POINT, u.shape)

    def lowered(self, u: Range, rise: Range, theta: np.float32) -> Range:
        """From a threshold that is all risen to one that has sunk to nothing."""
        first = math.floor(math.ldexp(float(theta), u.fraction) + 0.5)
        return Range(u.lo - first - rise.hi, u.hi, u.fraction, u.shape)

    def counted(self, count: Range, s: Range) -> Range:
        """Of as many ticks as there may be."""
        return Range(0, count.hi + 1, 0, s.shape)

    def followed(
        self,
        parameters: homeostasis.Parameters,
        count: Range,
        ticks: int,
        rate: Range,
        rise: Range,
    ) -> tuple[Range, Range]:
        """Held within their limits."""
        self.witness(rise, "theta", "homeostasis, within its limits")
        return rate, rise

    def bernoulli(self, x: Range, seed: int, first: int) -> Range:
        """An input of more than 0 may spike."""
        return Range(0, tables.LARGEST * (x.hi > 0), POINT, x.shape)

    def heard(self, raster: Range, tick: int) -> Range:
        """Every row's bounds are the same."""
        return raster

    def latency(self, x: Range, tick: int, ticks: int) -> Range:
        """Likewise."""
        return self.bernoulli(x, 0, 0)

    def halves(self, trace: Range, x: Range) -> Range:
        """Any."""
        return signals(x.shape)

    def shares(self, total: Range, u: Range, ticks: int) -> Range:
        """A mean of potentials is one, and what rounding down takes."""
        return Range(-tables.CHARGE - ticks, tables.CHARGE, u.fraction, u.shape)

    def surrogate(self, u: Range, theta: np.float32, d: Range) -> Range:
        """Any."""
        return signals(d.shape)

    def settled(
        self, name: str, before: Range, after: Range, limit: np.float32 | None
    ) -> Range:
        """The induction's step: where it was, it stays."""
        self.witness(after, name, "update, saturated")
        return after

    def ternary(self, e: Range, threshold: np.float32) -> Range:
        """Any of the three."""
        return signals(e.shape)

    def shared(self, value: Range, count: float) -> Range:
        """The point moves."""
        return replace(value, fraction=value.fraction + math.frexp(count)[1] - 1)

    def stacked(self, parts: Sequence[Range]) -> Range:
        """Around all of them."""
        lo, hi = min(part.lo for part in parts), max(part.hi for part in parts)
        return replace(parts[0], lo=lo, hi=hi, shape=(len(parts), *parts[0].shape))

    def stored(self, value: Range) -> Range:
        """Any."""
        return signals(value.shape)

    def drawn(
        self, kind: str, direction: tuple[int, int], layer: int, shape: tuple[int, int]
    ) -> Range:
        """Any direction."""
        some = integers.Integers().drawn(kind, direction, layer, (1, 1))
        return Range(-1, 1, some.fraction, shape)

    def square(self) -> float:
        """As integers have it."""
        return integers.Integers().square()

    def negligible(self, e: Range, threshold: np.float32) -> bool:
        """It may not be, and what is not updated stays within its bounds."""
        return False
