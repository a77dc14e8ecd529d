"""PRELU: x where it is positive, else alpha x, with an alpha for each channel."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.add import fitting, together


def _check(operator: Operator) -> Problems:
    yield from checks.quantised(*operator.inputs, operator.outputs[0])
    yield from fitting(operator)


OPERATOR = Declaration(
    name="PRELU",
    table=0,
    newest=1,
    types=("i8 i8 > i8", "u8 u8 > u8", "f32 f32 > f32"),
    shape=together,
    check=_check,
)
