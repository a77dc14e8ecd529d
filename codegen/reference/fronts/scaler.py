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


def bounds(inputs: Inputs, n_in: int, low: float, high: float) -> Interval:
    """x of every sample of numbers from low to high."""
    assert inputs.scaler is not None
    constants = np.array(list(inputs.scaler.constants())).reshape(2, -1).T.tolist()
    return Interval(
        min(down(down(low - offset) / divisor) for offset, divisor in constants),
        max(up(up(high - offset) / divisor) for offset, divisor in constants),
        (n_in,),
    )
