"""Cells with delays: the twin against plain loops over cells, tick after tick."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from codegen import streams
from codegen.delays import Delays
from codegen.reference import random
from codegen.reference.certificate import certify
from codegen.reference.fronts import delays
from codegen.reference.learner import Learner
from codegen.spec import Clip, Gate, Inputs, Network, RuleChoice, Spec

CELLS = 20


def test_cells_with_delays_are_those_of_plain_loops() -> None:
    front = Delays(2, 7, CELLS)
    source = random.u32(7, streams.SOURCES, 0, 16 * CELLS) % CELLS
    after = random.u32(7, streams.DELAYS, 0, 16 * CELLS) % 16 + 1
    drawn = random.u32(7, streams.DRIVEN, 0, 2 * (CELLS // 5)) % CELLS
    moments = np.zeros((90, 2), np.uint8)
    moments[[0, 30, 33], 0] = moments[[12, 60], 1] = 5
    v, bias, rest, r = ([0] * CELLS for _ in range(4))
    spikes: list[set[int]] = []
    found = []
    for t in range(len(moments)):
        found.append([one / 256 for one in r])
        shown = [c for c in range(2) if moments[max(0, t - 2) : t + 1, c].any()]
        now = set()
        for i in range(CELLS):
            bias[i] -= (bias[i] + 63) >> 6
            current = sum(
                3000 * int(drawn[c * (CELLS // 5) + m] == i)
                for c in shown
                for m in range(CELLS // 5)
            )
            for k in range(16):
                j, late = int(source[k * CELLS + i]), int(after[k * CELLS + i])
                if late <= t and j in spikes[t - late]:
                    current += -1500 if j % 5 == 4 else 1500
            if rest[i]:
                rest[i] -= 1
            else:
                v[i] = max(v[i] - (v[i] >> 4) + current, -4096)
                if v[i] >= 4096 + bias[i]:
                    v[i], rest[i], bias[i] = 0, 2, bias[i] + 1024
                    now.add(i)
            shift = 2 + i % 4
            r[i] -= (r[i] + 2**shift - 1) >> shift
            if i in now:
                r[i] = min(r[i] + 96, 255)
        spikes.append(now)
    x = delays.network_input(Inputs("u8", 1.0, front=front), moments)
    assert x.tolist() == found
    assert sum(map(len, spikes)) > 60, "cells are not silent"
    assert not any(r[i] for i in range(CELLS) if not any(i in s for s in spikes[-70:]))


@pytest.mark.parametrize("format", ["f32", "i16"])
def test_time_goes_on_behind_an_error_gate(format: str) -> None:
    """Nothing is so surprising that the read-out learns: cells go on all the same."""
    inputs = Inputs("u8", 1.0, front=Delays(2, 7, CELLS))
    network = Network((CELLS, 2), "tanh", "sigmoid")
    spec = Spec(
        network, RuleChoice("readout"), inputs, gate=Gate(error=0.99), format=format
    )
    learner, free = Learner(spec), delays.initial(inputs)
    began, moment = learner.snapshot(), np.array([1, 0], np.uint8)
    for _ in range(30):
        learner.step(moment, 0, np.float32(0.1))
        delays.advance(inputs, free, moment)
    assert learner.state["W1"].tobytes() == began["W1"].tobytes()
    assert all(np.array_equal(learner.state[name], free[name]) for name in free)
    assert free["trace"].max() > 200, "cells are not silent"


def test_integers_see_half_a_trace() -> None:
    """x is trace / 256 to nearest, ties up, with 7 bits below the point and 127 at most."""
    inputs = Inputs("u8", 1.0, front=Delays(2, 1, 8))
    spec = Spec(Network((8, 2), "tanh", "sigmoid"), inputs=inputs, format="i16")
    learner = Learner(spec)
    learner.state["trace"][:] = traces = [0, 1, 2, 3, 100, 253, 254, 255]
    learner.infer(np.zeros(2, np.uint8))
    seen = [min(math.floor(trace / 2 + 0.5), 127) for trace in traces]
    assert learner.trace["x"].tolist() == seen
    found = certify(replace(spec, clip=Clip(1.0)), np.float32(0.25))
    assert found.failure is None
    bounds = {entry.tensor: (entry.lo, entry.hi) for entry in found.entries}
    assert bounds["x"] == (0, 127 / 128)


def test_a_certificate_says_nothing_of_cells_but_what_a_network_sees_of_them() -> None:
    inputs = Inputs("u8", 1.0, front=Delays(2, 1, 8))
    spec = Spec(Network((8, 2)), RuleChoice("bp"), inputs, clip=Clip(2.0))
    found = certify(spec, np.float32(0.02))
    assert found.failure is None
    bounds = {entry.tensor: (entry.lo, entry.hi) for entry in found.entries}
    assert bounds["x"] == (0, 255 / 256)
    assert not set(bounds) & set(delays.initial(inputs))
