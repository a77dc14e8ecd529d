"""The arithmetic of f32: every operation in binary32, as the contract orders it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen import streams
from codegen.reference import discriminant, perturbation, random
from codegen.reference.arithmetic import F32, dot16, fma, fma_chain
from codegen.reference.faults import NonFinite
from codegen.reference.functions import ACTIVATIONS
from codegen.reference.operations import Judged, Limits
from codegen.reference.outputs import OUTPUTS

_ZERO, _ONE = np.float32(0), np.float32(1)


class Float32:
    """`operations.Arithmetic` of float32 arrays."""

    def constant(self, values: F32 | np.float32) -> F32:
        """Themselves."""
        return np.asarray(values)

    def witness(self, value: F32, name: str, made: str, fault: str = "") -> None:
        """Raises `NonFinite` where `fault` is named and an element is not finite."""
        if fault and np.count_nonzero(np.isfinite(value)) < value.size:
            raise NonFinite(fault)

    def chain(
        self, start: F32 | None, *pairs: tuple[F32, F32], skip: bool = False
    ) -> F32:
        """fma after fma, rounding checked at the end."""
        factors, rows = pairs[0] if len(pairs) == 1 else _in_turn(pairs)
        if start is None:
            start = np.zeros(rows.shape[1:], np.float32)
        if skip:
            (there,) = factors.nonzero()
            if there.size < factors.size:
                rows, factors = rows.take(there, axis=0), factors[there]
        return fma_chain(factors[:, None], rows, start)

    def dot(self, rows: F32, y: F32) -> F32:
        """`dot16`."""
        return dot16(rows, y)

    def negated(self, value: F32) -> F32:
        """The sign bit turned."""
        return -value

    def shared(self, value: F32, count: float) -> F32:
        """One division."""
        return value / np.float32(count)

    def against(self, eta: np.float32, value: F32) -> F32:
        """One product."""
        return -(eta * value)

    def stacked(self, parts: Sequence[F32]) -> F32:
        """One array."""
        return np.array(parts, np.float32)

    def moved(self, tensor: F32, c: F32, v: F32) -> F32:
        """In place."""
        tensor[...] = fma(c, v, tensor)
        return tensor

    def difference(self, x: F32, y: F32) -> F32:
        """One subtraction."""
        return x - y

    def scaled(self, c: np.float32, value: F32) -> F32:
        """One product."""
        return c * value

    def ratio(self, value: F32, by: F32) -> F32:
        """One division."""
        return value / by

    def adapted(self, variance: F32, eps: F32, rate: np.float32, within: Limits) -> F32:
        """One fma of a difference, and two choices."""
        least, most = within
        apart = eps * eps - np.float32(1) / variance
        moved = fma(rate, apart, variance)
        below = np.where(moved < most, moved, most)
        return np.where(below > least, below, least)

    def regulated(
        self,
        theta: F32,
        rate: F32,
        wanted: np.float32,
        gain: np.float32,
        within: Limits,
    ) -> F32:
        """An fma of a difference, and two choices."""
        least, most = within
        moved = fma(gain, rate - wanted, theta)
        below = np.where(moved < most, moved, most)
        return np.where(below > least, below, least)

    def halved(self, value: F32, before: F32, after: F32) -> F32:
        """One comparison, one product."""
        return np.float32(0.5) * value if after > before else value

    def summed(self, a: F32, c: np.float32, u: F32) -> F32:
        """One fma."""
        return fma(c, u, a)

    def leaked(self, s: F32, rate: np.float32, goal: F32) -> F32:
        """A subtraction and an fma."""
        return fma(rate, goal - s, s)

    def within_one(self, value: F32) -> F32:
        """Two choices."""
        above = np.where(value > 0, value, _ZERO)
        return np.where(above < 1, above, _ONE)

    def spiked(self, u: F32, theta: np.float32) -> F32:
        """One comparison."""
        return np.where(u >= theta, _ONE, _ZERO)

    def bernoulli(self, x: F32, seed: int, first: int) -> F32:
        """One word an element."""
        words = random.u32(seed, streams.SPIKES, first, x.size) >> np.uint32(8)
        u = words.astype(np.float32) * np.float32(2.0**-24)
        return np.where(u < x, _ONE, _ZERO)

    def heard(self, raster: F32, tick: int) -> F32:
        """As it is."""
        return raster[tick]

    def latency(self, x: F32, tick: int, ticks: int) -> F32:
        """By comparisons alone."""
        due = (_ONE - x) * np.float32(ticks - 1)
        now = (due < tick + 1) & ((due >= tick) | (tick == 0))
        return np.where((x > 0) & now, _ONE, _ZERO)

    def surrogate(self, u: F32, theta: np.float32, d: F32) -> F32:
        """One division."""
        q = fma(np.float32(2), np.abs(u - theta), _ONE)
        return d * (_ONE / (q * q))

    def product(self, x: F32, d: F32) -> F32:
        """All pairs."""
        return x[:, None] * d

    def decayed(self, v: F32, mu: np.float32, g: F32) -> F32:
        """In place."""
        v[...] = fma(mu, v, g)
        return v

    def outer(self, w: F32, x: F32, s: F32, d: F32) -> tuple[F32, int]:
        """In place."""
        (rows,) = x.nonzero()
        if rows.size < x.size:
            w[rows] = fma(s[rows][:, None], d, w.take(rows, axis=0))
        else:
            w[...] = fma(s[:, None], d, w)
        return w, rows.size * d.size

    def bounded(
        self, w: F32, x: F32, s: F32, d: F32, most: np.float32
    ) -> tuple[F32, int]:
        """In place."""
        (rows,) = x.nonzero()
        old, g = w.take(rows, axis=0), s[rows][:, None] * d
        share = old * (_ONE / most)
        moved = fma(g, np.where(g > 0, _ONE - share, _ONE + share), old)
        w[rows] = self.clipped(moved, most)
        return w, rows.size

    def contrasted(self, v: F32, s: F32) -> F32:
        """A division by zero is an infinity, and two by that is zero."""
        u = np.where(s < 0, -v, v)
        ratio = (_ONE - u) / (_ONE + u)
        cube = (ratio * ratio) * ratio
        return s * (np.float32(2) / (_ONE + cube * cube))

    def unseen(self, counts: F32, t: F32) -> bool:
        """Looks at one."""
        return bool(counts[t.argmax()] == 0)

    def averaged(
        self, w: F32, b: F32, counts: F32, x: F32, t: F32,
        limit: np.float32, least: np.float32,
    ) -> tuple[F32, F32, F32]:  # fmt: skip
        """In place, one column."""
        y = int(t.argmax())
        counts[y] += _ONE
        old = w[:, y].copy()
        mean = self.clipped(fma(_ONE / counts[y], x - old, old), limit)
        w[:, y] = mean
        square = fma_chain(mean[:, None], mean[:, None], np.zeros(1, np.float32))[0]
        b[y] = np.float32(-0.5) * square if square < -2 * least else least
        return w, b, counts

    def scattered(
        self, s: F32, means: F32, counts: F32, total: F32, x: F32, t: F32,
        limit: np.float32,
    ) -> tuple[F32, F32]:  # fmt: skip
        """In place."""
        y = int(t.argmax())
        total[0] += _ONE
        d = x - means[:, y]
        g = (counts[y] / (counts[y] + _ONE)) * d
        i, j = np.tril_indices(x.size)
        moved = fma(_ONE / total[0], g[i] * d[j] - s, s)
        s[...] = self.clipped(moved, limit)
        return total, s

    def discriminant(
        self, s: F32, means: F32, counts: F32, shrinkage: np.float32,
        limit: np.float32, least: np.float32,
    ) -> tuple[F32, F32]:  # fmt: skip
        """By a Cholesky factor."""
        lower = discriminant.factor(discriminant.shrunk(s, len(means), shrinkage))
        w = self.clipped(discriminant.solved(lower, means), limit)
        return w, discriminant.offsets(means, w, counts, least)

    def value(self, activation: str, a: F32) -> F32:
        """By the project's own functions."""
        return ACTIVATIONS[activation].value(a)

    def slope(self, activation: str, h: F32, u: F32) -> F32:
        """The product with the slope, formed from h."""
        return ACTIVATIONS[activation].grad(h, u)

    def judged(self, output: str, a: F32, t: F32) -> Judged[F32]:
        """By the output's own loss."""
        return OUTPUTS[output].judged(a, t)

    def clipped(self, value: F32, limit: np.float32) -> F32:
        """v < limit ? v : limit, then the same below."""
        above = np.where(value < limit, value, limit)
        return np.where(above > -limit, above, -limit)

    def settled(
        self, name: str, before: F32, after: F32, limit: np.float32 | None
    ) -> F32:
        """In place."""
        if limit is not None:
            after[...] = self.clipped(after, limit)
        return after

    def ternary(self, e: F32, threshold: np.float32) -> F32:
        """Signs of what is large."""
        large = np.abs(e) >= threshold
        return np.where(large, np.sign(e), _ZERO).astype(np.float32)

    def negligible(self, e: F32, threshold: np.float32) -> bool:
        """Looks at the largest."""
        return bool(np.abs(e).max() < threshold)

    def drawn(
        self, kind: str, direction: tuple[int, int], layer: int, shape: tuple[int, int]
    ) -> F32:
        """From the direction's own seed."""
        seed = perturbation.direction(*direction)
        return perturbation.DISTRIBUTIONS[kind](seed, layer, *shape)

    def square(self) -> float:
        """Of signs and of normal numbers."""
        return 1.0

    def stored(self, value: F32) -> F32:
        """Itself."""
        return value


FLOAT32 = Float32()


def _in_turn(pairs: Sequence[tuple[F32, F32]]) -> tuple[F32, F32]:
    """Factors and rows of several pairs as one pair, taken in turn."""
    factors = np.stack([factors for factors, _ in pairs], axis=1).ravel()
    rows = np.stack([rows for _, rows in pairs], axis=1)
    return factors, rows.reshape(factors.size, -1)
