"""TRANSPOSE: axes in another order."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator


def _shape(operator: Operator) -> tuple[int, ...]:
    order = constants(operator.inputs[1]) or ()
    return tuple(dims(operator)[axis] for axis in order)


def _check(operator: Operator) -> Problems:
    x, order = operator.inputs
    yield from checks.fixed(order)
    yield from checks.alike(x, operator.outputs[0])
    said = constants(order)
    if said is not None and sorted(said) != [*range(len(dims(operator)))]:
        yield f"{order} is {list(said)}: expected each of {len(dims(operator))} axes once"


OPERATOR = Declaration(
    name="TRANSPOSE",
    table=26,
    newest=4,
    types=("i8 i32 > i8", "u8 i32 > u8", "i16 i32 > i16", "f32 i32 > f32"),
    shape=_shape,
    check=_check,
)
