"""EXPAND_DIMS: the same numbers in another shape."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    assert given[0] is not None
    return given[0].reshape(operator.outputs[0].shape)
