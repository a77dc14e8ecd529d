"""LEAKY_RELU: x where it is positive, else alpha x."""

from __future__ import annotations

from math import isfinite

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator
from codegen.graph.operators import relu


def _check(operator: Operator) -> Problems:
    yield from relu.check(operator)
    alpha = operator.options["alpha"]
    if not isinstance(alpha, float) or not isfinite(alpha) or alpha < 0:
        yield f"alpha is {alpha}: supported is at least 0"


OPERATOR = Declaration(
    name="LEAKY_RELU",
    table=75,
    newest=2,
    types=("i8 > i8", "u8 > u8", "i16 > i16", "f32 > f32"),
    fields=(Field("alpha", 0, "f", 0.0),),
    shape=dims,
    check=_check,
)
