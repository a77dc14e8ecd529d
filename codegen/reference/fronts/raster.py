"""Spikes in time, of bits and of events (docs/arithmetic.md, section 4): their raster,
[..., ticks, inputs] of 0 and 1, a row of which the network hears in each tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.raster import Events, Raster
from codegen.reference.arithmetic import F32
from codegen.reference.intervals import Interval
from codegen.spec import Inputs

MADE = "spikes"


def network_input(inputs: Inputs, sample: NDArray[Any]) -> F32:
    """The raster of samples [..., elements]."""
    front = inputs.raster
    assert front is not None
    flat = sample.reshape(-1, front.elements)
    made = _listed(front, flat) if isinstance(front, Events) else _spread(front, flat)
    return made.reshape(*sample.shape[:-1], front.ticks, front.inputs)


def bounds(inputs: Inputs, n_in: int, low: float, high: float) -> Interval:
    """An input spikes or does not."""
    return Interval(0.0, 1.0, (n_in,))


def _spread(front: Raster, words: NDArray[Any]) -> F32:
    """Bit j & 31 of word j >> 5 of a tick."""
    rows = words.reshape(len(words), front.ticks, -1)
    j = np.arange(front.inputs)
    bits = rows[..., j >> 5] >> (j & 31).astype(np.uint32) & np.uint32(1)
    return bits.astype(np.float32)


def _listed(front: Raster, numbers: NDArray[Any]) -> F32:
    """Those from the first on whose ticks ascend and are there; an address that is none is
    nobody's."""
    pairs = numbers.reshape(len(numbers), -1, 2).astype(np.int64)
    tick, address = pairs[..., 0], pairs[..., 1]
    wrong = (tick >= front.ticks) | (tick < np.maximum.accumulate(tick, axis=1))
    heard = ~np.logical_or.accumulate(wrong, axis=1) & (address < front.inputs)
    made = np.zeros((len(numbers), front.ticks, front.inputs), np.float32)
    which, place = np.nonzero(heard)
    made[which, tick[which, place], address[which, place]] = 1
    return made
