"""SPLIT_V: parts along one axis, each of a size that is told."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Field, Problems, shaped
from codegen.graph.description import Operator
from codegen.graph.operators.split import KINDS, axis_is_one, axis_of, part


def sizes(operator: Operator) -> tuple[int, ...]:
    """Places that each part has of the axis; one that is -1 has what is left."""
    said = constants(operator.inputs[1]) or ()
    whole = dims(operator)[axis_of(operator, 2)]
    left = whole - sum(size for size in said if size != -1)
    return tuple(left if size == -1 else size for size in said)


def _shape(operator: Operator) -> tuple[int, ...]:
    return part(operator, axis_of(operator, 2), sizes(operator)[0])


def _check(operator: Operator) -> Problems:
    x, said, _ = operator.inputs
    found = [*checks.fixed(said), *axis_is_one(operator, 2)]
    yield from found
    if found:
        return
    axis, told = axis_of(operator, 2), constants(said) or ()
    if len(told) != len(operator.outputs) or told.count(-1) > 1:
        yield f"{said} is {list(told)}: expected {len(operator.outputs)} sizes"
        return
    if sum(sizes(operator)) != dims(operator)[axis] or min(sizes(operator)) < 1:
        yield f"{said} is {list(told)}: expected {dims(operator)[axis]} places in all"
        return
    for output, size in zip(operator.outputs, sizes(operator), strict=True):
        yield from checks.alike(x, output)
        yield from shaped(output, part(operator, axis, size))


OPERATOR = Declaration(
    name="SPLIT_V",
    table=79,
    newest=2,
    types=tuple(f"{one} i32 i32 > {one}+" for one in KINDS),
    fields=(Field("count", 0, "i", 0),),
    shape=_shape,
    check=_check,
)
