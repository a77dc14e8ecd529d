"""SOFTMAX over the last axis: exp(beta x_i) / sum_j exp(beta x_j).

Integers: the difference to the largest with 5 integer bits, its exp in fixed point,
sums with 12, one reciprocal of each row; what is so small that its exp is nothing is
left out. Of 16 bits exp and the reciprocal are read from tables. float32: the project's own exp, added in order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from codegen.graph.description import DTYPES, Operator
from codegen.reference import functions
from codegen.reference.graph import node, tables
from codegen.reference.graph.fixed_point import (
    I64,
    Fixed,
    Scale,
    divided,
    exp,
    high,
    multiplier,
    one_over_one_plus,
    wrapped,
)
from codegen.reference.graph.node import Array

FAR = 10.0
"""So far below the largest, numbers of 16 bits count as nothing."""
DIFFERENCE, SUM = 5, 12
"""Integer bits of differences and of sums."""


def compute(operator: Operator, given: Sequence[Array | None]) -> Array:
    """The output of what is given."""
    (x,) = given
    assert x is not None
    beta = node.real(operator, "beta")
    if x.dtype == np.int16:
        return _of_16_bits(x.astype(np.int64), beta * node.scale(operator.inputs[0]))
    if x.dtype != np.float32:
        return _integers(operator, x, beta)
    below = (x - x.max(axis=-1, keepdims=True)) * np.float32(beta)
    found = node.each(functions.exp, below)
    total = np.add.accumulate(found, axis=-1, dtype=np.float32)[..., -1:]
    return np.asarray(found / total, np.float32)


def _integers(operator: Operator, x: Array, beta: float) -> Array:
    factor, shift = _factor(beta * node.scale(operator.inputs[0]))
    reach = math.floor(((1 << DIFFERENCE) - 1) * 2.0 ** (31 - DIFFERENCE - shift))
    below = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
    counts = below >= -reach
    raised = wrapped(np.where(counts, below, 0) << shift)
    powers = exp(Fixed(high(raised, factor), DIFFERENCE)).raw
    sums = np.where(counts, divided(powers, SUM), 0).sum(axis=-1, keepdims=True)
    inverse, over = _inverse(sums)
    limits = np.iinfo(DTYPES[operator.outputs[0].type])
    scaled = divided(high(inverse, powers), over + 31 - limits.bits)
    made = np.clip(scaled + limits.min, limits.min, limits.max)
    return np.where(counts, made, limits.min).astype(limits.dtype)


def _of_16_bits(x: I64, scale: float) -> Array:
    """Sums have 15 bits behind the point; the reciprocal is that of 1 + its bits behind
    the first."""
    below = Scale.of(scale / (FAR / 65535))(x - x.max(axis=-1, keepdims=True))
    at = np.clip(below + tables.MOST, tables.LEAST, tables.MOST)
    powers = tables.looked_up(tables.sampled(-FAR, 0, np.exp), at)
    sums = powers.sum(axis=-1, keepdims=True)
    length = np.floor(np.log2(sums)).astype(np.int64) + 1
    rest = (((sums << (31 - length)) + (1 << 13)) >> 14) - (1 << 16)
    at = np.clip(rest - (1 << 15), tables.LEAST, tables.MOST)
    inverse = tables.looked_up(tables.sampled(0, 1, _one_over_one_plus), at)
    down = length - 1
    scaled = (powers * inverse + (np.int64(1) << (down - 1))) >> down
    return np.clip(scaled, 0, tables.MOST).astype(np.int16)


def _one_over_one_plus(x: Array) -> Array:
    return np.asarray(1 / (1 + x), np.float32)


def _factor(real: float) -> tuple[int, int]:
    """beta * scale with 26 bits behind the point, at most 2^31 - 1."""
    return multiplier(min(real * (1 << (31 - DIFFERENCE)), (1 << 31) - 1.0))


def _inverse(sums: I64) -> tuple[I64, I64]:
    """1 / sums as a raw fraction, and how many bits sums have above 1."""
    length = np.floor(np.log2(sums)).astype(np.int64) + 1
    headroom = 32 - length
    fraction = (sums << headroom) - (np.int64(1) << 31)
    return one_over_one_plus(Fixed(fraction, 0)).raw, SUM - headroom
