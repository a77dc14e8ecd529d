"""Spikes in time as a list of events, which is played from its first to its last."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.formats import U8
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
    front = c.spec.inputs.front
    assert isinstance(front, Events)
    return op(
        "play", Shape(1, s.size), 1, events=c.sample, capacity=front.capacity,
        next=Symbol(_PLAYED), tick=Symbol(tick), s=s, into=_PLAYED,
    )  # fmt: skip


def listed(c: Composer, tick: str, active: Tensor, into: str) -> tuple[Op, ...]:
    """Who spikes in a tick, once also where an event is there twice."""
    s = c.inner("s0", (active.size,), U8)
    across = Shape(1, s.size)
    found = op("active", across, 1, v=s, active=active, into=into)
    return (played(c, tick, s), found)
