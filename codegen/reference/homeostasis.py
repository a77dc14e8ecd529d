"""Homeostasis, from the equation (RULES 2.25; docs/arithmetic.md, section 6).

Once a sample, a cell that spiked in the share r of its ticks: a <- a + (r - a) 2^-pace, and
its threshold theta <- theta + gain theta_0 (a - rate) / rate, within theta_0 / 4 and
16 theta_0. What is kept is theta - theta_0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.reference.operations import Limits

I64 = NDArray[np.int64]
Parameters = Mapping[str, str | float]


def on(parameters: Parameters) -> bool:
    """Whether thresholds move."""
    return float(parameters["homeostasis"]) > 0


def limits(theta: float, whole: bool) -> tuple[Limits, Limits]:
    """Of a rate, and of what a threshold has risen by."""
    least = -0.75 * theta
    if whole:
        return _pair(0, 1 << 24), _pair(math.ceil(least), 15 * theta)
    return _pair(0, 1), _pair(least, 15 * theta)


def whole(
    parameters: Parameters, count: I64, ticks: int, theta_0: int, rate: I64, theta: I64
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Rates and rises after a sample, in whole numbers: rates are in 2^-24, and a rise
    moves by a factor of 7 bits. `count` are a cell's spikes."""
    wanted = math.floor(float(parameters["homeostasis"]) * 2**24 + 0.5)
    share = np.minimum(count * (2**24 // ticks), 2**24)
    now = rate + ((share - rate) >> int(parameters["astrocyte"]))
    factor, shift = _factor(float(parameters["gain"]) * theta_0, wanted)
    moved = theta + ((((now - wanted) >> 1) * factor) >> shift)
    held = np.clip(moved, math.ceil(-0.75 * theta_0), 15 * theta_0)
    return now.astype(np.int32), held.astype(np.int32)


def _factor(gain: float, wanted: int) -> tuple[int, int]:
    """2 gain / wanted as F 2^-S, 64 <= F <= 128 where S is 0 to 31."""
    units, shift = 2 * gain / wanted, 0
    while 0 < units * 2**shift < 64 and shift < 31:
        shift += 1
    return math.floor(units * 2**shift + 0.5), shift


def constants(parameters: Parameters, theta: float) -> tuple[np.float32, np.float32]:
    """Pace and gain in binary32, each computed in binary64 and rounded."""
    gain = float(parameters["gain"]) * theta / float(parameters["homeostasis"])
    return np.float32(2.0 ** -int(parameters["astrocyte"])), np.float32(gain)


def _pair(least: float, most: float) -> Limits:
    return np.float32(least), np.float32(most)


def of_cells(machine: Any, layer: int, count: Any, ticks: int) -> None:
    """A hidden layer's sample is over, in which its cells have spiked `count` times."""
    arithmetic, parameters = machine.arithmetic, machine.parameters
    theta = float(machine.parameters["theta"])
    pace, gain = constants(parameters, theta)
    rate, rise = f"rate{layer}", f"theta{layer}"
    share = arithmetic.scaled(np.float32(1 / ticks), count)
    machine.state[rate] = now = arithmetic.leaked(machine.state[rate], pace, share)
    wanted = np.float32(parameters["homeostasis"])
    within = limits(theta, False)[1]
    machine.state[rise] = arithmetic.regulated(
        machine.state[rise], now, wanted, gain, within
    )


def of_spikes(machine: Any, count: I64, threshold: str) -> None:
    """The same in whole numbers, of cells whose thresholds are the parameter `threshold`
    at first: state "rate" and "theta"."""
    parameters, state = machine.parameters, machine.state
    ticks, theta = int(parameters.get("ticks", 1)), int(parameters[threshold])
    rate, rise = (state[name].astype(np.int64) for name in ("rate", "theta"))
    state["rate"], state["theta"] = whole(parameters, count, ticks, theta, rate, rise)
