"""DIV: the first by the second, of which one may be repeated along axes of size 1."""

from __future__ import annotations

from codegen.graph.declaration import Declaration, Field
from codegen.graph.operators.add import check, together

OPERATOR = Declaration(
    name="DIV",
    table=29,
    newest=2,
    types=("f32 f32 > f32",),
    fields=(Field("activation", 0, "b", 0),),
    shape=together,
    check=check,
)
