"""Cells with delays, whose state goes on (docs/arithmetic.md, section 4; RULES 2.23).

A tick, all cells from spikes of earlier ticks: bias -= (bias + 63) >> 6; I = 3000 for
each time that a stimulus of the last three ticks has drawn the cell, and +-1500 for each
spike of source k that is delay k old; unless resting V = max(V - (V >> 4) + I, -4096), and
a spike where V >= 4096 + bias: V = 0, two ticks of rest, never more, bias += 1024. Traces: r -= (r +
2^s - 1) >> s, s = 2 + i mod 4; a spike adds 96, up to 255. x = r / 256, before the tick.
With homeostasis a cell spikes where V >= 4096 + bias + theta, and then theta follows, a
tick a sample (codegen/reference/homeostasis.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen import streams
from codegen.delays import SHARE, SOURCES, Delays
from codegen.reference import homeostasis, random
from codegen.reference.arithmetic import F32
from codegen.reference.intervals import Interval
from codegen.spec import Inputs

MADE = "traces / 256"
State = dict[str, NDArray[Any]]


def _declared(inputs: Inputs) -> Delays:
    assert isinstance(inputs.front, Delays)
    return inputs.front


def initial(inputs: Inputs) -> State:
    """Cells at rest, in the order in which a step names what they are."""
    front = _declared(inputs)
    cells = front.cells
    slow = ("theta0", "rate0") if front.homeostat is not None else ()
    return {
        "trace": np.zeros(cells, np.uint8),
        "shown": np.zeros(front.stimuli, np.uint8),
        "potential": np.zeros(cells, np.int32),
        "tired": np.zeros(cells, np.int32),
        "rest": np.zeros(cells, np.uint8),
        "past": np.zeros(cells, np.uint32),
        **{name: np.zeros(cells, np.int32) for name in slow},
    }


def look(state: State) -> F32:
    """x [cells]."""
    return state["trace"].astype(np.float32) / np.float32(256)


def advance(inputs: Inputs, state: State, sample: NDArray[Any]) -> None:
    """One tick, in place."""
    source, ages, loud, driven = _tables(_declared(inputs))
    shown, bias, past = state["shown"], state["tired"], state["past"]
    shown[sample != 0] = 3
    heard = (past[source] >> ages & np.uint32(1)).astype(np.int32)
    drawn = driven[shown > 0].sum(axis=0, dtype=np.int32)
    current = 3000 * drawn + (loud * heard).sum(axis=0, dtype=np.int32)
    shown -= shown > 0
    bias -= (bias + 63) >> 6
    awake = state["rest"] == 0
    v = state["potential"]
    v[awake] = np.maximum(v - (v >> 4) + current, -4096)[awake]
    spike = awake & (v >= 4096 + bias + state.get("theta0", np.int32(0)))
    v[spike] = 0
    bias[spike] += 1024
    state["rest"][:] = np.where(awake, 0, np.minimum(state["rest"], 2) - 1)
    state["rest"][spike] = 2
    past[:] = past << np.uint32(1) | spike
    r = state["trace"].astype(np.int32)
    shift = 2 + np.arange(len(r)) % 4
    r -= (r + (1 << shift) - 1) >> shift
    r[spike] = np.minimum(r[spike] + 96, 255)
    state["trace"][:] = r
    _follow(_declared(inputs), state, spike)


def _follow(front: Delays, state: State, spike: NDArray[np.bool_]) -> None:
    if front.homeostat is None:
        return
    rate, theta = (state[name].astype(np.int64) for name in ("rate0", "theta0"))
    state["rate0"], state["theta0"] = homeostasis.whole(
        front.homeostat.parameters, spike.astype(np.int64), 1, 4096, rate, theta
    )


def _tables(front: Delays) -> tuple[NDArray[Any], ...]:
    """Sources and ages of what is heard of them less one [SOURCES, cells], how loud, and
    how often a stimulus has drawn a cell [stimuli, cells]."""
    found = _MADE.get(front)
    if found is None:
        found = _MADE[front] = _drawn(front)
    return found


_MADE: dict[Delays, tuple[NDArray[Any], ...]] = {}


def _drawn(front: Delays) -> tuple[NDArray[Any], ...]:
    shape, each = (SOURCES, front.cells), front.cells // SHARE
    count = SOURCES * front.cells
    words = random.u32(front.seed, streams.SOURCES, 0, count)
    source = (words % np.uint32(front.cells)).astype(np.int64).reshape(shape)
    ages = random.u32(front.seed, streams.DELAYS, 0, count) % np.uint32(16)
    loud = np.where(source % 5 == 4, -1500, 1500).astype(np.int32)
    drawn = random.u32(front.seed, streams.DRIVEN, 0, front.stimuli * each)
    driven = np.zeros((front.stimuli, front.cells), np.int32)
    stimuli = np.arange(front.stimuli).repeat(each)
    np.add.at(driven, (stimuli, (drawn % front.cells).astype(np.int64)), 1)
    return source, ages.reshape(shape), loud, driven


def network_input(inputs: Inputs, sample: NDArray[Any]) -> F32:
    """x [..., cells] of moments [..., stimuli], one after the other from rest."""
    state, found = initial(inputs), []
    for moment in sample.reshape(-1, sample.shape[-1]):
        found.append(look(state))
        advance(inputs, state, moment)
    return np.reshape(found, (*sample.shape[:-1], -1))


def bounds(inputs: Inputs, n_in: int, low: float, high: float) -> Interval:
    """x of any state: a trace is at most 255."""
    return Interval(0.0, 255 / 256, (n_in,))
