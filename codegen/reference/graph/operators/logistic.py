"""LOGISTIC: 1 / (1 + exp(-x)); integers by a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference import functions
from codegen.reference.graph import node
from codegen.reference.graph.lookup import table
from codegen.reference.graph.node import Array

FAR = 700.0
"""From -700 down the value is 0 as binary32; further off exp has no binary64."""


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    if x.dtype == np.float32:
        return node.each(functions.sigmoid, x)
    return table(operator, x, lambda v: 1 / (1 + np.exp(np.minimum(-v, FAR))))
