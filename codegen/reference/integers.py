"""The arithmetic of i16 and i8: integers with a place of the point.

A number is values * 2^-fraction. Products and sums are exact; rounding is to nearest,
ties up, and saturating: `rounded` and `within` are the only places of either
(docs/integers.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codegen import streams, tables
from codegen.delays import Delays
from codegen.numbers import SUM, Numbers
from codegen.numbers import factor as factor_of
from codegen.reference import homeostasis, perturbation, random
from codegen.reference.arithmetic import F32
from codegen.reference.fronts import imported, liquid, raster, scaler, window
from codegen.reference.operations import Judged
from codegen.reservoir import Liquid
from codegen.spec import Inputs

I64: TypeAlias = NDArray[np.int64]

POINT = tables.POINT
_SLOPE = 14
_DRAWN = 15
"""Bits below the point of a drawn number in -1 .. 1."""
_SMALLER = 2
"""A direction's elements are +-2^-2."""


class Fixed(np.ndarray):
    """Numbers self * 2^-fraction. What learning changes is kept within `most`; other
    numbers have none. A part of them is such numbers, too."""

    fraction: int
    most: int

    def __array_finalize__(self, of: Any) -> None:
        self.fraction = getattr(of, "fraction", 0)
        self.most = getattr(of, "most", 0)

    @property
    def exact(self) -> I64:
        """The integers, in 64 bits."""
        return np.asarray(self).astype(np.int64)


def fixed(values: NDArray[Any], dtype: str, fraction: int, most: int = 0) -> Fixed:
    """Integers as they are stored, with the place of their point."""
    found = np.asarray(values, dtype, order="C").view(Fixed)
    found.fraction, found.most = fraction, most
    return found


def rounded(values: I64, shift: int) -> I64:
    """values * 2^-shift, to nearest, ties up."""
    if shift <= 0:
        return values << -shift
    shift = min(shift, 62)
    return (values + (1 << (shift - 1))) >> shift


def within(values: I64, most: int) -> I64:
    """Saturating: -most .. most."""
    return np.clip(values, -most, most)


def _stored(values: I64) -> Fixed:
    """As an activation, an error or a delta is stored."""
    return fixed(within(values, tables.LARGEST), "i1", POINT)


def signal(number: Fixed) -> Fixed:
    """Any number as such a one."""
    return _stored(rounded(number.exact, number.fraction - POINT))


def significant(value: float) -> tuple[int, int]:
    """(factor, shift) of a magnitude: its 8 leading bits, factor 2^-shift."""
    if value == 0:
        return 0, 0
    shift = 8 - math.frexp(value)[1]
    return math.floor(math.ldexp(value, shift)), shift


def network_input(inputs: Inputs, sample: NDArray[Any]) -> Fixed:
    """x [..., n_in] of samples [..., elements]: features of a frozen model are taken as
    they are, less their zero point."""
    if isinstance(inputs.front, Liquid):
        return _stored(liquid.integer_input(inputs, sample))
    if inputs.window is not None:
        return _stored(window.integer_input(inputs, sample))
    if inputs.scaler is not None:
        return _stored(scaler.integer_input(inputs, sample))
    if inputs.frozen is not None:
        return _stored(imported.centred(inputs, sample))
    if inputs.raster is not None:
        spikes = raster.network_input(inputs, sample)
        return _stored(spikes.astype(np.int64) * tables.LARGEST)
    by = factor_of(inputs.scale, inputs.format.bits)
    return _stored(rounded(sample.astype(np.int64) * by.factor, by.shift))


def carried(inputs: Inputs, state: dict[str, Any], sample: NDArray[Any]) -> Fixed:
    """x of a front whose state goes on."""
    if isinstance(inputs.front, Liquid):
        return _stored(liquid.integer_input(inputs, sample, state))
    return of_traces(state["trace"])


def of_traces(traces: NDArray[Any]) -> Fixed:
    """x of cells whose traces go on: a trace of 256 would be 1."""
    return _stored(rounded(traces.astype(np.int64), 8 - POINT))


def input_ends(inputs: Inputs, low: float, high: float) -> Fixed:
    """The x of the least and the largest that a sample's elements, or a front's
    features, can be."""
    if isinstance(inputs.front, Liquid):
        return _stored(liquid.integer_ends(inputs))
    if isinstance(inputs.front, Delays):
        return of_traces(np.array([0, 255]))
    if inputs.window is not None:
        return _stored(window.integer_ends(inputs, low, high))
    if inputs.scaler is not None:
        return _stored(scaler.integer_ends(inputs, low, high))
    if inputs.frozen is not None:
        return _stored(imported.ends(inputs))
    if inputs.raster is not None:
        return _stored(np.array([0, tables.LARGEST]))
    return network_input(inputs, np.array([math.floor(low), math.ceil(high)]))


def target(one_hot: F32) -> Fixed:
    """A target of labels, as it is stored."""
    return _stored(one_hot.astype(np.int64) * tables.ONE)


