"""The least and the largest number of each channel of 8 bits, whatever the input of the
model is.

A channel is a place along the last axis. Where both numbers are equal, it is a constant: a
filter of zeros leaves its bias, and a sum that is negative for every input ends at the least
output of a ReLU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from codegen.graph.arena import COPIES
from codegen.graph.checks import LEAST, MOST, dims, number
from codegen.graph.description import Graph, Operator, Tensor
from codegen.lowering import scaling
from codegen.lowering.composer import bounds, numbers, zero
from codegen.lowering.fixed_point import Factor
from codegen.lowering.windows import geometry

Range: TypeAlias = tuple[int, int]
FULL: Range = (LEAST["i8"], MOST["i8"])
FILTERS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
POOLS = frozenset({"AVERAGE_POOL_2D", "MAX_POOL_2D"})
SUM = 1 << 31
"""Sums of 32 bits are exact below it."""


def ranges(graph: Graph) -> Mapping[int, Sequence[Range]]:
    """Of each tensor of i8 that has channels, by its number."""
    found: dict[int, Sequence[Range]] = {}
    for operator in graph.operators:
        x, y = operator.given(0), operator.outputs[0]
        if x is None or y.type != "i8" or not y.shape:
            continue
        seen = found.get(x.index, [FULL] * channels(x))
        if filters(operator):
            found[y.index] = _filtered(operator, seen)
        elif copies(operator):
            found[y.index] = [*seen] * (channels(y) // channels(x))
        elif operator.kind in POOLS and x.type == "i8":
            low, high = bounds(y, number(operator, "activation"))
            found[y.index] = [_within(one, low, high) for one in seen]
    return found


def channels(tensor: Tensor) -> int:
    """Places along the last axis."""
    return tensor.shape[-1] if tensor.shape else 1


def copies(operator: Operator) -> bool:
    """Whether it gives what it is given, each channel again as a channel."""
    x = operator.given(0)
    if x is None or operator.kind not in COPIES or x.type != "i8":
        return False
    return channels(operator.outputs[0]) % channels(x) == 0


def filters(operator: Operator) -> bool:
    """Whether it multiplies numbers of 8 bits by weights that have no zero point, and adds a
    bias that is known."""
    if operator.kind not in FILTERS:
        return False
    x, w, b = (operator.given(k) for k in range(3))
    if x is None or w is None or w.data is None or (b is not None and b.data is None):
        return False
    types = {one.type for one in (x, w, *operator.outputs)}
    depth = dims(operator, 1)[-1]
    return types == {"i8"} and bool(x.shape) and depth % channels(x) == 0


def outside(operator: Operator) -> bool:
    """Whether some window reaches beyond the image, where the zero point is."""
    if operator.kind == "FULLY_CONNECTED":
        return False
    _, high, wide, _ = dims(operator, 1)
    at = geometry(operator, (high, wide))
    down = (at.y_h - 1) * at.stride_h + (at.k_h - 1) * at.apart_h - at.top
    right = at.width_seen - 1 - at.left
    return at.top > 0 or at.left > 0 or down >= at.x_h or right >= at.x_w


def rows(operator: Operator) -> list[tuple[float, ...]]:
    """The weights of each output, in the order of places and then of channels."""
    w = operator.inputs[1]
    assert w is not None
    values = numbers(w)
    if operator.kind == "DEPTHWISE_CONV_2D":
        depth = w.shape[-1]
        return [values[o::depth] for o in range(depth)]
    places = w.elements // w.shape[0]
    return [values[k : k + places] for k in range(0, len(values), places)]


def bias(operator: Operator, count: int) -> list[int]:
    """Of each output."""
    b = operator.given(2)
    return [0] * count if b is None else [int(one) for one in numbers(b)]


def _filtered(operator: Operator, seen: Sequence[Range]) -> list[Range]:
    """The ranges of what filters give: from the least sum of each to the greatest."""
    x_zero, y = zero(operator.inputs[0]), operator.outputs[0]
    beyond = outside(operator)
    moved = [
        (min(low - x_zero, 0), max(high - x_zero, 0))
        if beyond
        else (low - x_zero, high - x_zero)
        for low, high in seen
    ]
    filter_rows = rows(operator)
    count = len(filter_rows)
    try:
        factors = _factors(operator, count)
    except OverflowError:  # the operator is refused later
        return [FULL] * count
    limits = bounds(y, number(operator, "activation"))
    found = []
    for o, (row, b) in enumerate(zip(filter_rows, bias(operator, count), strict=True)):
        of = [moved[o * len(moved) // count]] if _apart(operator) else moved
        found.append(_scaled(_sums(row, b, of), factors[o], zero(y), limits))
    return found


def _apart(operator: Operator) -> bool:
    """Whether each output is of one channel."""
    return operator.kind == "DEPTHWISE_CONV_2D"


def _factors(operator: Operator, count: int) -> list[Factor]:
    dense = operator.kind == "FULLY_CONNECTED"
    made = scaling.of_dense(operator) if dense else scaling.of_channels(operator)
    return made * (count if len(made) == 1 else 1)


def _sums(row: Sequence[float], b: int, of: Sequence[Range]) -> Range:
    """The least and the greatest sum; `of` has the ranges of the first channels again and
    again."""
    low = high = b
    each = [*of] * (len(row) // len(of))
    for w, (least, most) in zip(row, each, strict=True):
        if w > 0:
            low, high = low + int(w) * least, high + int(w) * most
        elif w < 0:
            low, high = low + int(w) * most, high + int(w) * least
    return low, high


def _scaled(sums: Range, factor: Factor, y_zero: int, limits: Range) -> Range:
    """Sums as outputs; a larger sum never gives a smaller one, where 32 bits hold both."""
    up = max(-factor.e, 0)
    if max(map(abs, sums)) << up >= SUM:
        return limits
    low, high = (y_zero + factor(one) for one in sums)
    return _within((low, high), *limits)


def _within(found: Range, low: int, high: int) -> Range:
    least, most = (max(low, min(one, high)) for one in found)
    return least, most
