"""ADD: two tensors, of which one may be repeated along axes of size 1."""

from __future__ import annotations

from itertools import zip_longest
from math import frexp

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
    yield from scaled(operator)


def added(operator: Operator) -> Problems:
    """The same; and scales of i16 that are no powers of two, which shifts would meet."""
    found = [*check(operator)]
    yield from found
    tensors = (*operator.inputs, operator.outputs[0])
    scales = [t.quantisation.scales[0] for t in tensors if t and t.quantisation]
    powers = all(frexp(scale)[0] == 0.5 for scale in scales)
    shifted = operator.outputs[0].type == "i16" and operator.options["shifted"]
    if not found and shifted and powers:
        yield (
            "all scales of i16 are powers of two, and pot_scale_int16 is true: supported "
            "are other scales, or false"
        )


def scaled(operator: Operator) -> Problems:
    """Scales, and sizes that fit."""
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


FIELDS = (Field("activation", 0, "b", 0), Field("shifted", 1, "?", True))

OPERATOR = Declaration(
    name="ADD",
    table=11,
    newest=5,
    types=("i8 i8 > i8", "u8 u8 > u8", "i16 i16 > i16", "f32 f32 > f32"),
    fields=FIELDS,
    shape=together,
    check=added,
)
