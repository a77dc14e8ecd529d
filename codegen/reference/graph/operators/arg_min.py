"""ARG_MIN: the first place of an axis at which it is smallest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph.node import Array
from codegen.reference.graph.operators.arg_max import first


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given; a NaN is never smaller."""
    x, said = given
    assert x is not None and said is not None
    return first(operator, np.moveaxis(x, int(said.ravel()[0]), 0), np.less)
