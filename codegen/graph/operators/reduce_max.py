"""REDUCE_MAX: the largest over axes."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.mean import FIELDS, check, reduced


def _check(operator: Operator) -> Problems:
    yield from check(operator)
    yield from checks.alike(operator.inputs[0], operator.outputs[0])


OPERATOR = Declaration(
    name="REDUCE_MAX",
    table=27,
    newest=3,
    types=("i8 i32 > i8", "u8 i32 > u8", "i16 i32 > i16", "f32 i32 > f32"),
    fields=FIELDS,
    shape=reduced,
    check=_check,
)
