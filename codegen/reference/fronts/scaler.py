"""Each element by an offset and a divisor of its own (docs/arithmetic.md, section 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.reference.arithmetic import F32
from codegen.reference.intervals import Interval, down, up
from codegen.spec import Inputs

MADE = "scaler"


def network_input(inputs: Inputs, sample: NDArray[Any]) -> F32:
    """x [..., n_in] of samples [..., n_in]."""
    assert inputs.scaler is not None
    offsets = np.array(inputs.scaler.offsets, np.float32)
    divisors = np.array(inputs.scaler.divisors, np.float32)
    with np.errstate(over="ignore"):  # a fault, which the step looks for
        x = (sample.astype(np.float32) - offsets) / divisors
    return np.asarray(x, np.float32)


def integer_input(inputs: Inputs, sample: NDArray[Any]) -> NDArray[np.int64]:
    """x [..., n_in] in levels, 64 of them a divisor, of which none is less than 2^-5: floor((v f
    - o) 2^-s + 1/2), f and o 64 / divisor and offset times that, 2^s times, rounded to nearest;
    s up to 30 with f below 2^13 and o below 2^29."""
    offsets, divisors = _constants(inputs)
    units = 64 / np.maximum(divisors, 2.0**-5)
    _, bits = np.frexp(units)  # unit < 2^bits
    _, far = np.frexp(offsets * units)
    shift = np.minimum(30, np.minimum(13 - bits, 29 - far)).astype(np.int64)
    factors = np.floor(np.ldexp(units, shift) + 0.5).astype(np.int64)
    taken = np.floor(np.ldexp(offsets * units, shift) + 0.5).astype(np.int64)
    exact = sample.astype(np.int64) * factors - taken
    return np.asarray((exact + (1 << (shift - 1))) >> shift)


def integer_ends(inputs: Inputs, low: float, high: float) -> NDArray[np.int64]:
    """The same of the least and the largest that an element can be."""
    assert inputs.scaler is not None
    ends = np.array([[np.floor(low)], [np.ceil(high)]], np.int64)
    return integer_input(inputs, np.repeat(ends, inputs.scaler.elements, axis=1))


def _constants(inputs: Inputs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Offsets and divisors, as binary32 has them."""
    assert inputs.scaler is not None
    found = np.array(list(inputs.scaler.constants()), np.float64).reshape(2, -1)
    return found[0], found[1]


def bounds(inputs: Inputs, n_in: int, low: float, high: float) -> Interval:
    """x of every sample of numbers from low to high."""
    assert inputs.scaler is not None
    constants = np.array(list(inputs.scaler.constants())).reshape(2, -1).T.tolist()
    return Interval(
        min(down(down(low - offset) / divisor) for offset, divisor in constants),
        max(up(up(high - offset) / divisor) for offset, divisor in constants),
        (n_in,),
    )
