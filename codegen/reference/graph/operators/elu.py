"""ELU: x where it is positive, else exp(x) - 1; integers by a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference import functions
from codegen.reference.graph import node
from codegen.reference.graph.lookup import table
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    if x.dtype == np.float32:
        below = node.each(functions.expm1, np.minimum(x, np.float32(0)))
        return np.where(x < 0, below, x)
    return table(operator, x, lambda v: np.where(v < 0, np.expm1(np.minimum(v, 0)), v))
