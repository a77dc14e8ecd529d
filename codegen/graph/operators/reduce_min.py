"""REDUCE_MIN: the smallest over axes."""

from __future__ import annotations

from codegen.graph.declaration import Declaration
from codegen.graph.operators.mean import FIELDS, reduced
from codegen.graph.operators.reduce_max import TYPES, check_alike

OPERATOR = Declaration(
    name="REDUCE_MIN",
    table=27,
    newest=3,
    types=TYPES,
    fields=FIELDS,
    shape=reduced,
    check=check_alike,
)
