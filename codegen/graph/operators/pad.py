"""PAD: zeros before and behind, so many along each axis."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator


def shape(operator: Operator) -> tuple[int, ...]:
    """Sizes with what is before and behind."""
    more = constants(operator.inputs[1]) or ()
    sizes = zip(dims(operator), more[::2], more[1::2], strict=True)
    return tuple(sum(one) for one in sizes)


def check(operator: Operator) -> Problems:
    """How much is added is a constant, of two numbers for each axis."""
    x, more = operator.inputs[:2]
    yield from checks.fixed(more)
    yield from checks.quantised(x)
    yield from checks.alike(x, operator.outputs[0])
    asked = (len(dims(operator)), 2)
    if dims(operator, 1) != asked:
        yield f"{more} has shape {list(dims(operator, 1))}: expected {list(asked)}"
    elif min(constants(more) or (0,)) < 0:
        yield f"{more} takes away: expected at least 0"


OPERATOR = Declaration(
    name="PAD",
    table=22,
    newest=4,
    types=("i8 i32 > i8", "u8 i32 > u8", "i16 i32 > i16", "f32 i32 > f32"),
    shape=shape,
    check=check,
)
