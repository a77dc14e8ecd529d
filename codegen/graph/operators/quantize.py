"""QUANTIZE: numbers of float32 as integers, or integers by another scale."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator, Tensor


def _check(operator: Operator) -> Problems:
    x, y = operator.inputs[0], operator.outputs[0]
    if y.type == "i32":
        yield from _wide(x, y)
    else:
        yield from checks.quantised(x, y)


def _wide(x: Tensor | None, y: Tensor) -> Problems:
    """i16 may have any zero point there, as those of a softmax have; i32 has 0."""
    for one in (x, y):
        said = None if one is None else one.quantisation
        if said is None or len(said.scales) != 1:
            yield f"{one} has {said or 'no scale'}: expected one scale"
        elif not checks.NEAREST <= said.scales[0] <= checks.FARTHEST:
            yield f"{one} has {said}: supported is a scale of 1e-09 to 1e+09"
        elif not (-32768 <= said.zeros[0] <= 32767 if one is x else said.zeros[0] == 0):
            yield f"{one} has {said}: expected zero point {'-32768 to 32767' if one is x else 0}"


OPERATOR = Declaration(
    name="QUANTIZE",
    table=89,
    newest=2,
    types=(
        "f32 > i8",
        "f32 > u8",
        "f32 > i16",
        "i8 > i8",
        "i8 > u8",
        "u8 > i8",
        "u8 > u8",
        "i16 > i8",
        "i16 > i16",
        "i16 > i32",
    ),
    shape=dims,
    check=_check,
)
