"""MAXIMUM: the larger of two tensors, of which one may be repeated along axes of size 1."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.add import fitting, together


def check(operator: Operator) -> Problems:
    """Sizes that fit, and one scale for all."""
    yield from checks.quantised(*operator.inputs, operator.outputs[0])
    for tensor in operator.inputs:
        yield from checks.alike(tensor, operator.outputs[0])
    yield from fitting(operator)


OPERATOR = Declaration(
    name="MAXIMUM",
    table=39,
    newest=2,
    types=("i8 i8 > i8", "u8 u8 > u8", "i16 i16 > i16", "f32 f32 > f32"),
    shape=together,
    check=check,
)
