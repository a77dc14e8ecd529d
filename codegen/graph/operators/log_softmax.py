"""LOG_SOFTMAX over the last axis."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration

OPERATOR = Declaration(
    name="LOG_SOFTMAX",
    table=36,
    newest=1,
    types=("f32 > f32",),
    shape=dims,
    check=lambda operator: checks.axes(operator.inputs[0]),
)
