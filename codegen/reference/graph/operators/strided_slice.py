"""STRIDED_SLICE: of each axis, every so many places from one to another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, begin, end, stride = given
    assert x is not None and begin is not None and end is not None
    assert stride is not None
    axes = [
        _axis(operator, axis, int(first), int(last), int(step))
        for axis, (first, last, step) in enumerate(zip(begin, end, stride, strict=True))
    ]
    return np.ascontiguousarray(x[tuple(axes)]).reshape(operator.outputs[0].shape)


def _axis(
    operator: Operator, axis: int, begin: int, end: int, stride: int
) -> int | slice:
    """What indexes an axis: a mask has a bit for each."""
    no_begin, no_end, shrinks = (
        node.number(operator, f"{name}_mask") & (1 << axis)
        for name in ("begin", "end", "shrink")
    )
    if shrinks:
        return begin
    return slice(None if no_begin else begin, None if no_end else end, stride)
