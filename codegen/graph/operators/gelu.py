"""GELU: x times the normal distribution's function at x, or nearly that by a tanh."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Field
from codegen.graph.operators.relu import check

OPERATOR = Declaration(
    name="GELU",
    table=116,
    newest=2,
    types=("i8 > i8", "u8 > u8", "f32 > f32"),
    fields=(Field("approximate", 0, "?", False),),
    shape=dims,
    check=check,
)
