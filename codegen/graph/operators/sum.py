"""SUM over axes."""

from __future__ import annotations

from codegen.graph.declaration import Declaration
from codegen.graph.operators.mean import FIELDS, check, reduced

OPERATOR = Declaration(
    name="SUM",
    table=27,
    newest=2,
    types=("f32 i32 > f32",),
    fields=FIELDS,
    shape=reduced,
    check=check,
)
