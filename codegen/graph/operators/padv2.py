"""PADV2: one number before and behind, so often along each axis."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.pad import check, shape
from codegen.graph.operators.split import KINDS


def _check(operator: Operator) -> Problems:
    value = operator.inputs[2]
    yield from check(operator)
    yield from checks.fixed(value)
    if value is not None and value.elements != 1:
        yield f"{value} has {value.elements} numbers: expected one"
    elif value is not None:
        yield from checks.alike(operator.inputs[0], value)


OPERATOR = Declaration(
    name="PADV2",
    table=43,
    newest=4,
    types=tuple(f"{one} i32 {one} > {one}" for one in KINDS),
    shape=shape,
    check=_check,
)
