"""SLICE: of each axis, so many places from one on; -1 is all that follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, begins, sizes = given
    assert x is not None and begins is not None and sizes is not None
    taken = tuple(
        slice(int(begin), None if size == -1 else int(begin + size))
        for begin, size in zip(begins, sizes, strict=True)
    )
    return np.ascontiguousarray(x[taken])
