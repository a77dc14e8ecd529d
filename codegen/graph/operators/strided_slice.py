"""STRIDED_SLICE: of each axis, every so many places from one to another."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator

MOST = 5
"""Axes at most."""
ROLES = {1: "begin", 2: "end", 3: "strides"}
"""What inputs say, by their places."""


def places(operator: Operator) -> list[range]:
    """Places of each axis that are taken. One of an axis that the output has no more."""
    told = (constants(operator.inputs[place]) or () for place in ROLES)
    every = zip(dims(operator), *told, strict=True)
    return [_of_axis(operator, axis, *one) for axis, one in enumerate(every)]


def _of_axis(
    operator: Operator, axis: int, size: int, begin: int, end: int, stride: int
) -> range:
    """As Python slices: what is less than 0 counts from the end, and what is beyond an
    end is there."""
    if _marked(operator, "shrink", axis):
        first = begin + size if begin < 0 else begin
        return range(first, first + 1)
    start = None if _marked(operator, "begin", axis) else begin
    last = None if _marked(operator, "end", axis) else end
    return range(*slice(start, last, stride).indices(size))


def _marked(operator: Operator, name: str, axis: int) -> bool:
    return bool(number(operator, f"{name}_mask") >> axis & 1)


def _shape(operator: Operator) -> tuple[int, ...]:
    found = enumerate(places(operator))
    return tuple(len(one) for k, one in found if not _marked(operator, "shrink", k))


def _check(operator: Operator) -> Problems:
    x, axes = operator.inputs[0], len(dims(operator))
    if axes > MOST:
        yield f"{x} has {axes} axes: supported are up to {MOST}"
    for name in ("ellipsis_mask", "new_axis_mask", "offset"):
        if operator.options[name]:
            yield f"{name} is {operator.options[name]}: supported is none"
    yield from checks.alike(x, operator.outputs[0])
    found = [one for place in ROLES for one in _told(operator, place)]
    yield from found
    if not found:
        yield from _shrunk(operator)
        yield from _within(operator)


def _told(operator: Operator, place: int) -> Problems:
    """One number for each axis, and no stride of 0."""
    tensor = operator.inputs[place]
    yield from checks.fixed(tensor)
    if dims(operator, place) != (len(dims(operator)),):
        yield (
            f"{tensor} has shape {list(dims(operator, place))}: expected "
            f"{[len(dims(operator))]}"
        )
    elif ROLES[place] == "strides" and 0 in (constants(tensor) or ()):
        yield f"{tensor} has a stride of 0: expected another"


def _shrunk(operator: Operator) -> Problems:
    """An axis that goes says which place it has, by its begin alone."""
    strides = constants(operator.inputs[3]) or ()
    for axis, stride in enumerate(strides):
        if not _marked(operator, "shrink", axis):
            continue
        if _marked(operator, "begin", axis):
            yield (
                f"shrink_mask and begin_mask both have axis {axis}: supported is one of "
                "the two"
            )
        if stride != 1:
            yield (
                f"shrink_mask has axis {axis}, whose stride is {stride}: supported is a "
                "stride of 1"
            )


def _within(operator: Operator) -> Problems:
    """Something is taken, and an axis that goes has the place."""
    for axis, (size, found) in enumerate(
        zip(dims(operator), places(operator), strict=True)
    ):
        if not found or not 0 <= found[0] < size:
            yield f"no place of axis {axis} is taken, which has {size}"


OPERATOR = Declaration(
    name="STRIDED_SLICE",
    table=32,
    newest=8,
    types=tuple(
        f"{one} i32 i32 i32 > {one}" for one in ("i8", "u8", "i16", "i32", "f32")
    ),
    fields=(
        Field("begin_mask", 0, "i", 0),
        Field("end_mask", 1, "i", 0),
        Field("ellipsis_mask", 2, "i", 0),
        Field("new_axis_mask", 3, "i", 0),
        Field("shrink_mask", 4, "i", 0),
        Field("offset", 5, "?", False),
    ),
    shape=_shape,
    check=_check,
)
