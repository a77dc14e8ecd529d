"""FILL: one constant everywhere. Sizes that are computed are those of the output, which
the file fixes."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator


def _shape(operator: Operator) -> tuple[int, ...]:
    asked = constants(operator.inputs[0])
    return operator.outputs[0].shape if asked is None else asked


def _check(operator: Operator) -> Problems:
    sizes, value = operator.inputs
    yield from checks.rank(sizes, 1)
    yield from checks.fixed(value)
    if value is not None and value.elements != 1:
        yield f"{value} has {value.elements} numbers: expected one"
    yield from checks.alike(value, operator.outputs[0])


OPERATOR = Declaration(
    name="FILL",
    table=68,
    newest=4,
    types=tuple(f"i32 {one} > {one}" for one in ("i8", "i16", "i32", "f32")),
    shape=_shape,
    check=_check,
)
