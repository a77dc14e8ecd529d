"""SPLIT: equal parts along one axis."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Field, Problems, shaped
from codegen.graph.description import Operator

GIVEN = 1
"""The place of what is split: the axis stands before it."""
KINDS = ("i8", "u8", "i16", "f32")


def axis_of(operator: Operator, said: int, given: int = 0) -> int:
    """The axis that the constant at a place says, counted from the first."""
    (axis,) = constants(operator.inputs[said]) or (0,)
    return axis + len(dims(operator, given)) if axis < 0 else axis


def sizes(operator: Operator) -> tuple[int, ...]:
    """Places that each part has of the axis."""
    whole, count = (
        dims(operator, GIVEN)[axis_of(operator, 0, GIVEN)],
        len(operator.outputs),
    )
    return (whole // count,) * count


def _shape(operator: Operator) -> tuple[int, ...]:
    return part(operator, axis_of(operator, 0, GIVEN), sizes(operator)[0], GIVEN)


def part(operator: Operator, axis: int, size: int, given: int = 0) -> tuple[int, ...]:
    """The shape of a part that has so many places of an axis."""
    whole = dims(operator, given)
    return (*whole[:axis], size, *whole[axis + 1 :])


def axis_is_one(operator: Operator, said: int, given: int = 0) -> Problems:
    """A constant says one axis, which is there."""
    tensor, count = operator.inputs[said], len(dims(operator, given))
    yield from checks.fixed(tensor)
    if tensor is not None and tensor.elements != 1:
        yield f"{tensor} has {tensor.elements} numbers: expected one axis"
    elif not 0 <= axis_of(operator, said, given) < count:
        yield f"{tensor} is {list(constants(tensor) or ())}: expected one of {count} axes"


def _check(operator: Operator) -> Problems:
    x = operator.inputs[GIVEN]
    found = [*axis_is_one(operator, 0, GIVEN)]
    yield from found
    if found:
        return
    axis, count = axis_of(operator, 0, GIVEN), len(operator.outputs)
    if dims(operator, GIVEN)[axis] % count or operator.options["count"] != count:
        yield f"{x} has {dims(operator, GIVEN)[axis]} places of axis {axis}: expected {count} parts"
    for output in operator.outputs:
        yield from checks.alike(x, output)
        yield from shaped(output, _shape(operator))


OPERATOR = Declaration(
    name="SPLIT",
    table=35,
    newest=4,
    types=tuple(f"i32 {one} > {one}+" for one in KINDS),
    fields=(Field("count", 0, "i", 0),),
    shape=_shape,
    check=_check,
)
