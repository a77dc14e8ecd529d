"""MAX_POOL_2D: the largest of a window's places that are in the image. Of zeros it is
the first, whatever their signs, and a NaN is never the largest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node, windows
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    kernel = node.number(operator, "height"), node.number(operator, "width")
    rows, columns = windows.axes(operator, x.shape, kernel)
    least = -np.inf if x.dtype == np.float32 else np.iinfo(x.dtype).min
    found = np.full((len(x), rows.out, columns.out, x.shape[3]), least, x.dtype)
    for _, _, place, seen in windows.taps(rows, columns, x):
        found[place] = np.where(seen > found[place], seen, found[place])
    fused = node.number(operator, "activation")
    if x.dtype == np.float32:
        return node.floating(found, fused)
    return np.clip(found, *node.bounds(operator.outputs[0], fused)).astype(x.dtype)
