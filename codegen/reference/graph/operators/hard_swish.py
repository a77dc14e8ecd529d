"""HARD_SWISH: x min(max(x + 3, 0), 6) / 6.

Integers: in 16 bits, x is moved up by 7; one product makes it of the output's scale,
another makes x / 3 with 15 bits behind the point, saturated to -1 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from codegen.graph.description import Operator
from codegen.reference.graph import node
from codegen.reference.graph.fixed_point import (
    I64,
    divided,
    high,
    multiplier,
    saturated,
)
from codegen.reference.graph.node import Array

UP = 7


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    if x.dtype == np.float32:
        gate = np.minimum(np.maximum(x + np.float32(3), np.float32(0)), np.float32(6))
        return np.asarray(x * gate / np.float32(6), np.float32)
    raised = node.centred(operator.inputs[0], x) << UP
    fine = np.float32(1 / 128) * np.float32(node.scale(operator.inputs[0]))
    factor, shift = _short(fine / np.float32(node.scale(operator.outputs[0])))
    by_output = high(raised, factor, 16)
    gate = _gate(raised, *_short(fine / np.float32(3 / 32768)))
    product = gate * by_output
    product = saturated(np.sign(product) * (np.abs(product) >> 15), 16)
    return node.integer(operator, divided(product, -shift))


def _gate(raised: I64, factor: int, shift: int) -> I64:
    """(1 + x / 3) / 2 with 15 bits behind the point."""
    if shift > 0:
        raised = saturated(raised << (shift - 1), 16)
    made = high(raised, factor, 16)
    made = saturated(made << 1, 16) if shift > 0 else divided(made, -shift)
    return (made + (1 << 15)) >> 1


def _short(real: np.float32) -> tuple[int, int]:
    """A factor of 15 bits, and its shift."""
    factor, shift = multiplier(float(real))
    return min((factor + (1 << 15)) >> 16, (1 << 15) - 1), shift
