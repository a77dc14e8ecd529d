"""PACK: along a new axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    parts = [one for one in given if one is not None]
    return np.stack(parts, axis=node.number(operator, "axis"))