def drawn(
    numbers: Numbers,
    seed: int,
    stream: int,
    limit: float,
    shape: tuple[int, int],
    clip: float | None,
) -> Fixed:
    """First weights [n_in, n_out], uniform within `limit`: the upper 16 bits of each
    word, less 2^15, times the limit."""
    words = random.u32(seed, stream, 0, shape[0] * shape[1])
    uniform = (words >> np.uint32(16)).astype(np.int64) - (1 << _DRAWN)
    most = numbers.most(shape, limit, clip)
    found = within(rounded(uniform * numbers.units(limit), _DRAWN), most)
    dtype, fraction = numbers.weight.dtype, numbers.fraction(limit)
    return fixed(found.reshape(shape), dtype, fraction, most)


def told(sums: Fixed) -> F32:
    """Sums as float32, rounded once: what outputs are told as."""
    return np.ldexp(np.asarray(sums).astype(np.float32), -sums.fraction)


class Integers:
    """The operations of `operations.Arithmetic` that integers have, on `Fixed`."""

    def constant(self, values: F32 | np.float32) -> Fixed:
        """By the 8 leading bits of the largest magnitude."""
        array = np.asarray(values, np.float64)
        _, shift = significant(float(np.abs(array).max(initial=0.0)))
        return fixed(np.trunc(np.ldexp(array, shift)), "i8", shift)

    def witness(self, value: Fixed, name: str, made: str, fault: str = "") -> None:
        """An integer is always finite."""

    def chain(
        self, start: Fixed | None, *pairs: tuple[Fixed, Fixed], skip: bool = False
    ) -> Fixed:
        """Exact in any order."""
        ((factors, rows),) = pairs
        fraction = factors.fraction + rows.fraction
        found = factors.exact @ rows.exact
        if start is not None:
            found = found + (start.exact << (fraction - start.fraction))
        return _exact(found, fraction)

    def dot(self, rows: Fixed, y: Fixed) -> Fixed:
        """Exact in any order."""
        return _exact(rows.exact @ y.exact, rows.fraction + y.fraction)

    def negated(self, value: Fixed) -> Fixed:
        """What is stored is symmetric."""
        return fixed(-value.exact, value.dtype.str, value.fraction)

    def against(self, eta: np.float32, value: Fixed) -> Fixed:
        """Exact: the rate has 8 bits."""
        factor, shift = significant(float(eta))
        return fixed(-factor * value.exact, "i8", shift + value.fraction)

    def moved(self, tensor: Fixed, c: Fixed, v: Fixed) -> Fixed:
        """The product, rounded once to the tensor's fraction, then the sum."""
        return _nudged(tensor, c.exact * v.exact, c.fraction + v.fraction)

    def outer(self, w: Fixed, x: Fixed, s: Fixed, d: Fixed) -> tuple[Fixed, int]:
        """The same of every pair; most changes may be rounded away."""
        products = s.exact[:, None] * d.exact
        after = _nudged(w, products, s.fraction + d.fraction)
        return after, int(np.count_nonzero(after != w))

    def value(self, activation: str, a: Fixed) -> Fixed:
        """By a table, or clipped."""
        if activation == "hard-tanh":
            return signal(a)
        found = rounded(a.exact, a.fraction - 5)
        index = np.clip(found, -128, 127)
        return _stored(_TANH[index + 128])

    def slope(self, activation: str, h: Fixed, u: Fixed) -> Fixed:
        """u, stored, times 1 - h^2."""
        slopes = (1 << _SLOPE) - h.exact * h.exact
        return _stored(rounded(signal(u).exact * slopes, _SLOPE))

    def judged(self, output: str, a: Fixed, t: Fixed) -> Judged[Fixed]:
        """p are the sums themselves; the error is that of their sigmoid."""
        found = rounded(a.exact, a.fraction - 4)
        index = np.clip(found, -128, 127)
        e = _SIGMOID[index + 128] - t.exact
        missed = np.where(t > 0, -index, index)
        loss = np.float32(_SOFTPLUS[missed + 128].sum() / tables.LOSS_UNIT)
        return Judged(a, _stored(e), loss)

    def silence(self, width: int) -> Fixed:
        """Zeros, wherever their point is."""
        return _stored(np.zeros(width, np.int64))

    def charged(
        self, u: Fixed, s: Fixed | None, theta: float, a: Fixed, halves: bool
    ) -> Fixed:
        """Potentials a tick later, saturating: u, less theta where s is not zero, half of
        that, and what comes."""
        spiked = 0 if s is None else (s.exact != 0) * _units(theta, a.fraction)
        left = (u.exact - spiked) >> int(halves)
        moved = within(left + within(a.exact, tables.CHARGE), tables.CHARGE)
        return fixed(moved, "i4", a.fraction)

    def spiked(self, u: Fixed, theta: float) -> Fixed:
        """1 is the largest signal."""
        return _stored((u.exact >= _units(theta, u.fraction)) * tables.LARGEST)

    def lowered(self, u: Fixed, rise: Fixed, theta: float) -> Fixed:
        """u, less theta and what that has risen by."""
        least = _units(theta, u.fraction) + rise.exact
        return fixed(u.exact - least, "i4", u.fraction)

    def counted(self, count: Fixed, s: Fixed) -> Fixed:
        """One more where s is not zero."""
        return fixed(count.exact + (s.exact != 0), "i4", 0)

    def followed(
        self,
        parameters: homeostasis.Parameters,
        count: Fixed,
        ticks: int,
        rate: Fixed,
        rise: Fixed,
    ) -> tuple[Fixed, Fixed]:
        """Rates and rises after a sample of cells that have spiked `count` times."""
        theta = _units(float(parameters["theta"]), rise.fraction)
        now, moved = homeostasis.whole(
            parameters, count.exact, ticks, theta, rate.exact, rise.exact
        )
        return (
            fixed(now, "i4", rate.fraction, rate.most),
            fixed(moved, "i4", rise.fraction, rise.most),
        )

    def bernoulli(self, x: Fixed, seed: int, first: int) -> Fixed:
        """The upper 7 bits of a word against x."""
        words = random.u32(seed, streams.SPIKES, first, x.size) >> np.uint32(25)
        return _stored((words.astype(np.int64) < x.exact) * tables.LARGEST)

    def heard(self, raster: Fixed, tick: int) -> Fixed:
        """As it is."""
        return _stored(raster.exact[tick])

    def latency(self, x: Fixed, tick: int, ticks: int) -> Fixed:
        """1 in the tick that is the whole part of (1 - x) (ticks - 1), where x > 0."""
        due = ((tables.ONE - x.exact) * (ticks - 1)) >> POINT
        return _stored(((x.exact > 0) & (due == tick)) * tables.LARGEST)

    def halves(self, trace: Fixed, x: Fixed) -> Fixed:
        """Half of a trace, rounded down, and half of x, rounded up."""
        return _stored((trace.exact >> 1) + ((x.exact + 1) >> 1))

    def shares(self, total: Fixed, u: Fixed, ticks: int) -> Fixed:
        """total + u / ticks, rounded down."""
        return fixed(total.exact + u.exact // ticks, "i4", u.fraction)

    def surrogate(self, u: Fixed, theta: float, d: Fixed) -> Fixed:
        """By a table of the distance from the threshold."""
        apart = np.abs(u.exact - _units(theta, u.fraction)) >> (u.fraction - 5)
        return _stored(
            rounded(signal(d).exact * _SLOPES[np.minimum(apart, 255)], POINT)
        )

    def settled(
        self, name: str, before: Fixed, after: Fixed, limit: np.float32 | None
    ) -> Fixed:
        """It is: `most` is no larger."""
        return after

    def ternary(self, e: Fixed, threshold: np.float32) -> Fixed:
        """Signs of what is large."""
        large = np.abs(e.exact) >= _least(threshold)
        return _stored(np.where(large, np.sign(e.exact), 0) * tables.LARGEST)

    def negligible(self, e: Fixed, threshold: np.float32) -> bool:
        """Looks at the largest."""
        return bool(np.abs(e.exact).max() < _least(threshold))

    def shared(self, value: Fixed, count: float) -> Fixed:
        """By a power of two: the point moves."""
        places = math.frexp(count)[1] - 1
        return fixed(value.exact, value.dtype.str, value.fraction + places)

    def stacked(self, parts: Sequence[Fixed]) -> Fixed:
        """Of one kind."""
        exact = np.stack([part.exact for part in parts])
        return fixed(exact, parts[0].dtype.str, parts[0].fraction)

    def stored(self, value: Fixed) -> Fixed:
        """Rounded to 8 bits."""
        return signal(value)

    def drawn(
        self, kind: str, direction: tuple[int, int], layer: int, shape: tuple[int, int]
    ) -> Fixed:
        """Signs, a quarter long: tangents may be 4 times as large as a direction."""
        seed = perturbation.direction(*direction)
        signs = perturbation.rademacher(seed, layer, *shape)
        return fixed(signs, "i1", _SMALLER)

    def square(self) -> float:
        """Of such steps."""
        return 2.0 ** (-2 * _SMALLER)


def _units(theta: float, fraction: int) -> int:
    """A threshold, as potentials are stored."""
    return math.floor(math.ldexp(theta, fraction) + 0.5)


def _least(threshold: np.float32) -> int:
    """The least magnitude that is not below a threshold."""
    return math.ceil(math.ldexp(float(threshold), POINT))


def _exact(sums: I64, fraction: int) -> Fixed:
    """Sums, which 32 bits hold: the plan has proved it."""
    if np.abs(sums).max(initial=0) > SUM:
        raise OverflowError("a sum leaves 32 bits, and was proved not to")
    return fixed(sums, "i4", fraction)


def _nudged(tensor: Fixed, products: I64, fraction: int) -> Fixed:
    step = rounded(products, fraction - tensor.fraction)
    after = within(tensor.exact + step, tensor.most)
    return fixed(after, tensor.dtype.str, tensor.fraction, tensor.most)


_TANH, _SIGMOID, _SOFTPLUS, _SLOPES = (
    np.array(table, np.int64)
    for table in (tables.TANH, tables.SIGMOID, tables.SOFTPLUS, tables.SLOPE)
)
