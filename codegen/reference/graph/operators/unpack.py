"""UNPACK: the tensors that lie along one axis, without it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> list[Array]:
    """The outputs of what is given."""
    (x,) = given
    assert x is not None
    along = np.moveaxis(x, node.number(operator, "axis"), 0)
    return [np.ascontiguousarray(one) for one in along]
