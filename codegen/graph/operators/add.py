"""ADD: two tensors, of which one may be repeated along axes of size 1."""

from __future__ import annotations

from itertools import zip_longest

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator


def together(operator: Operator) -> tuple[int, ...]:
    """The shape of two tensors of which one is repeated; an axis that does not fit
    has the larger size."""
    pairs = zip_longest(dims(operator)[::-1], dims(operator, 1)[::-1], fillvalue=1)
    return tuple(max(pair) for pair in pairs)[::-1]


def check(operator: Operator) -> Problems:
    """Sizes that fit, scales, and an activation that bounds."""
    yield from checks.clamp(operator)
    yield from checks.quantised(*operator.inputs, operator.outputs[0])
    yield from fitting(operator)


def fitting(operator: Operator) -> Problems:
    """Sizes are equal, or 1."""
    x, y = operator.inputs
    pairs = zip_longest(dims(operator)[::-1], dims(operator, 1)[::-1], fillvalue=1)
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        yield (
            f"{x} has shape {list(dims(operator))} and {y} {list(dims(operator, 1))}: "
            "expected equal sizes, or 1"
        )


OPERATOR = Declaration(
    name="ADD",
    table=11,
    newest=2,
    types=("i8 i8 > i8", "u8 u8 > u8", "f32 f32 > f32"),
    fields=(Field("activation", 0, "b", 0),),
    shape=together,
    check=check,
)
