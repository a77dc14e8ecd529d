"""Spikes in time as a list of events, which is played from its first to its last."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.formats import BITS
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Set, Symbol, op
from codegen.raster import Events
from codegen.tensors import Tensor

_PLAYED = "played"
"""C: events so far."""


def convert(c: Composer) -> tuple[Item, ...]:
    """Nothing, before a tick is played."""
    return ()


def unplayed(c: Composer) -> tuple[Item, ...]:
    """The list from its beginning."""
    return (Set(f"size_t {_PLAYED}", "0"),)


def played(c: Composer, tick: str, s: Tensor) -> Op:
    """The spikes of a tick."""
    return _played(c, tick, s, s.size)


def listed(c: Composer, tick: str, active: Tensor, into: str) -> tuple[Op, ...]:
    """Who spikes in a tick, once also where an event is there twice."""
    s = c.inner("s0", (-(-active.size // BITS.bits),), BITS)
    found = op("active", Shape(1, active.size), 1, v=s, active=active, into=into)
    return (_played(c, tick, s, active.size), found)


def _played(c: Composer, tick: str, s: Tensor, inputs: int) -> Op:
    front = c.spec.inputs.front
    assert isinstance(front, Events)
    return op(
        "play", Shape(1, inputs), 1, events=c.sample, capacity=front.capacity,
        next=Symbol(_PLAYED), tick=Symbol(tick), s=s, into=_PLAYED,
    )  # fmt: skip
