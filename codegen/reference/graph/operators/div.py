"""DIV: the quotient, rounded once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, y = given
    assert x is not None and y is not None
    found = np.asarray(x / y, np.float32)
    return node.floating(found, node.number(operator, "activation"))
