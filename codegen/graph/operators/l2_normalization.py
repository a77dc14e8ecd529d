"""L2_NORMALIZATION: each row, along the last axis, by its length."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.relu import bounded

OUTPUT = {"i8": (1 / 128, 0), "u8": (1 / 128, 128)}
"""Scale and zero point of the output, which is from -1 to 1."""
LONGEST = ((1 << 31) - 1) // 255**2
"""Squares of 8 bits that add up within 32 bits."""


def _check(operator: Operator) -> Problems:
    x = operator.inputs[0]
    if number(operator, "activation"):
        yield "a fused activation: supported is none"
    yield from checks.axes(x)
    yield from bounded(operator, OUTPUT)
    if x is not None and x.type != "f32" and dims(operator)[-1:] > (LONGEST,):
        yield f"{x} has rows of {dims(operator)[-1]:,}: supported are up to {LONGEST:,}"


OPERATOR = Declaration(
    name="L2_NORMALIZATION",
    table=12,
    newest=2,
    types=("i8 > i8", "u8 > u8", "f32 > f32"),
    fields=(Field("activation", 0, "b", 0),),
    shape=dims,
    check=_check,
)
