"""CONCATENATION: tensors side by side along one axis, with one quantisation."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator

MOST = 16
"""Inputs at most."""


def _axis(operator: Operator) -> int:
    axis, count = number(operator, "axis"), len(dims(operator))
    return axis + count if axis < 0 else axis


def _shape(operator: Operator) -> tuple[int, ...]:
    axis, first = _axis(operator), dims(operator)
    total = sum(dims(operator, place)[axis] for place in range(len(operator.inputs)))
    return (*first[:axis], total, *first[axis + 1 :])


def _check(operator: Operator) -> Problems:
    axis, first = _axis(operator), dims(operator)
    if number(operator, "activation"):
        yield "a fused activation: supported is none"
    if not 0 <= axis < len(first):
        yield f"axis is {axis}: expected less than {len(first)}"
        return
    if None in operator.inputs:
        yield "an input is left out: expected all of them"
        return
    for tensor in filter(None, operator.inputs):
        other = tensor.shape
        if len(other) != len(first) or _without(other, axis) != _without(first, axis):
            yield f"{tensor} has shape {list(other)}: expected {list(first)} but for axis {axis}"
        yield from checks.quantised(tensor)
        yield from checks.alike(tensor, operator.outputs[0])


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])


OPERATOR = Declaration(
    name="CONCATENATION",
    table=10,
    newest=3,
    types=tuple(
        f"{kind}{f' {kind}?' * (MOST - 1)} > {kind}"
        for kind in ("i8", "u8", "i16", "f32")
    ),
    fields=(Field("axis", 0, "i", 0), Field("activation", 1, "b", 0)),
    shape=_shape,
    check=_check,
)
