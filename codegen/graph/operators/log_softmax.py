"""LOG_SOFTMAX over the last axis."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration

OPERATOR = Declaration(
    name="LOG_SOFTMAX",
    table=36,
    newest=1,
    types=("f32 > f32",),
    shape=dims,
)
