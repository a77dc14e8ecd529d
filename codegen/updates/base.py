"""The declaration of an update, and the operations that several updates share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.program import Item, Part, Repeat, Symbol, op
from codegen.tensors import Tensor

ETA = Symbol("eta")
"""The learning rate."""


@dataclass(frozen=True)
class Update:
    """What is done with a layer's input and its delta.

    `says` is its equation, for a comment. `change(composer, layer)` are its operations;
    the limits of weights come after them. `ways`: those of `codegen.layers.dense.WAYS`
    that it can follow; `gated`: whether a gate of rows can leave parts of it out;
    `flush`: what it may have left pending.
    """

    name: str
    says: str
    change: Callable[[Composer, int], tuple[Item, ...]]
    ways: tuple[str, ...]
    gated: bool
    flush: Callable[[Composer, int], tuple[Item, ...]] = lambda c, n: ()


def limit(c: Composer, n: int, listed: bool = False) -> tuple[Item, ...]:
    """Layer n's weights within their limit, where they have one: all, or the rows on
    its list alone, where no others have changed."""
    most = c.spec.clip.weights
    if most is None or c.numbers.integer:  # whose updates saturate
        return ()
    rows: tuple[Item, ...] = clipped(c, c.weights(n))
    if listed:
        row, across = Part(c.rows(n), "k"), Shape(1, c.network.n_out)
        n_out = c.network.shape(n)[1]
        clip = op("clip", across, v=row, limit=float(most), n=n_out)
        rows = (Repeat("k", dense.count(n).text, (clip,), c_type="size_t"),)
    return (*rows, *clipped(c, c.biases(n)))


def clipped(c: Composer, v: Tensor) -> tuple[Item, ...]:
    """A tensor within the limit of weights, where there is one."""
    most = c.spec.clip.weights
    if most is None or c.numbers.integer:
        return ()
    across = Shape(1, c.network.n_out)
    return (op("clip", across, v=v, limit=float(most), n=v.size),)
