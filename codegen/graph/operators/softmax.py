"""SOFTMAX over the last axis."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator

OUTPUT = {"i8": (1 / 256, -128), "u8": (1 / 256, 0), "i16": (1 / 32768, 0)}
"""Scale and zero point that the output must have: it is from 0 to 1."""


def _check(operator: Operator) -> Problems:
    y = operator.outputs[0]
    found = [*checks.quantised(operator.inputs[0], y)]
    yield from found
    beta = operator.options["beta"]
    if not isinstance(beta, float) or not 0 < beta < 1e6:
        yield f"beta is {beta}: expected a number above 0"
    yield from checks.axes(operator.inputs[0])
    if not found:
        yield from checks.output(operator, OUTPUT)


OPERATOR = Declaration(
    name="SOFTMAX",
    table=9,
    newest=3,
    types=("i8 > i8", "u8 > u8", "i16 > i16", "f32 > f32"),
    fields=(Field("beta", 0, "f", 0.0),),
    shape=dims,
    check=_check,
)
