"""CAST: the same numbers in another type; those of float32 are cut off, kept within 32
bits, and NaN is 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array

MOST = np.float32(2147483520)
"""The largest number of binary32 below 2^31."""


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    if operator.outputs[0].type == "f32":
        return x.astype(np.float32)
    if x.dtype != np.float32:
        return x.astype(np.int32)
    whole = np.trunc(np.where(np.isnan(x), np.float32(0), x))
    return np.clip(whole, np.float32(-(2.0**31)), MOST).astype(np.int32)
