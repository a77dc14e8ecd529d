"""TILE: the whole, so many times along each axis."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator


def _shape(operator: Operator) -> tuple[int, ...]:
    times = constants(operator.inputs[1]) or ()
    return tuple(n * k for n, k in zip(dims(operator), times, strict=True))


def _check(operator: Operator) -> Problems:
    x, times = operator.inputs
    yield from checks.fixed(times)
    yield from checks.alike(x, operator.outputs[0])
    asked = (len(dims(operator)),)
    if dims(operator, 1) != asked:
        yield f"{times} has shape {list(dims(operator, 1))}: expected {list(asked)}"
    elif min(constants(times) or (1,)) < 1:
        yield f"{times} is {list(constants(times) or ())}: expected at least once each"


OPERATOR = Declaration(
    name="TILE",
    table=51,
    newest=3,
    types=tuple(f"{one} i32 > {one}" for one in ("i8", "u8", "f32")),
    shape=_shape,
    check=_check,
)
