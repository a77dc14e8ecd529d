"""The arithmetic on intervals: what every value stays within, whatever comes.

Each operation gives an interval that holds every binary32 value which the contract's
operation can give of values within its operands': bounds are computed in binary64
and rounded outwards to binary32, sums term by term as the contract orders them. More
than 400 lines because every operation of the arithmetic stands here once more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.operations import Judged, Limits

LARGEST = float(np.finfo(np.float32).max)
LARGEST_NORMAL = 5.2948
"""No normal number of `perturbation.normal` is larger (docs/arithmetic.md)."""
ULPS = 3
"""tanh, sigmoid and exp are within so many units in the last place of the exact
functions (docs/arithmetic.md)."""


class Unbounded(Exception):
    """An operation whose result has no bound; `where` names it."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


def down(value: float) -> float:
    """A binary32 number that is no larger, and not the next one either; an exact
    zero stays one."""
    if value == 0:
        return 0.0
    return float(np.nextafter(np.float32(value), np.float32(-np.inf)))


def up(value: float) -> float:
    """A binary32 number that is no smaller, and not the next one either."""
    if value == 0:
        return 0.0
    return float(np.nextafter(np.float32(value), np.float32(np.inf)))


@dataclass(frozen=True)
class Interval:
    """Every element of a tensor of this shape is in [lo, hi]; those of its row i are
    in rows[i], where rows are known apart."""

    lo: float
    hi: float
    shape: tuple[int, ...] = ()
    rows: tuple[Interval, ...] = ()

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def most(self) -> float:
        """The largest magnitude."""
        return max(abs(self.lo), abs(self.hi))

    def __getitem__(self, place: int | slice) -> Interval:
        """A part: within the same bounds."""
        if isinstance(place, slice):
            first, last, _ = place.indices(self.shape[0])
            return Interval(self.lo, self.hi, (last - first, *self.shape[1:]))
        return Interval(self.lo, self.hi, self.shape[1:])

    def row(self, place: int) -> Interval:
        """Bounds of row `place`."""
        return self.rows[place] if self.rows else self

    def __neg__(self) -> Interval:
        rows = tuple(-row for row in self.rows)
        return Interval(0.0 - self.hi, 0.0 - self.lo, self.shape, rows)

    def __mul__(self, other: Interval) -> Interval:
        """Rounded once."""
        lo, hi = _product(self, other)
        return Interval(down(lo), up(hi), self.shape)

    def __sub__(self, other: Interval) -> Interval:
        """Rounded once; what is left alone by a zero is exact."""
        lo = down(self.lo - other.hi) if other.hi else self.lo
        hi = up(self.hi - other.lo) if other.lo else self.hi
        return Interval(lo, hi, self.shape)

    def __truediv__(self, other: float) -> Interval:
        """By a positive number, rounded once."""
        return Interval(down(self.lo / other), up(self.hi / other), self.shape)


def around(values: F32 | np.float32, depth: int = 1) -> Interval:
    """The least interval of numbers; of each row apart, where there are any."""
    array = np.asarray(values, np.float64)
    apart = array if depth and array.ndim else ()
    rows = tuple(around(row, depth - 1) for row in apart)
    return Interval(float(array.min()), float(array.max()), array.shape, rows)


def _product(a: Interval, b: Interval) -> tuple[float, float]:
    """Exact bounds of a product, zero among them: a factor may be skipped."""
    corners = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    return min(0.0, *corners), max(0.0, *corners)


def chain(start: Interval, terms: Sequence[tuple[Interval, Interval]]) -> Interval:
    """fma after fma from `start` on, each rounded once, each maybe left out."""
    lo, hi = start.lo, start.hi
    for a, b in terms:
        low, high = _product(a, b)
        lo, hi = min(lo, down(lo + low)), max(hi, up(hi + high))
    return Interval(lo, hi, start.shape)


