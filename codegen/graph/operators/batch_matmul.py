"""BATCH_MATMUL: matrices [..., n, k] by matrices [..., k, m], either of which may lie the
other way round; axes before them are repeated where their size is 1."""

from __future__ import annotations

from itertools import zip_longest
from math import prod

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator

DIMENSIONS = 5
"""Of a tensor, at most."""
SIDES = ("x_turned", "v_turned")


def matrix(operator: Operator, place: int) -> tuple[int, int]:
    """Rows and columns of an input as it is multiplied."""
    high, wide = dims(operator, place)[-2:]
    return (wide, high) if operator.options[SIDES[place]] else (high, wide)


def batches(operator: Operator) -> tuple[int, ...]:
    """Sizes before the matrices."""
    x, v = (dims(operator, place)[-3::-1] for place in (0, 1))
    return tuple(max(pair) for pair in zip_longest(x, v, fillvalue=1))[::-1]


def _shape(operator: Operator) -> tuple[int, ...]:
    rows, columns = matrix(operator, 0)[0], matrix(operator, 1)[1]
    return (*batches(operator), rows, columns)


def _check(operator: Operator) -> Problems:
    x, v = operator.inputs
    for tensor in (x, v):
        if tensor is not None and not 2 <= len(tensor.shape) <= DIMENSIONS:
            yield (
                f"{tensor} has shape {list(tensor.shape)}: supported are 2 to "
                f"{DIMENSIONS} dimensions"
            )
            return
    yield from checks.quantised(x, v, operator.outputs[0])
    before = (dims(operator, place)[-3::-1] for place in (0, 1))
    apart = any(
        a != b and 1 not in (a, b) for a, b in zip_longest(*before, fillvalue=1)
    )
    if apart or matrix(operator, 0)[1] != matrix(operator, 1)[0]:
        yield (
            f"{x} has shape {list(dims(operator))} and {v} {list(dims(operator, 1))}: "
            "expected matrices that can be multiplied"
        )


def _macs(operator: Operator) -> int:
    return prod(operator.outputs[0].shape) * matrix(operator, 0)[1]


OPERATOR = Declaration(
    name="BATCH_MATMUL",
    table=101,
    newest=4,
    types=("i8 i8 > i8", "i16 i16 > i16", "f32 f32 > f32"),
    fields=(Field(SIDES[0], 0, "?", False), Field(SIDES[1], 1, "?", False)),
    shape=_shape,
    check=_check,
    macs=_macs,
)
