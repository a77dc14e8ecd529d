"""BATCH_MATMUL: y[.., i, j] = sum over k of x[.., i, k] v[.., k, j]. Integers: exact sums,
rescaled. float32: from 0 on, one fma for each k in turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.arithmetic import fma
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import Scale
from codegen.reference.graph.node import Array


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    x, v = (_upright(operator, given, place) for place in (0, 1))
    if x.dtype == np.float32:
        return _floats(x, v, operator.outputs[0].shape)
    a, b = (
        node.centred(one, part)
        for one, part in zip(operator.inputs, (x, v), strict=True)
    )
    scales = [np.float32(node.scale(one)) for one in operator.inputs]
    factor = Scale.of(float(scales[0] * scales[1]) / node.scale(operator.outputs[0]))
    sums = a @ b
    return node.integer(
        operator, factor.wide(sums) if x.dtype == np.int16 else factor(sums)
    )


def _upright(operator: Operator, given: Sequence[Array | None], place: int) -> Array:
    found = given[place]
    assert found is not None
    turned = operator.options[("x_turned", "v_turned")[place]]
    return np.swapaxes(found, -1, -2) if turned else found


def _floats(x: Array, v: Array, shape: tuple[int, ...]) -> Array:
    sums = np.zeros(shape, np.float32)
    for k in range(x.shape[-1]):
        sums = fma(x[..., :, k, None], v[..., None, k, :], sums)
    return sums
