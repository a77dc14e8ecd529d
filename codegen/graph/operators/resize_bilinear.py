"""RESIZE_BILINEAR: each pixel is a mean of four of the image's, by how near they are."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.resize_nearest_neighbor import check, shape

ONE = 1 << 10
"""Places of integers are counted in so many parts of a pixel."""


def step(operator: Operator, there: int, asked: int) -> int:
    """Parts of a pixel from one of the output to the next, of integers."""
    last = bool(operator.options["align"]) and asked > 1
    return (ONE * (there - last) + (asked - last) // 2) // (asked - last)


def _within(operator: Operator) -> Iterator[bool]:
    """Whether rows and columns end in the image: a step is rounded."""
    half = ONE // 2 if operator.options["half_pixel"] else 0
    asked = constants(operator.inputs[1]) or ()
    for there, count in zip(dims(operator)[1:3], asked, strict=True):
        each = step(operator, there, count)
        last = (count - 1) * each + (each // 2 - half if half else 0)
        yield last < ONE * there and ONE * count < 1 << 31


def _check(operator: Operator) -> Problems:
    found = [*check(operator)]
    yield from found
    if found:
        return
    if operator.options["align"] and operator.options["half_pixel"]:
        yield "align_corners and half_pixel_centers: supported is one of them"
    elif operator.outputs[0].type != "f32" and not all(_within(operator)):
        yield (
            f"{operator.inputs[1]} is {list(constants(operator.inputs[1]) or ())}: expected "
            f"sizes whose last pixel lies in {operator.inputs[0]}"
        )


OPERATOR = Declaration(
    name="RESIZE_BILINEAR",
    table=15,
    newest=4,
    types=("i8 i32 > i8", "i16 i32 > i16", "f32 i32 > f32"),
    fields=(Field("align", 2, "?", False), Field("half_pixel", 3, "?", False)),
    shape=shape,
    check=_check,
)
