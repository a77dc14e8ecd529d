"""Liquids of cells that spike (docs/arithmetic.md, section 4; RULES 2.24).

All cells from the spikes of the tick before: bias -= (bias + 31) >> 5; V = max(V - (V >>
leak) + sum_a Win u_a + sum_k w spike_src(k), -4096); a spike where V >= 4096 + bias: V = 0,
bias += 1024. Every fifth cell inhibits. Features are counts of spikes over segments. With
homeostasis a cell spikes where V >= 4096 + bias + theta, theta that of before the sample
(codegen/reference/homeostasis.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen import streams
from codegen.reference import homeostasis, random
from codegen.reference.arithmetic import F32
from codegen.reference.fronts import sequence
from codegen.reference.fronts.sequence import I64
from codegen.reference.intervals import Interval, down, up
from codegen.reservoir import LEVEL_UNIT, Liquid, Pairs
from codegen.spec import Inputs

MADE = "liquid"
FLOOR, THRESHOLD, TIRED = -4096, 4096, 1024
NOTHING: Mapping[str, Any] = MappingProxyType({})
"""The state of a liquid whose thresholds stay."""


State = dict[str, NDArray[Any]]


def raw_features(
    front: Liquid, sample: NDArray[Any], state: Mapping[str, Any] = NOTHING
) -> I64:
    """Counts of spikes of samples [..., elements], [..., segments * cells]; with thresholds
    of the `state`, where they go on."""
    flat = sample.reshape(-1, front.elements)
    source, win = sequence.sources(front), _driven(front)
    loud = np.where(np.arange(front.cells) % 5 == 4, -front.inhibit, front.excite)
    v, bias, heard = (np.zeros((len(flat), front.cells), np.int64) for _ in range(3))
    counts = np.zeros((len(flat), front.segments, front.cells), np.int64)
    least = THRESHOLD + np.asarray(state.get("theta0", 0), np.int64)
    for segment, row in sequence.rows(front, flat):
        drive = levelled(front.scaling, row) @ win
        for _ in range(front.hold):
            bias -= (bias + 31) >> 5
            current = drive + sum(heard[:, places] for places in source)
            v = np.maximum(v - (v >> front.leak) + current, FLOOR)
            spike = (v >= least + bias).astype(np.int64)
            v *= 1 - spike
            bias += TIRED * spike
            counts[:, segment] += spike
            heard = loud * spike
    return counts.reshape(*sample.shape[:-1], front.features)


def _driven(front: Liquid) -> I64:
    """Win [axes, cells]."""
    words = random.u32(front.seed, streams.DRIVEN, 0, front.inputs * front.cells)
    axes = ((words >> np.uint32(1)) % front.axes).astype(np.int64)
    signs = np.where(words & np.uint32(1), -1, 1) if front.signs else 1
    found = np.zeros((front.axes, front.cells), np.int64)
    np.add.at(found, (axes, np.arange(len(axes)) % front.cells), front.gain * signs)
    return found


def levelled(pairs: Pairs, values: NDArray[Any]) -> I64:
    """(v - offset) LEVEL_UNIT / divisor of values [..., pairs], within -127 .. 127: a
    product with a factor of 13 bits, rounded to nearest, ties up."""
    offsets, divisors = np.array(pairs, np.float64).T
    units = LEVEL_UNIT / divisors
    shift = next(
        (
            s
            for s in range(30, 1, -1)
            if (units * 2.0**s).max() < 2**13
            and (np.abs(offsets) * units * 2.0**s).max() < 2**29
        ),
        1,
    )
    factors = np.floor(units * 2.0**shift + 0.5).astype(np.int64)
    taken = [
        math.floor(o * u * 2.0**shift + 0.5)
        for o, u in zip(offsets, units, strict=True)
    ]
    exact = values.astype(np.int64) * factors - np.array(taken)
    return np.clip((exact + (1 << (shift - 1))) >> shift, -127, 127)


def initial(inputs: Inputs) -> State:
    """What thresholds have risen by, and rates."""
    front = inputs.front
    assert isinstance(front, Liquid)
    return {name: np.zeros(front.cells, np.int32) for name in ("theta0", "rate0")}


def advance(inputs: Inputs, state: State, sample: NDArray[Any]) -> None:
    """A sample is over: thresholds follow."""
    front = inputs.front
    assert isinstance(front, Liquid)
    follow(front, state, raw_features(front, sample, state))


def follow(front: Liquid, state: State, counts: I64) -> None:
    """How often cells have spiked in a sample, in place."""
    assert front.homeostat is not None
    spikes = counts.reshape(front.segments, front.cells).sum(axis=0)
    rate, theta = (state[name].astype(np.int64) for name in ("rate0", "theta0"))
    state["rate0"], state["theta0"] = homeostasis.whole(
        front.homeostat.parameters, spikes, front.ticks, THRESHOLD, rate, theta
    )


def network_input(
    inputs: Inputs, sample: NDArray[Any], state: Mapping[str, Any] = NOTHING
) -> F32:
    """x [..., segments * cells] of samples [..., elements]."""
    front = inputs.front
    assert isinstance(front, Liquid)
    offsets, divisors = sequence.columns(front.standards)
    found = raw_features(front, sample, state).astype(np.float32)
    return np.asarray((found - offsets) / divisors, np.float32)


def integer_input(
    inputs: Inputs, sample: NDArray[Any], state: Mapping[str, Any] = NOTHING
) -> I64:
    """The same for integer formats: a quarter of a deviation is 1, whose 7 bits below the
    point hold four of them either way."""
    front = inputs.front
    assert isinstance(front, Liquid)
    return levelled(front.standards, raw_features(front, sample, state))


def integer_ends(inputs: Inputs) -> I64:
    """The least and the largest of them, [2, segments * cells]: of cells that never spike,
    and of such as spike in every tick."""
    front = inputs.front
    assert isinstance(front, Liquid)
    most = front.ticks // front.segments
    counts = np.array([[0], [most]]).repeat(front.features, axis=1)
    return levelled(front.standards, counts)


def bounds(inputs: Inputs, n_in: int, low: float, high: float) -> Interval:
    """x of every sequence: a cell spikes once a tick at most."""
    front = inputs.front
    assert isinstance(front, Liquid)
    most = front.ticks / front.segments
    return Interval(
        min(down(down(-offset) / divisor) for offset, divisor in front.standards),
        max(up(up(most - offset) / divisor) for offset, divisor in front.standards),
        (n_in,),
    )
