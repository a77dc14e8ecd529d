"""The arithmetic of `spikes`: whole numbers as they are.

Rules of this format say themselves what is shifted and what is limited: numbers are
int64 here, and are stored as their tensors are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from codegen.reference.arithmetic import F32
from codegen.reference.fronts import raster
from codegen.spec import Inputs

I64: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Whole:
    """What whole numbers of a step stay within, and the most that they may be."""

    tensor: str
    made: str
    least: int
    most: int
    room: int = (1 << 31) - 1


def network_input(inputs: Inputs, sample: NDArray[Any]) -> I64:
    """A sample as it comes; its scale is the rule's business. Of spikes in time their
    raster [..., ticks, n_in]."""
    if inputs.raster is not None:
        return raster.network_input(inputs, sample).astype(np.int64)
    return sample.astype(np.int64)


def target(one_hot: F32) -> I64:
    """1 at the label, 0 elsewhere."""
    return one_hot.astype(np.int64)


def wrapped(values: I64) -> I64:
    """Sums as 32 bits hold them: modulo 2^32, with a sign."""
    return values.astype(np.int32).astype(np.int64)


def told(sums: I64) -> F32:
    """Sums as float32, rounded once."""
    return np.asarray(sums).astype(np.float32)


class Spikes:
    """What a machine asks of it; the rest the rules of this format compute themselves."""

    def witness(self, value: I64, name: str, made: str, fault: str = "") -> None:
        """A whole number is always finite."""
