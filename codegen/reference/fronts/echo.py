"""Echo state networks (docs/arithmetic.md, section 4; RULES 2.24).

z_i = drive_i + sum_k w_ki r_src(k, i), the input part first, then k ascending, all from
the old r; r_i <- r_i + leak (squash(z_i) - r_i); features are sums of r over segments.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen import streams
from codegen.reference import functions, random
from codegen.reference.arithmetic import F32, fma, fma_chain
from codegen.reference.fronts import sequence
from codegen.reference.intervals import ULPS, Interval, down, up, widened
from codegen.reservoir import Echo
from codegen.spec import Inputs

MADE = "echo"
_AT_ONCE = 256
"""Samples that are played together."""


def raw_features(front: Echo, sample: NDArray[Any]) -> F32:
    """Sums of r of samples [..., elements], [..., segments * cells]."""
    flat = sample.reshape(-1, front.elements)
    parts = [
        _sums(front, flat[first : first + _AT_ONCE])
        for first in range(0, len(flat), _AT_ONCE)
    ]
    return np.concatenate(parts).reshape(*sample.shape[:-1], front.features)


@np.errstate(all="ignore")
def _sums(front: Echo, sample: NDArray[Any]) -> F32:
    n, cells = len(sample), front.cells
    source, w = sequence.sources(front), _recurrent(front)
    r = np.zeros((n, cells), np.float32)
    sums = np.zeros((n, front.segments, cells), np.float32)
    for segment, row in sequence.rows(front, sample):
        drive = _drive(front, row)
        for _ in range(front.hold):
            z = fma_chain(w[:, None], r[:, source].transpose(1, 0, 2), drive)
            r = fma(np.float32(front.leak), _squashed(front, z) - r, r)
            sums[:, segment] += r
    return sums.reshape(n, -1)


def _drive(front: Echo, row: NDArray[Any]) -> F32:
    """What a row [n, axes] drives cells with: from +0, axes ascending, zeros skipped."""
    offsets, divisors = sequence.columns(front.scaling)
    u = (row.astype(np.float32) - offsets) / divisors
    win = random.uniform(
        front.seed, streams.DRIVEN, np.float32(1), front.axes * front.cells
    ).reshape(front.axes, front.cells)
    found = np.zeros((len(row), front.cells), np.float32)
    for axis, weights in enumerate(win):
        there = u[:, axis] != 0
        found[there] = fma(u[there, axis, None], weights, found[there])
    return found


def _recurrent(front: Echo) -> F32:
    limit = np.float32(front.radius * np.sqrt(3 / front.sources))
    count = front.sources * front.cells
    found = random.uniform(front.seed, streams.RECURRENT, limit, count)
    return found.reshape(front.sources, front.cells)


def _squashed(front: Echo, z: F32) -> F32:
    if front.squash == "tanh":
        return functions.tanh(z.ravel()).reshape(z.shape)
    one = np.float32(1)
    below = np.where(z < one, z, one)
    return np.where(below > -one, below, -one)


def network_input(inputs: Inputs, sample: NDArray[Any]) -> F32:
    """x [..., segments * cells] of samples [..., elements]."""
    front = inputs.front
    assert isinstance(front, Echo)
    offsets, divisors = sequence.columns(front.standards)
    with np.errstate(over="ignore"):
        found = (raw_features(front, sample) - offsets) / divisors
    return np.asarray(found, np.float32)


def bounds(inputs: Inputs, n_in: int, low: float, high: float) -> Interval:
    """x of every sequence: cells stay within -1 and 1."""
    front = inputs.front
    assert isinstance(front, Echo)
    most = widened(front.ticks / front.segments, ULPS * front.ticks)
    return Interval(
        min(
            down(down(-most - offset) / divisor) for offset, divisor in front.standards
        ),
        max(up(up(most - offset) / divisor) for offset, divisor in front.standards),
        (n_in,),
    )