def dot(a: Interval, b: Interval, n: int) -> Interval:
    """dot16 of n terms: up to 16 in sequence, else 16 sums that are folded."""
    zero = Interval(0.0, 0.0)
    if n <= 16:
        return chain(zero, [(a, b)] * n)
    found = chain(zero, [(a, b)] * -(-n // 16))
    for _ in range(4):
        found = Interval(down(2 * found.lo), up(2 * found.hi))
    return found


@dataclass(frozen=True)
class Entry:
    """A tensor of the step, what makes it, and its bounds."""

    tensor: str
    operation: str
    lo: float
    hi: float


def _sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v)) if v > -700 else 0.0


def widened(value: float, count: int) -> float:
    """`value`, outwards by so many units in the last place of binary32."""
    found = np.float32(value)
    for _ in range(abs(count)):
        found = np.nextafter(found, np.float32(math.copysign(np.inf, count)))
    return float(found)


class Intervals:
    """`operations.Arithmetic` of intervals; `entries` are the tensors it has bounded,
    in order. No operation changes a tensor in place."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def constant(self, values: F32 | np.float32) -> Interval:
        """Row by row."""
        return around(values)

    def witness(self, value: Interval, name: str, made: str, fault: str = "") -> None:
        """Enter a tensor; raises `Unbounded` where it may overflow."""
        self.entries.append(Entry(name, made, value.lo, value.hi))
        if not value.most <= LARGEST:
            raise Unbounded(name, f"{made} may overflow binary32")

    def chain(
        self,
        start: Interval | None,
        *pairs: tuple[Interval, Interval],
        skip: bool = False,
    ) -> Interval:
        """Whatever may be left out is counted both ways, `skip` or not."""
        factors, rows = pairs[0]
        terms = [
            (a.row(i), b.row(i)) for i in range(factors.shape[0]) for a, b in pairs
        ]
        found = chain(start or Interval(0.0, 0.0), terms)
        return Interval(found.lo, found.hi, rows.shape[1:])

    def dot(self, rows: Interval, y: Interval) -> Interval:
        """In the order of `dot16`."""
        found = dot(rows, y, rows.shape[-1])
        return Interval(found.lo, found.hi, rows.shape[:-1])

    def negated(self, value: Interval) -> Interval:
        """The ends change places."""
        return -value

    def shared(self, value: Interval, count: float) -> Interval:
        """One division."""
        return value / float(np.float32(count))

    def against(self, eta: np.float32, value: Interval) -> Interval:
        """One product."""
        return value * around(-eta)

    def stacked(self, parts: Sequence[Interval]) -> Interval:
        """Around all of them."""
        lo, hi = min(part.lo for part in parts), max(part.hi for part in parts)
        return Interval(lo, hi, (len(parts), *parts[0].shape))

    def moved(self, tensor: Interval, c: Interval, v: Interval) -> Interval:
        """Zero factors leave it as it is."""
        lo, hi = _product(c, v)
        return Interval(down(tensor.lo + lo), up(tensor.hi + hi), tensor.shape)

    def difference(self, x: Interval, y: Interval) -> Interval:
        """One subtraction."""
        return x - y

    def scaled(self, c: np.float32, value: Interval) -> Interval:
        """One product."""
        return value * around(c)

    def ratio(self, value: Interval, by: Interval) -> Interval:
        """The smallest divisor gives the most."""
        ends = [v / w for v in (value.lo, value.hi) for w in (by.lo, by.hi)]
        return Interval(down(min(ends)), up(max(ends)), value.shape)

    def adapted(
        self, variance: Interval, eps: Interval, rate: np.float32, within: Limits
    ) -> Interval:
        """Anywhere within the limits."""
        return Interval(float(within[0]), float(within[1]), variance.shape)

    def regulated(
        self, theta: Interval, rate: Interval, wanted: np.float32, gain: np.float32,
        within: Limits,
    ) -> Interval:  # fmt: skip
        """Anywhere within the limits."""
        return Interval(float(within[0]), float(within[1]), theta.shape)

    def halved(self, value: Interval, before: Interval, after: Interval) -> Interval:
        """Either, of what is not below zero: halving is exact, but where it is not
        normal."""
        return Interval(down(value.lo / 2), value.hi, value.shape)

    def summed(self, a: Interval, c: np.float32, u: Interval) -> Interval:
        """The ends of the product at the ends of a."""
        return self.moved(a, around(c), u)

    def leaked(self, s: Interval, rate: np.float32, goal: Interval) -> Interval:
        """Between s and the goal, and what two roundings may add: each at most half a
        unit in the last place of the largest that there is."""
        lo, hi = min(s.lo, goal.lo), max(s.hi, goal.hi)
        more = float(np.spacing(np.float32(2 * max(abs(lo), abs(hi)))))
        return Interval(down(lo - more), up(hi + more), s.shape)

    def within_one(self, value: Interval) -> Interval:
        """Two choices."""
        lo, hi = (min(max(end, 0.0), 1.0) for end in (value.lo, value.hi))
        return Interval(lo, hi, value.shape)

    def spiked(self, u: Interval, theta: np.float32) -> Interval:
        """A cell spikes or does not."""
        return Interval(float(u.lo >= theta), float(u.hi >= theta), u.shape)

    def bernoulli(self, x: Interval, seed: int, first: int) -> Interval:
        """An input from 1 on always spikes, none up to 0 does; any other may."""
        return Interval(float(x.lo >= 1), float(x.hi > 0), x.shape)

    def heard(self, raster: Interval, tick: int) -> Interval:
        """Every row's bounds are the same."""
        return raster

    def latency(self, x: Interval, tick: int, ticks: int) -> Interval:
        """An input that is 0 or less never spikes; any other may."""
        return Interval(0.0, float(x.hi > 0), x.shape)

    def surrogate(self, u: Interval, theta: np.float32, d: Interval) -> Interval:
        """One product with a slope that is never more than 1."""
        return d * Interval(0.0, 1.0)

    def product(self, x: Interval, d: Interval) -> Interval:
        """Bounds of any pair."""
        found = x * d
        return Interval(found.lo, found.hi, (x.size, d.size))

    def decayed(self, v: Interval, mu: np.float32, g: Interval) -> Interval:
        """Where it stays in every step, however many come: with h = g / (1 - mu), and
        a little more, mu h + g is less than h by more than it can be rounded up."""
        left = 1.0 - float(mu)
        widest = (1 + 2.0**-22 / left) / left
        lo, hi = min(0.0, g.lo) * widest, max(0.0, g.hi) * widest
        return Interval(down(lo), up(hi), v.shape)

    def outer(
        self, w: Interval, x: Interval, s: Interval, d: Interval
    ) -> tuple[Interval, int]:
        """Every row, written or left out."""
        return self.moved(w, s, d), w.size

    def bounded(
        self, w: Interval, x: Interval, s: Interval, d: Interval, most: np.float32
    ) -> tuple[Interval, int]:
        """Anywhere within the bound."""
        return Interval(-float(most), float(most), w.shape), x.size

    def contrasted(self, v: Interval, s: Interval) -> Interval:
        """From nothing to twice s, which is exact."""
        return Interval(min(0.0, 2 * s.lo), max(0.0, 2 * s.hi), s.shape)

    def unseen(self, counts: Interval, t: Interval) -> bool:
        """It may be, which costs what nothing comes after."""
        return False

    def averaged(
        self, w: Interval, b: Interval, counts: Interval, x: Interval, t: Interval,
        limit: np.float32, least: np.float32,
    ) -> tuple[Interval, Interval, Interval]:  # fmt: skip
        """Means between what they are of, counts that stay where one more is none, and
        offsets of no sample to those of the largest mean."""
        mean = self.clipped(self.leaked(w, np.float32(1), x), limit)
        most = float(np.float32(2.0**24))
        offsets = Interval(float(least), 0.0, b.shape)
        return mean, offsets, Interval(0.0, most, counts.shape)

    def scattered(
        self, s: Interval, means: Interval, counts: Interval, total: Interval,
        x: Interval, t: Interval, limit: np.float32,
    ) -> tuple[Interval, Interval]:  # fmt: skip
        """Anywhere within the limit, of a total that stays where one more is none."""
        most = float(limit)
        return Interval(0.0, 2.0**24, total.shape), Interval(-most, most, s.shape)

    def discriminant(
        self, s: Interval, means: Interval, counts: Interval, shrinkage: np.float32,
        limit: np.float32, least: np.float32,
    ) -> tuple[Interval, Interval]:  # fmt: skip
        """Anywhere within the limit, whatever the covariance is."""
        most = float(limit)
        offsets = Interval(float(least), 0.0, counts.shape)
        return Interval(-most, most, means.shape), offsets

    def value(self, activation: str, a: Interval) -> Interval:
        """All activations rise, so that the ends are enough."""
        ends: dict[str, Callable[[float], float]] = {
            "tanh": math.tanh,
            "sigmoid": _sigmoid,
            "relu": lambda v: max(v, 0.0),
            "identity": lambda v: v,
        }
        lo, hi = ends[activation](a.lo), ends[activation](a.hi)
        if activation in ("tanh", "sigmoid"):
            least = -1.0 if activation == "tanh" else 0.0
            lo, hi = max(least, widened(lo, -ULPS)), min(1.0, widened(hi, ULPS))
        return Interval(lo, hi, a.shape)

    def slope(self, activation: str, h: Interval, u: Interval) -> Interval:
        """One product with the slope's own interval."""
        slopes = {
            "tanh": Interval(down(1 - min(1.0, h.most) ** 2), 1.0),
            "sigmoid": Interval(0.0, up(0.25)),
            "relu": Interval(0.0, 1.0),
            "identity": Interval(1.0, 1.0),
        }
        return u * slopes[activation]

    def judged(self, output: str, a: Interval, t: Interval) -> Judged[Interval]:
        """No loss: nothing comes after it."""
        if output == "softmax":
            if a.hi - a.lo > LARGEST:
                raise Unbounded("p", "a - max a may overflow binary32")
            p = Interval(0.0, 1.0, a.shape)
        else:
            p = self.value(output, a)
        return Judged(p, p - t, np.float32(0))

    def clipped(self, value: Interval, limit: np.float32) -> Interval:
        """v < limit ? v : limit, then the same below."""
        most = float(limit)
        lo, hi = (max(min(end, most), -most) for end in (value.lo, value.hi))
        return Interval(lo, hi, value.shape)

    def settled(
        self, name: str, before: Interval, after: Interval, limit: np.float32 | None
    ) -> Interval:
        """The induction's step: raises `Unbounded` where nothing ends the growth."""
        if limit is None:
            step = max(before.lo - after.lo, after.hi - before.hi)
            why = f"a step may add up to {step:.3g}, and nothing ends that"
            raise Unbounded(name, why)
        kept = self.clipped(after, limit)
        self.entries.append(Entry(name, "update, clipped", kept.lo, kept.hi))
        return kept

    def ternary(self, e: Interval, threshold: np.float32) -> Interval:
        """Any of the three."""
        return Interval(-1.0, 1.0, e.shape)

    def negligible(self, e: Interval, threshold: np.float32) -> bool:
        """It may not be, and what is not updated stays within its bounds."""
        return False

    def drawn(
        self, kind: str, direction: tuple[int, int], layer: int, shape: tuple[int, int]
    ) -> Interval:
        """Any direction."""
        most = 1.0 if kind == "rademacher" else LARGEST_NORMAL
        return Interval(-most, most, shape)

    def square(self) -> float:
        """As floats have it."""
        return 1.0

    def stored(self, value: Interval) -> Interval:
        """Itself."""
        return value
