"""SUB: as ADD, with the second taken away."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array
from codegen.reference.graph.operators.add import combined


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    return combined(operator, given, -1)
