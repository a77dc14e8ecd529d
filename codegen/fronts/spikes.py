"""Spikes in time as bits: the row of a tick is spread into its spikes."""

from __future__ import annotations

from dataclasses import replace

from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Part, op
from codegen.raster import Spikes
from codegen.tensors import Tensor


def convert(c: Composer) -> tuple[Item, ...]:
    """Nothing, before a tick is played."""
    return ()


def unplayed(c: Composer) -> tuple[Item, ...]:
    """Where a tick's row lies, its number says."""
    return ()


def played(c: Composer, tick: str, s: Tensor) -> Op:
    """The spikes of a tick."""
    return op("spread", Shape(1, s.size), 1, v=_row(c, tick), s=s)


def listed(c: Composer, tick: str, active: Tensor, into: str) -> tuple[Op, ...]:
    """Who spikes in a tick, of the bits as they lie."""
    across = Shape(1, active.size)
    return (op("active", across, 1, v=_row(c, tick), active=active, into=into),)


def _row(c: Composer, tick: str) -> Part:
    """The words of a tick."""
    front = c.spec.inputs.front
    assert isinstance(front, Spikes)
    return Part(replace(c.sample, shape=(front.ticks, front.words)), tick)
