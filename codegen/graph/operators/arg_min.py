"""ARG_MIN: the first place of an axis at which it is smallest."""

from __future__ import annotations

from codegen.graph.declaration import Declaration
from codegen.graph.operators.arg_max import TYPES, found
from codegen.graph.operators.split import axis_is_one

OPERATOR = Declaration(
    name="ARG_MIN",
    table=57,
    newest=3,
    types=TYPES,
    shape=found,
    check=lambda operator: axis_is_one(operator, 1),
)
