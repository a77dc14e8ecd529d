"""A step on intervals: what every value stays within, whatever comes.

The twin of a rule is run once more, on a learner whose tensors are intervals. Each
operation gives an interval that holds every binary32 value which the contract's
operation can give of values within its operands': bounds are computed in binary64
and rounded outwards to binary32, sums term by term as the contract orders them. So
a rule needs nothing of its own to be certified (docs/certificate.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.learner import Learner, Result
from codegen.spec import Spec
from codegen.window import PER_AXIS, Window

LARGEST = float(np.finfo(np.float32).max)
LARGEST_NORMAL = 5.2948
"""No normal number of `perturbation.normal` is larger (docs/arithmetic.md)."""
ULPS = 3
"""tanh, sigmoid and exp are within so many units in the last place of the exact
functions (docs/arithmetic.md)."""
RANGES = {"u8": (0, 255), "i16": (-32768, 32767)}


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
    """Every element of a tensor of this shape is in [lo, hi]."""

    lo: float
    hi: float
    shape: tuple[int, ...] = ()

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

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo, self.shape)

    def __mul__(self, other: Interval | float) -> Interval:
        """Rounded once."""
        lo, hi = _product(self, _interval(other))
        return Interval(down(lo), up(hi), self.shape)

    __rmul__ = __mul__

    def __truediv__(self, other: float) -> Interval:
        """By a positive number, rounded once."""
        return Interval(down(self.lo / other), up(self.hi / other), self.shape)

    def hull(self, other: Interval) -> Interval:
        """Both."""
        return Interval(min(self.lo, other.lo), max(self.hi, other.hi), self.shape)

    def within(self, other: Interval) -> bool:
        """Whether `other` holds it."""
        return other.lo <= self.lo and self.hi <= other.hi


def _interval(value: Interval | float | np.float32 | F32) -> Interval:
    if isinstance(value, Interval):
        return value
    array = np.asarray(value, np.float64)
    return Interval(float(array.min()), float(array.max()), array.shape)


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


class BoundedLearner(Learner):
    """A learner on intervals; `entries` are what it has bounded, in order.

    Weights and biases, and a rule's own tensors, are anywhere within the spec's
    clip_weights; without that limit an update raises `Unbounded`.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.entries: list[Entry] = []
        limit = spec.clip.weights
        most = LARGEST if limit is None else float(np.float32(limit))
        bounded = {
            name: Interval(-most, most, tensor.shape)
            for name, tensor in self.state.items()
            if name != "tau"
        }
        if limit is None:  # where learning starts; what it does is found out
            bounded = {n: _interval(t) for n, t in self.state.items() if n != "tau"}
        self.state = cast(dict[str, F32], bounded)

    @np.errstate(all="ignore")
    def bound(self, x: Interval, label: int, eta: np.float32) -> None:
        """One step from any state, with any sample in x; raises `Unbounded`."""
        self._twin.step(self, cast(F32, x), label, eta)

    def leave(self) -> None:
        """Enter what no step changes."""
        known = {entry.tensor for entry in self.entries}
        for name, tensor in self.state.items():
            if name not in known:
                kept = _interval(tensor)
                self.entries.append(Entry(name, "not changed", kept.lo, kept.hi))

    # every method is the learner's of that name, on intervals

    def begin(self, x: F32) -> None:
        self.trace = {"x": x}
        made = "v / scale" if self.spec.inputs.window is None else "features"
        self._bounded("x", made, x)

    def hidden(self, layer: int) -> F32:
        a = self._bounded(f"a{layer}", "forward", self._layer(layer))
        h = self._function(a)
        return cast(F32, self._bounded(f"h{layer}", self.spec.network.activation, h))

    def top(self) -> F32:
        return cast(F32, self._bounded("p", "forward", self._layer(self.depth), "a"))

    def judge(self, a: F32, label: int) -> Result:
        p, e = self._judged(_interval(a))
        self._bounded("p", self.spec.network.output, p)
        self._bounded("e", "p - t", _interval(self.tempered(cast(F32, e))))
        return Result(cast(F32, p), np.float32(0))

    def judged(self, name: str, a: F32, label: int) -> F32:
        p, e = self._judged(self._bounded(f"p{name}", "read-out", _interval(a), "r"))
        self._bounded(f"p{name}", self.spec.network.output, p)
        tempered = _interval(self.tempered(cast(F32, e)))
        return cast(F32, self._bounded(f"e{name}", "p - t", tempered))

    def tempered(self, e: F32) -> F32:
        limit, found = self.spec.clip.error, _interval(e)
        if limit is None:
            return e
        most = float(np.float32(limit))
        return cast(F32, _cut(found, most))

    def ternary(self, e: F32, threshold: np.float32) -> F32:
        return cast(F32, Interval(-1.0, 1.0, _interval(e).shape))

    def negligible(self, e: F32) -> bool:
        return False  # what is not updated stays within its bounds

    def slope(self, layer: int, u: F32) -> F32:
        h, kind = _interval(self.trace[f"h{layer}"]), self.spec.network.activation
        slopes = {
            "tanh": Interval(down(1 - min(1.0, h.most) ** 2), 1.0),
            "sigmoid": Interval(0.0, up(0.25)),
            "relu": Interval(0.0, 1.0),
            "identity": Interval(1.0, 1.0),
        }
        return cast(F32, _interval(u) * slopes[kind])

    def affine(self, layer: int, b: F32, x: F32) -> F32:
        w, x_, b_ = _interval(self.state[f"W{layer}"]), _interval(x), _interval(b)
        found = chain(b_, [(x_, w)] * x_.shape[-1])
        return cast(F32, Interval(found.lo, found.hi, (w.shape[1],)))

    def backward(self, name: str, d: F32) -> F32:
        w, d_ = _interval(self.state[name]), _interval(d)
        found = dot(w, d_, w.shape[1])
        return cast(F32, Interval(found.lo, found.hi, (w.shape[0],)))

    def project(self, matrix: F32, e: F32) -> F32:
        if isinstance(matrix, Interval):
            rows = [matrix] * matrix.shape[0]
        else:  # feedback, which never changes
            rows = [_interval(row) for row in matrix]
        if isinstance(e, Interval):
            factors = [e] * len(rows)
        else:  # a target, which is one of a few
            factors = [_interval(value) for value in e]
        terms = list(zip(factors, rows, strict=True))
        found = chain(Interval(0.0, 0.0), terms)
        return cast(F32, Interval(found.lo, found.hi, (matrix.shape[1],)))

    def dot(self, x: F32, y: F32) -> np.float32:
        found = dot(_interval(x), _interval(y), _interval(x).shape[-1])
        return cast(np.float32, found)

    def numbers(self, name: str, values: Sequence[np.float32]) -> F32:
        found = _interval(values[0])
        for value in values[1:]:
            found = found.hull(_interval(value))
        return self.note(name, cast(F32, Interval(found.lo, found.hi, (len(values),))))

    def mean_along(self, along: Sequence[F32], slopes: F32) -> F32:
        each = _interval(slopes) / len(along)
        found = chain(Interval(0.0, 0.0), [(each, _interval(u)) for u in along])
        return cast(F32, Interval(found.lo, found.hi, _interval(along[0]).shape))

    def drawn(self, k: int, layer: int, rows: int, n: int) -> F32:
        kind = self.rule.parameters["perturbation"]
        most = 1.0 if kind == "rademacher" else LARGEST_NORMAL
        return cast(F32, Interval(-most, most, (rows, n)))

    def derivative(self, layer: int, v: F32, t: F32 | None) -> F32:
        w, v_ = _interval(self.state[f"W{layer}"]), _interval(v)
        x = _interval(self.input_of(layer))
        terms = [(x, v_)] if t is None else [(_interval(t), w), (x, v_)]
        found = chain(v_, terms * x.shape[-1])
        return cast(F32, Interval(found.lo, found.hi, (w.shape[1],)))

    def move(self, layer: int, c: np.float32, v: F32) -> None:
        for name in (f"W{layer}", f"b{layer}"):
            self._moved(name, _interval(cast(F32, c)), _interval(v), clipped=False)

    def finish(self, layer: int) -> None:
        for name in (f"W{layer}", f"b{layer}"):
            self._settle(name)

    def update_layer(self, layer: int, eta: np.float32) -> None:
        d = _interval(self.trace[f"d{layer}" if layer < self.depth else "e"])
        rate = Interval(-float(eta), -float(eta))
        s = self._bounded(
            f"s{layer}", "-(eta x)", _interval(self.input_of(layer)) * rate
        )
        self._moved(f"W{layer}", s, d)
        self._moved(f"b{layer}", rate, d)

    def learn_readout(self, layer: int, e: F32, eta: np.float32) -> None:
        s = _interval(self.trace[f"h{layer}"]) * Interval(-float(eta), -float(eta))
        self._moved(f"R{layer}", s, _interval(e))

    def note(self, name: str, tensor: F32) -> F32:
        what = {"d": "delta", "t": "tangent", "j": "derivative", "q": "ternary"}
        operation = what.get(name[0], "")
        return cast(F32, self._bounded(name, operation, _interval(tensor)))

    # what they share

    def _bounded(
        self, name: str, operation: str, found: Any, shown: str = ""
    ) -> Interval:
        """Enter a tensor; raises `Unbounded` where it may overflow."""
        value = _interval(found)
        label = shown + name.lstrip("p") if shown else name
        label = label if label != "a" else f"a{self.depth}"
        self.entries.append(Entry(label, operation, value.lo, value.hi))
        if not value.most <= LARGEST:
            raise Unbounded(label, f"{operation} may overflow binary32")
        self.trace[name] = cast(F32, value)
        return value

    def _function(self, a: Interval) -> Interval:
        kind = self.spec.network.activation
        ends: dict[str, Callable[[float], float]] = {
            "tanh": math.tanh,
            "sigmoid": _sigmoid,
            "relu": lambda v: max(v, 0.0),
            "identity": lambda v: v,
        }
        lo, hi = ends[kind](a.lo), ends[kind](a.hi)
        if kind in ("tanh", "sigmoid"):
            least = -1.0 if kind == "tanh" else 0.0
            lo, hi = max(least, _ulps(lo, -ULPS)), min(1.0, _ulps(hi, ULPS))
        return Interval(lo, hi, a.shape)

    def _judged(self, a: Interval) -> tuple[Interval, Interval]:
        """(p, e) of any label."""
        kind, shape = self.spec.network.output, a.shape
        if kind == "identity":
            p = a
        elif kind == "softmax":
            if a.hi - a.lo > LARGEST:
                raise Unbounded("p", "a - max a may overflow binary32")
            p = Interval(0.0, 1.0, shape)
        else:
            lo, hi = _ulps(_sigmoid(a.lo), -ULPS), _ulps(_sigmoid(a.hi), ULPS)
            p = Interval(max(0.0, lo), min(1.0, hi), shape)
        return p, Interval(down(p.lo - 1), p.hi, shape)

    def _moved(self, name: str, s: Interval, d: Interval, clipped: bool = True) -> None:
        """A tensor after fma(s, d, it); zero factors leave it as it is."""
        old = _interval(self.state[name])
        lo, hi = _product(s, d)
        new = Interval(down(old.lo + lo), up(old.hi + hi), old.shape)
        self.state[name] = cast(F32, new)
        if clipped:
            self._settle(name, max(-lo, hi))

    def _settle(self, name: str, step: float = 0.0) -> None:
        """A tensor within its limit again: the induction's step."""
        limit, new = self.spec.clip.weights, _interval(self.state[name])
        if limit is None:
            raise Unbounded(
                name, f"a step may add up to {step:.3g}, and nothing ends that"
            )
        most = float(np.float32(limit))
        kept = _cut(new, most)
        self.entries.append(Entry(name, "update, clipped", kept.lo, kept.hi))
        self.state[name] = cast(F32, kept)


