"""EXPAND_DIMS: one more axis, of size 1."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator


def _axis(operator: Operator) -> int:
    (axis,) = constants(operator.inputs[1]) or (0,)
    return axis + len(dims(operator)) + 1 if axis < 0 else axis


def _shape(operator: Operator) -> tuple[int, ...]:
    first, axis = dims(operator), _axis(operator)
    return (*first[:axis], 1, *first[axis:])


def _check(operator: Operator) -> Problems:
    x, said = operator.inputs
    yield from checks.alike(x, operator.outputs[0])
    yield from checks.fixed(said)
    count = len(dims(operator))
    if said is not None and said.elements != 1:
        yield f"{said} has {said.elements} numbers: expected one axis"
    elif not 0 <= _axis(operator) <= count:
        yield f"{said} is {list(constants(said) or ())}: expected one of {count + 1} axes"


OPERATOR = Declaration(
    name="EXPAND_DIMS",
    table=52,
    newest=1,
    types=tuple(f"{one} i32 > {one}" for one in ("i8", "u8", "i16", "i32", "f32")),
    shape=_shape,
    check=_check,
)
