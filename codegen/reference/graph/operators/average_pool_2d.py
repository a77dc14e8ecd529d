"""AVERAGE_POOL_2D: the sum of a window by how many of its places are in the image.

Integers: rounded to nearest, halves away from zero. float32: added in the order of
rows and columns, then one division.
"""

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
    kind = np.float32 if x.dtype == np.float32 else np.int64
    sums: Array = np.zeros((len(x), rows.out, columns.out, x.shape[3]), kind)
    for _, _, place, seen in windows.taps(rows, columns, x):
        sums[place] = sums[place] + seen
    count, fused = windows.counts(rows, columns), node.number(operator, "activation")
    if x.dtype == np.float32:
        return node.floating(sums / count.astype(np.float32), fused)
    size = (np.abs(sums) + count // 2) // count
    output = operator.outputs[0]
    return np.clip(np.sign(sums) * size, *node.bounds(output, fused)).astype(x.dtype)
