"""SQUARED_DIFFERENCE: of two tensors, of which one may be repeated along axes of size 1."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.add import fitting, together


def _check(operator: Operator) -> Problems:
    yield from checks.quantised(*operator.inputs, operator.outputs[0])
    yield from fitting(operator)


OPERATOR = Declaration(
    name="SQUARED_DIFFERENCE",
    table=76,
    newest=2,
    types=("i8 i8 > i8", "f32 f32 > f32"),
    shape=together,
    check=_check,
)
