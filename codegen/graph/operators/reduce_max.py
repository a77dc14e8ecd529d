"""REDUCE_MAX: the largest over axes."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.mean import FIELDS, check, reduced


def check_alike(operator: Operator) -> Problems:
    """Axes that are there, and one scale on both sides."""
    yield from check(operator)
    yield from checks.alike(operator.inputs[0], operator.outputs[0])


TYPES = ("i8 i32 > i8", "u8 i32 > u8", "i16 i32 > i16", "f32 i32 > f32")

OPERATOR = Declaration(
    name="REDUCE_MAX",
    table=27,
    newest=3,
    types=TYPES,
    fields=FIELDS,
    shape=reduced,
    check=check_alike,
)
