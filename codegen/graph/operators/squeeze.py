"""SQUEEZE: axes of size 1 left out; the numbers stay."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator


def _shape(operator: Operator) -> tuple[int, ...]:
    shape, axes = dims(operator), operator.options["axes"]
    assert isinstance(axes, tuple)
    gone = {axis % len(shape) for axis in axes}
    return tuple(
        size
        for k, size in enumerate(shape)
        if not (k in gone or (not axes and size == 1))
    )


def _check(operator: Operator) -> Problems:
    shape, axes = dims(operator), operator.options["axes"]
    assert isinstance(axes, tuple)
    for axis in axes:
        if not -len(shape) <= axis < len(shape) or shape[axis] != 1:
            yield f"axis {axis} is left out of {list(shape)}: expected an axis of size 1"
    yield from checks.alike(operator.inputs[0], operator.outputs[0])


OPERATOR = Declaration(
    name="SQUEEZE",
    table=30,
    newest=1,
    types=("i8 > i8", "u8 > u8", "i16 > i16", "f32 > f32"),
    fields=(Field("axes", 0, "i[]", ()),),
    shape=_shape,
    check=_check,
)
