"""SPLIT_V: parts along one axis, each of a size that is told; -1 is what is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> list[Array]:
    """The outputs of what is given."""
    x, sizes, along = given
    assert x is not None and sizes is not None and along is not None
    axis = int(along.ravel()[0])
    told = sizes.ravel().astype(np.int64)
    left = x.shape[axis] - told[told != -1].sum()
    ends = np.cumsum(np.where(told == -1, left, told))[:-1]
    return [np.ascontiguousarray(one) for one in np.split(x, ends, axis=axis)]
