"""SPLIT: equal parts along one axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> list[Array]:
    """The outputs of what is given."""
    axis, x = given
    assert axis is not None and x is not None
    parts = np.split(x, len(operator.outputs), axis=int(axis.ravel()[0]))
    return [np.ascontiguousarray(one) for one in parts]
