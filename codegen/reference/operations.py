"""What a twin does with tensors: one interface, one implementation a format.

`float32.Float32` computes. `intervals.Intervals` gives for each operation bounds of
all that it could compute, so that a certificate replaces the arithmetic and nothing
else. Operations are few on purpose: layers, updates and rules are written from them
(docs/arithmetic.md names each).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import numpy as np

from codegen.reference.arithmetic import F32


class Tensor(Protocol):
    """Numbers in rows; a part of a tensor is one."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def size(self) -> int: ...

    def __getitem__(self, place: Any, /) -> Any: ...


T = TypeVar("T", bound=Tensor)


Limits: TypeAlias = tuple[np.float32, np.float32]
"""The least and the most that a number may be."""


@dataclass(frozen=True)
class Judged(Generic[T]):
    """Outputs p [n], error e [n] and loss for one target."""

    p: T
    e: T
    loss: np.float32


class Arithmetic(Protocol[T]):
    """The operations; those that change a tensor may do so in its own memory."""

    def constant(self, values: F32 | np.float32) -> T:
        """Numbers that no step changes."""

    def witness(self, value: T, name: str, made: str, fault: str = "") -> None:
        """`value`, which the operation `made` has made, is the step's tensor `name`.

        Raises `NonFinite(fault)` where it must be finite, which is where a fault is
        named, and is not.
        """

    def chain(self, start: T | None, *pairs: tuple[T, T], skip: bool = False) -> T:
        """[n]: from `start` on, +0 where that is None, for i ascending and for each
        pair (factors [m], rows [m, n]): fma(factors_i, rows[i], so far).

        `skip`: factors that are zero are left out.
        """

    def dot(self, rows: T, y: T) -> T:
        """`dot16` of each of the rows [..., n] with y [n]."""

    def negated(self, value: T) -> T:
        """-value."""

    def shared(self, value: T, count: float) -> T:
        """value / count, which is positive, rounded once."""

    def against(self, eta: np.float32, value: T) -> T:
        """-(eta value), rounded once."""

    def stacked(self, parts: Sequence[T]) -> T:
        """Tensors of one shape as the rows of one tensor."""

    def moved(self, tensor: T, c: T, v: T) -> T:
        """fma(c, v, tensor)."""

    def difference(self, x: T, y: T) -> T:
        """x - y, rounded once."""

    def scaled(self, c: np.float32, value: T) -> T:
        """c value, rounded once."""

    def ratio(self, value: T, by: T) -> T:
        """value / by, which is positive, rounded once."""

    def adapted(self, variance: T, eps: T, rate: np.float32, within: Limits) -> T:
        """fma(rate, eps eps - 1 / variance, variance), product, quotient and difference
        each rounded, then within limits as `clipped` is."""

    def regulated(
        self, theta: T, rate: T, wanted: np.float32, gain: np.float32, within: Limits
    ) -> T:
        """fma(gain, rate - wanted, theta), the difference rounded, then within limits as
        `clipped` is: a tensor of its own."""

    def halved(self, value: T, before: T, after: T) -> T:
        """value / 2 where `after` is larger than `before`, else value; one number each."""

    def summed(self, a: T, c: np.float32, u: T) -> T:
        """fma(c, u, a), a tensor of its own."""

    def leaked(self, s: T, rate: np.float32, goal: T) -> T:
        """fma(rate, goal - s, s), the difference rounded, rate from 0 to 1: a tensor of
        its own, between s and the goal."""

    def within_one(self, value: T) -> T:
        """v > 0 ? v : +0, then v < 1 ? v : 1."""

    def spiked(self, u: T, theta: np.float32) -> T:
        """1 where u is at least theta, else +0."""

    def bernoulli(self, x: T, seed: int, first: int) -> T:
        """1 where u is less than x_i, u of number first + i of the stream of spikes,
        else +0."""

    def heard(self, raster: T, tick: int) -> T:
        """The row of a tick."""

    def latency(self, x: T, tick: int, ticks: int) -> T:
        """1 where x > 0 and (1 - x) (ticks - 1), each operation rounded, is from the tick on
        and below the next, of tick 0 also what is less; else +0."""

    def surrogate(self, u: T, theta: np.float32, d: T) -> T:
        """d (1 / (q q)), q = fma(2, |u - theta|, 1), each operation rounded."""

    def product(self, x: T, d: T) -> T:
        """x_i d_j, rounded once."""

    def decayed(self, v: T, mu: np.float32, g: T) -> T:
        """fma(mu, v, g), mu below 1."""

    def outer(self, w: T, x: T, s: T, d: T) -> tuple[T, int]:
        """w[i] = fma(s_i, d, w[i]) of the rows whose x_i is not zero, and how many
        weights that wrote; of integers, how many it changed."""

    def bounded(self, w: T, x: T, s: T, d: T, most: np.float32) -> tuple[T, int]:
        """w = fma(g, g > 0 ? 1 - q : 1 + q, w) with g = s_i d_j and q = w (1 / most), each
        rounded, then within most as `clipped` is; of the rows whose x_i is not zero, and
        how many those are."""

    def contrasted(self, v: T, s: T) -> T:
        """s (2 / (1 + c c)) with u = s < 0 ? -v : v, q = (1 - u) / (1 + u), c = (q q) q,
        each rounded; v within 1."""

    def unseen(self, counts: T, t: T) -> bool:
        """Whether the count of the class that t [n] is 1 at is zero."""

    def averaged(
        self, w: T, b: T, counts: T, x: T, t: T, limit: np.float32, least: np.float32
    ) -> tuple[T, T, T]:
        """The class y that t [n] is 1 at, by a sample x [m]: n_y = counts_y + 1, share =
        1 / n_y, w[i, y] = fma(share, x_i - w[i, y], w[i, y]) within limit as `clipped`
        is, q = fma(w[i, y], w[i, y], q) from +0 on for i ascending, b_y = -q / 2, but
        `least` where q is not below -2 least."""

    def scattered(
        self, s: T, means: T, counts: T, total: T, x: T, t: T, limit: np.float32
    ) -> tuple[T, T]:
        """The total, one more, and the lower triangle s, row by row, of a covariance: with y
        as in `averaged`, d_i = x_i - means[i, y], g_i = (counts_y / (counts_y + 1)) d_i,
        s_ij = fma(1 / total, g_i d_j - s_ij, s_ij), each operation rounded, within limit
        as `clipped` is."""

    def discriminant(
        self,
        s: T,
        means: T,
        counts: T,
        shrinkage: np.float32,
        limit: np.float32,
        least: np.float32,
    ) -> tuple[T, T]:
        """Weights, within limit, and offsets of classes, of their means and counts and of
        the lower triangle of a covariance, as the contract's section 6 orders it."""

    def value(self, activation: str, a: T) -> T:
        """phi(a)."""

    def slope(self, activation: str, h: T, u: T) -> T:
        """u * phi'(a), from h = phi(a)."""

    def judged(self, output: str, a: T, t: T) -> Judged[T]:
        """Outputs of pre-activations a [n], error and loss for the target t [n]."""

    def stored(self, value: T) -> T:
        """As an activation, an error or a delta is stored: of floats itself."""

    def clipped(self, value: T, limit: np.float32) -> T:
        """Within -limit .. limit."""

    def settled(self, name: str, before: T, after: T, limit: np.float32 | None) -> T:
        """The state tensor `name` after an update, within its limit if it has one."""

    def ternary(self, e: T, threshold: np.float32) -> T:
        """1 where e is at least the threshold, -1 where it is at most minus that,
        else +0."""

    def negligible(self, e: T, threshold: np.float32) -> bool:
        """Whether every |e| is smaller than the threshold."""

    def drawn(
        self, kind: str, direction: tuple[int, int], layer: int, shape: tuple[int, int]
    ) -> T:
        """Rows of a random direction, (seed, number), for a layer."""

    def square(self) -> float:
        """Of a direction's elements the mean square."""
