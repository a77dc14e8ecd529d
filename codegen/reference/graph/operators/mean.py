"""MEAN over axes. Integers: exact sums, and the factor divided by their count, with
as many bits more as the count has. float32: added in order, then one division."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale, multiplier
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, said = given
    assert x is not None and said is not None
    axes = tuple(sorted({int(axis) % x.ndim for axis in said.ravel()}))
    count, shape = (
        int(np.prod([x.shape[axis] for axis in axes])),
        operator.outputs[0].shape,
    )
    if x.dtype == np.float32:
        last = np.moveaxis(x, axes, range(len(axes))).reshape(count, -1)
        total = np.add.accumulate(last, axis=0, dtype=np.float32)[-1]
        return (total / np.float32(count)).reshape(shape)
    sums = node.centred(operator.inputs[0], x).sum(axis=axes).reshape(shape)
    return node.integer(operator, _scale(operator, count)(sums))


def _scale(operator: Operator, count: int) -> Scale:
    source, output = operator.inputs[0], operator.outputs[0]
    factor, shift = multiplier(node.scale(source) / node.scale(output))
    more = min(count.bit_length() - 1, 32, 31 + shift)
    return Scale(np.array((factor << more) // count), np.array(shift - more))
