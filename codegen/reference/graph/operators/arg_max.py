"""ARG_MAX: the first place of an axis at which it is largest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import DTYPES, Operator
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given; a NaN is never larger."""
    x, said = given
    assert x is not None and said is not None
    return first(operator, np.moveaxis(x, int(said.ravel()[0]), 0), np.greater)


def first(operator: Operator, along: Array, further: np.ufunc) -> Array:
    """The first place of the first axis from which no number goes further."""
    best, found = along[0], np.zeros(along.shape[1:], np.int64)
    for place, row in enumerate(along):
        found = np.where(further(row, best), place, found)
        best = np.where(further(row, best), row, best)
    output = operator.outputs[0]
    return found.astype(DTYPES[output.type]).reshape(output.shape)
