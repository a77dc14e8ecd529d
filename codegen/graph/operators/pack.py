"""PACK: tensors of one shape, along a new axis."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator

MOST = 16
"""Inputs at most."""


def place(operator: Operator) -> int:
    """Where the new axis stands in the output."""
    axis, count = number(operator, "axis"), len(dims(operator)) + 1
    return axis + count if axis < 0 else axis


def _shape(operator: Operator) -> tuple[int, ...]:
    first, axis = dims(operator), place(operator)
    return (*first[:axis], len(operator.inputs), *first[axis:])


def _check(operator: Operator) -> Problems:
    first = dims(operator)
    if not 0 <= place(operator) <= len(first):
        yield f"axis is {operator.options['axis']}: expected one of {len(first) + 1}"
    if None in operator.inputs:
        yield "an input is left out: expected all of them"
    for tensor in filter(None, operator.inputs):
        if tensor.shape != first:
            yield f"{tensor} has shape {list(tensor.shape)}: expected {list(first)}"
        yield from checks.alike(tensor, operator.outputs[0])


OPERATOR = Declaration(
    name="PACK",
    table=59,
    newest=2,
    types=tuple(
        f"{kind}{f' {kind}?' * (MOST - 1)} > {kind}"
        for kind in ("i8", "u8", "i16", "i32", "f32")
    ),
    fields=(Field("count", 0, "i", 0), Field("axis", 1, "i", 0)),
    shape=_shape,
    check=_check,
)
