"""Inputs as they come, scaled: x = fl(v / scale), one rounded division."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.reference.arithmetic import F32
from codegen.reference.intervals import Interval, down, up
from codegen.spec import Inputs

MADE = "v / scale"


def network_input(inputs: Inputs, sample: NDArray[Any]) -> F32:
    """x [..., n_in] of samples [..., n_in]."""
    return sample.astype(np.float32) / np.float32(inputs.scale)


def bounds(inputs: Inputs, n_in: int, low: float, high: float) -> Interval:
    """x of every sample of numbers from low to high."""
    scale = float(np.float32(inputs.scale))
    return Interval(down(low / scale), up(high / scale), (n_in,))
