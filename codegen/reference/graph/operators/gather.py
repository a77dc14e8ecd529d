"""GATHER: the places of one axis that are told; one that is not there is the nearest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, places = given
    assert x is not None and places is not None
    return np.take(x, places, axis=node.number(operator, "axis"), mode="clip")
