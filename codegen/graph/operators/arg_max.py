"""ARG_MAX: the first place of an axis at which it is largest."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.description import Operator
from codegen.graph.operators.split import axis_is_one, axis_of


def found(operator: Operator) -> tuple[int, ...]:
    """The shape without that axis."""
    whole, axis = dims(operator), axis_of(operator, 1)
    return (*whole[:axis], *whole[axis + 1 :])


TYPES = tuple(
    f"{one} i32 > {to}" for one in ("i8", "u8", "f32") for to in ("i32", "i64")
)

OPERATOR = Declaration(
    name="ARG_MAX",
    table=40,
    newest=3,
    types=TYPES,
    shape=found,
    check=lambda operator: axis_is_one(operator, 1),
)
