"""Reservoirs: the twins against plain loops over cells, and what data make of them."""

from __future__ import annotations

import ctypes
import ctypes.util
from dataclasses import replace

import numpy as np
import pytest

from codegen import streams
from codegen.errors import SpecError
from codegen.reference import random
from codegen.reference.certificate import certify
from codegen.reference.fronts import echo, liquid
from codegen.reservoir import Echo, Liquid
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil.data.dataset import Dataset
from hil.data.reservoirs import with_front
from hil.errors import DataError

_LIBM = ctypes.CDLL(ctypes.util.find_library("m"))
_LIBM.fmaf.restype = ctypes.c_float
_LIBM.fmaf.argtypes = (ctypes.c_float,) * 3
ROWS, AXES = 6, 3
SCALING = ((1.0, 4.0), (0.0, 7.0), (-2.0, 3.0))


def fmaf(a: float, b: float, c: float) -> np.float32:
    return np.float32(_LIBM.fmaf(a, b, c))


def sample(seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(0, 12, ROWS * AXES)
    return drawn.astype(np.uint8)


@pytest.mark.parametrize(
    ("hold", "every", "segments"), [(1, 1, 2), (2, 1, 1), (3, 2, 3)]
)
def test_an_echo_is_that_of_plain_loops(hold: int, every: int, segments: int) -> None:
    front = Echo(
        ROWS, AXES, 5, SCALING, cells=7, sources=3, segments=segments, hold=hold,
        every=every,
    )  # fmt: skip
    win = random.uniform(5, streams.DRIVEN, np.float32(1), AXES * 7)
    w = random.uniform(5, streams.RECURRENT, np.float32(0.9), 21)
    source = random.u32(5, streams.SOURCES, 0, 21) % 7
    given = sample(1)
    seen = range(0, ROWS, every)
    r, sums = [np.float32(0)] * 7, [[np.float32(0)] * 7 for _ in range(segments)]
    for number, row in enumerate(seen):
        drive = [np.float32(0)] * 7
        for axis, (offset, divisor) in enumerate(SCALING):
            v = np.float32(given[row * AXES + axis])
            u = (v - np.float32(offset)) / np.float32(divisor)
            if u != 0:
                drive = [fmaf(u, win[axis * 7 + i], drive[i]) for i in range(7)]
        for _ in range(hold):
            z = list(drive)
            for k in range(3):
                z = [fmaf(w[k * 7 + i], r[source[k * 7 + i]], z[i]) for i in range(7)]
            q = [np.float32(min(max(float(one), -1.0), 1.0)) for one in z]
            r = [fmaf(0.3, q[i] - r[i], r[i]) for i in range(7)]
            part = sums[number * segments // len(seen)]
            part[:] = [a + b for a, b in zip(part, r, strict=True)]
    want = np.float32(sums).ravel()
    assert echo.raw_features(front, given).tobytes() == want.tobytes()


@pytest.mark.parametrize("signs", [False, True])
def test_a_liquid_is_that_of_plain_loops(signs: bool) -> None:
    front = Liquid(
        ROWS, AXES, 9, SCALING, cells=11, sources=4, segments=2, hold=4, gain=40,
        signs=signs,
    )  # fmt: skip
    source = random.u32(9, streams.SOURCES, 0, 44) % 11
    words = random.u32(9, streams.DRIVEN, 0, 33)
    given = sample(2)
    v, bias, spikes = [0] * 11, [0] * 11, [False] * 11
    counts = [[0] * 11, [0] * 11]
    for row in range(ROWS):
        u = [
            max(-127, min(127, int(np.floor(32 * (float(given[row * AXES + a]) - o) / d + 0.5))))
            for a, (o, d) in enumerate(SCALING)
        ]  # fmt: skip
        for _ in range(4):
            before, spikes = spikes, [False] * 11
            for i in range(11):
                bias[i] -= (bias[i] + 31) >> 5
                driven = v[i] - (v[i] >> 3)
                for m in range(3):
                    word = int(words[m * 11 + i])
                    sign = -1 if signs and word & 1 else 1
                    driven += sign * 40 * u[(word >> 1) % AXES]
                for k in range(4):
                    j = int(source[k * 11 + i])
                    driven += (-1400 if j % 5 == 4 else 900) * before[j]
                v[i] = max(driven, -4096)
                if v[i] >= 4096 + bias[i]:
                    spikes[i], v[i] = True, 0
                    bias[i] += 1024
                    counts[row // 3][i] += 1
    assert liquid.raw_features(front, given).tolist() == [*counts[0], *counts[1]]
    assert 5 < sum(map(sum, counts)) < 200, "cells are neither silent nor always loud"


def test_integers_hold_four_deviations() -> None:
    pairs = ((3.0, 0.5), (0.0, 20.0))
    found = liquid.levelled(pairs, np.array([[3, 20], [4, -10], [9, 200], [-9, -200]]))
    assert found.tolist() == [[0, 32], [64, -16], [127, 127], [-127, -127]]


def test_counts_of_spikes_in_integers_are_within_their_certificates_bounds() -> None:
    """Cells that hear a great deal spike in every tick."""
    plain = Liquid(
        ROWS, AXES, 5, SCALING, cells=9, hold=4, segments=2, gain=1000, excite=9000
    )
    front = replace(plain, standards=((6.0, 2.0),) * 9 + ((5.0, 4.0),) * 9)
    inputs = Inputs("u8", 1.0, front=front)
    spec = Spec(Network((18, 5)), RuleChoice("bp"), inputs, format="i16")
    found = certify(spec, np.float32(1))
    assert found.failure is None
    bounds = next(entry for entry in found.entries if entry.tensor == "x")
    given = np.random.default_rng(2).choice([0, 255], (200, ROWS * AXES))
    told = liquid.integer_input(inputs, given.astype(np.uint8)) / 128
    silent = liquid.levelled(front.standards, np.zeros((1, 18))) / 128
    assert bounds.lo == silent.min() <= told.min() <= told.max() == bounds.hi
    assert liquid.integer_ends(inputs).shape == (2, 18)


def small(x: np.ndarray, inputs: Inputs) -> Dataset:
    y = np.arange(len(x)) % 2
    return Dataset("small", x, y, x[:2], y[:2], inputs, "none")


@pytest.mark.parametrize("kind", ["echo", "liquid"])
def test_features_of_the_training_part_are_standardised(kind: str) -> None:
    x = np.random.default_rng(3).integers(0, 16, (60, 64)).astype(np.uint8)
    data = with_front(small(x, Inputs()), kind, {"cells": 16}, None, 1)
    front = {"echo": echo, "liquid": liquid}[kind]
    found = front.network_input(data.inputs, x).astype(np.float64)
    moving = found.std(axis=0) > 0
    assert data.features == found.shape[1] == 64
    assert np.abs(found.mean(axis=0)).max() < 1e-5
    assert moving.sum() > 40
    assert np.abs(found.std(axis=0)[moving] - 1).max() < 1e-5


def test_axes_are_scaled_as_the_data_are_or_by_a_scaler() -> None:
    x = np.random.default_rng(4).integers(0, 99, (50, 12)).astype(np.int16)
    plain = with_front(small(x, Inputs("i16", 50.0)), "echo", {"rows": 4}, None, 1)
    scaled = with_front(small(x, Inputs("i16", 50.0)), "echo", {"rows": 4}, "minmax", 1)
    assert isinstance(plain.inputs.front, Echo) and isinstance(
        scaled.inputs.front, Echo
    )
    assert plain.inputs.front.scaling == ((0.0, 50.0),) * 3
    axis = x.reshape(-1, 3)
    want = zip(axis.min(axis=0), np.ptp(axis, axis=0), strict=True)
    assert scaled.inputs.front.scaling == tuple((float(a), float(b)) for a, b in want)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "has 12 numbers: expected how many rows they are"),
        ({"rows": 5}, "has 12 numbers: expected as many in each row"),
        ({"rows": 4, "segments": 3}, "sees 4 rows in 3 segments: expected as many"),
        ({"rows": 4, "cells": 257}, "with cells 257: expected 2 to 256"),
    ],
)
def test_shapes_that_cannot_be_are_refused(options: dict[str, int], said: str) -> None:
    x = np.zeros((5, 12), np.uint8)
    with pytest.raises(DataError, match=said):
        with_front(small(x, Inputs()), "echo", options, None, 1)


def test_a_liquid_takes_integers_alone() -> None:
    made = Liquid(1, 1, 1, ((0.0, 1.0),), ((0.0, 1.0),) * 128, segments=1)
    with pytest.raises(SpecError, match="front liquid with samples of f32"):
        Inputs("f32", 1.0, front=made)
