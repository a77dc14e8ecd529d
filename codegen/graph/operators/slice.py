"""SLICE: of each axis, so many places from one on."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.split import KINDS


def places(operator: Operator) -> list[range]:
    """Places of each axis that are taken; a size of -1 takes all that follow."""
    begins, sizes = (constants(operator.inputs[k]) or () for k in (1, 2))
    every = zip(dims(operator), begins, sizes, strict=True)
    return [range(b, whole if n == -1 else b + n) for whole, b, n in every]


def _shape(operator: Operator) -> tuple[int, ...]:
    return tuple(map(len, places(operator)))


def _check(operator: Operator) -> Problems:
    x, *told = operator.inputs
    yield from checks.alike(x, operator.outputs[0])
    found = [problem for tensor in told for problem in checks.fixed(tensor)]
    yield from found
    asked = (len(dims(operator)),)
    for k, tensor in enumerate(told, 1):
        if dims(operator, k) != asked:
            found.append("sizes")
            yield f"{tensor} has shape {list(dims(operator, k))}: expected {list(asked)}"
    if found:
        return
    for axis, (whole, one) in enumerate(
        zip(dims(operator), places(operator), strict=True)
    ):
        if not one or one.start < 0 or one.stop > whole:
            yield f"places {one.start} to {one.stop} of axis {axis}, which has {whole}"


OPERATOR = Declaration(
    name="SLICE",
    table=48,
    newest=6,
    types=tuple(f"{one} i32 i32 > {one}" for one in KINDS),
    shape=_shape,
    check=_check,
)
