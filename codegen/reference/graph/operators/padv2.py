"""PADV2: one number around."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, more, value = given
    assert x is not None and more is not None and value is not None
    return np.pad(x, more, constant_values=value.ravel()[0])