def _sigmoid(v: float) -> float:
    return 1 / (1 + math.exp(-v)) if v > -700 else 0.0


def _ulps(value: float, count: int) -> float:
    """`value`, outwards by so many units in the last place of binary32."""
    found = np.float32(value)
    for _ in range(abs(count)):
        found = np.nextafter(found, np.float32(math.copysign(np.inf, count)))
    return float(found)


def _cut(v: Interval, limit: float) -> Interval:
    """After clipping: v < limit ? v : limit, then the same below."""
    return Interval(
        max(min(v.lo, limit), -limit), max(min(v.hi, limit), -limit), v.shape
    )


def admissible(spec: Spec, promised: tuple[float, float] | None) -> Interval:
    """x of every sample there can be: all that its type holds, or of floats what is
    `promised`."""
    n_in, scale = spec.network.n_in, float(np.float32(spec.inputs.scale))
    window = spec.inputs.window
    if window is not None:
        return _features(window, *(promised or RANGES["i16"]))
    if promised is None and spec.inputs.dtype == "f32":
        return Interval(-LARGEST, LARGEST, (n_in,))  # the device refuses others
    low, high = (v / scale for v in promised or RANGES[spec.inputs.dtype])
    return Interval(down(low), up(high), (n_in,))


def _features(window: Window, low: float, high: float) -> Interval:
    """x of every window of numbers from `low` to `high`: a mean is one of them, a
    deviation at most half their range, a difference all of it."""
    widest = high - low
    raw = (low, high), (0.0, _ulps(widest / 2, ULPS)), (0.0, _ulps(widest, ULPS))
    constants = np.array(list(window.constants())).reshape(2, -1).tolist()
    least, most = [], []
    for k, (offset, divisor) in enumerate(zip(*constants, strict=True)):
        lo, hi = raw[k % PER_AXIS]
        least.append(down(down(lo - offset) / divisor))
        most.append(up(up(hi - offset) / divisor))
    return Interval(min(least), max(most), (window.features,))


@dataclass(frozen=True)
class Certificate:
    """What a step's values stay within, by induction in every step: `entries`, a
    hull over all labels. `failure` is the first operation that has no bound."""

    entries: tuple[Entry, ...]
    failure: Unbounded | None = None


def certify(
    spec: Spec, eta: np.float32, promised: tuple[float, float] | None = None
) -> Certificate:
    """The certificate of `spec` with learning rates up to `eta` in magnitude.

    `promised`: bounds of a sample's raw elements, where they are floats.
    """
    found: dict[tuple[str, str], Entry] = {}
    x = admissible(spec, promised)
    for label in range(spec.network.n_out):
        learner = BoundedLearner(spec)
        failure = None
        try:
            learner.bound(x, label, eta)
            learner.leave()
        except Unbounded as unbounded:
            failure = unbounded
        for entry in learner.entries:
            key = entry.tensor, entry.operation
            old = found.get(key, entry)
            lo, hi = min(old.lo, entry.lo), max(old.hi, entry.hi)
            found[key] = Entry(*key, lo, hi)
        if failure is not None:
            return Certificate(tuple(found.values()), failure)
    return Certificate(tuple(found.values()))
