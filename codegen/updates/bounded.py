"""Weights within soft bounds: the nearer one is to its bound, the less it moves there.

soft: W[i][j] += g (1 - W / range) where g = -eta x_i d_j is positive, else g (1 + W / range).
contrast: the same of a linear weight L within -1 and 1, +0 at first, of which the weight is
made: W = S 2 / (1 + ((1 - u) / (1 + u))^6), S what it was first, u = L turned as S is. (With
u = 2 LWt - 1 that is the published form, in which LWt lies within 0 and 1.)

Biases move softly within the range, whichever it is.
"""

from __future__ import annotations

from codegen.composer import Composer, initial_limit
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, op
from codegen.tensors import Tensor, Uniform
from codegen.updates.base import ETA, limit

KINDS = ("soft", "contrast")


def hold(c: Composer, n: int, kind: str, most: float) -> None:
    """Declare layer n's weights and biases with their limits. Must come before anything
    else asks for them."""
    largest = most if kind == "soft" else 2 * initial_limit(c.network, n)
    c.weights(n, _within(c, largest))
    c.biases(n, _within(c, most))


def change(c: Composer, n: int, kind: str, most: float) -> tuple[Item, ...]:
    """Layer n learns from its input and its delta; `most` is the range."""
    if kind == "soft":
        return (_moved(c, n, c.weights(n), most, most), *limit(c, n))
    linear, w = _linear(c, n), c.weights(n)
    made = op("sigmoidal", Shape(1, w.size), n, v=linear, s=_born(c, n), w=w)
    return (_moved(c, n, linear, 1.0, most), made, *limit(c, n))


def _moved(c: Composer, n: int, w: Tensor, most: float, most_b: float) -> Op:
    return op(
        "bounded_update", Shape(*c.network.shape(n)), n, w=w, b=c.biases(n),
        x=c.input(n), d=c.delta(n), eta=ETA, most=most, most_b=most_b,
    )  # fmt: skip


def _within(c: Composer, most: float) -> tuple[float, float]:
    """Of what the limit of weights holds, too."""
    clip = c.spec.clip.weights
    least = most if clip is None else min(most, clip)
    return -least, least


def _linear(c: Composer, n: int) -> Tensor:
    return c.learned(f"L{n}", c.network.shape(n), limits=(-1.0, 1.0))


def _born(c: Composer, n: int) -> Tensor:
    first = c.weights(n).initial
    assert isinstance(first, Uniform)
    limits = -first.limit, first.limit
    return c.learned(f"S{n}", c.network.shape(n), first, limits)
