"""Tables of the integer formats: functions in 256 steps (docs/integers.md).

The numpy reference and the C templates read the same numbers from here. An argument is
an integer k of so many steps a unit; a result is rounded to nearest, ties up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

ONE: Final = 128
"""1 in activations, errors and deltas: they have 7 bits below the point."""

POINT: Final = 7
"""Bits below the point of such numbers."""

LARGEST: Final = 127
"""The largest magnitude of such a number."""

TANH_STEPS: Final = 32
"""Arguments of tanh a unit: -4 .. 4."""

SIGMOID_STEPS: Final = 16
"""Arguments of the sigmoid, and of the loss, a unit: -8 .. 8."""

LOSS_UNIT: Final = 256
"""1 in losses."""


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)


def _table(
    function: Callable[[float], float], steps: int, one: int, last: int
) -> tuple[int, ...]:
    """function(k / steps) in units of 1 / one, for k = -128 .. last."""
    return tuple(_rounded(one * function(k / steps)) for k in range(-128, last + 1))


def _within(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(max(-LARGEST, min(LARGEST, value)) for value in values)


TANH: Final = _within(_table(math.tanh, TANH_STEPS, ONE, 127))
"""Element k + 128 is tanh(k / 32)."""

SIGMOID: Final = _within(
    _table(lambda v: 1 / (1 + math.exp(-v)), SIGMOID_STEPS, ONE, 127)
)
"""Element k + 128 is 1 / (1 + exp(-k / 16))."""

SOFTPLUS: Final = _table(
    lambda v: math.log1p(math.exp(v)), SIGMOID_STEPS, LOSS_UNIT, 128
)
"""Element k + 128 is log(1 + exp(k / 16)), in units of 1 / 256."""

SLOPE_STEPS: Final = 32
"""Distances of a potential from its threshold a unit, for the slope of a spike: 0 .. 8."""

SLOPE: Final = tuple(_rounded(ONE / (1 + 2 * k / SLOPE_STEPS) ** 2) for k in range(256))
"""Element k is 1 / (1 + 2 k / 32)^2."""

CHARGE: Final = (1 << 30) - 1
"""The largest magnitude of a potential, in its units."""
