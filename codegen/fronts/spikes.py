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
    front = c.spec.inputs.front
    assert isinstance(front, Spikes)
    rows = replace(c.sample, shape=(front.ticks, front.words))
    return op("spread", Shape(1, s.size), 1, v=Part(rows, tick), s=s)
