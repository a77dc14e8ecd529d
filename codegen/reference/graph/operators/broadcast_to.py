"""BROADCAST_TO: axes of size 1 repeated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    assert given[0] is not None
    return np.broadcast_to(given[0], operator.outputs[0].shape)
