"""RESHAPE: the same numbers in another shape. One that is computed is that of the output,
which the file fixes."""

from __future__ import annotations

import struct
from math import prod

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator


def _shape(operator: Operator) -> tuple[int, ...]:
    """The output's own: only its elements are checked against the input's."""
    return operator.outputs[0].shape


def _check(operator: Operator) -> Problems:
    x, y = operator.inputs[0], operator.outputs[0]
    if prod(dims(operator)) != y.elements:
        yield f"{y} has {y.elements:,} numbers and {x} {prod(dims(operator)):,}"
    wanted = _wanted(operator)
    if wanted is not None and not _same(wanted, y.shape):
        yield f"{y} has shape {list(y.shape)}: asked is {list(wanted)}"
    yield from checks.alike(x, y)


def _wanted(operator: Operator) -> tuple[int, ...] | None:
    """The shape that is asked for, by a tensor or else an option; None where neither
    says it."""
    shape = operator.given(1)
    if shape is not None and shape.data is not None and len(shape.shape) == 1:
        return struct.unpack(f"<{shape.elements}i", shape.data)
    said = operator.options["shape"]
    assert isinstance(said, tuple)
    return said or None


def _same(wanted: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether sizes are those asked for; -1 asks for whatever is left."""
    return len(wanted) == len(shape) and all(
        asked in (-1, size) for asked, size in zip(wanted, shape, strict=True)
    )


OPERATOR = Declaration(
    name="RESHAPE",
    table=17,
    newest=1,
    types=(
        "i8 i32? > i8",
        "u8 i32? > u8",
        "i16 i32? > i16",
        "i32 i32? > i32",
        "f32 i32? > f32",
    ),
    fields=(Field("shape", 0, "i[]", ()),),
    shape=_shape,
    check=_check,
)
