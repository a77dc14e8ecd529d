"""AVERAGE_POOL_2D: the mean of a window; its places outside the image do not count."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator

FIELDS = (
    Field("padding", 0, "b", 0),
    Field("stride_w", 1, "i", 0),
    Field("stride_h", 2, "i", 0),
    Field("width", 3, "i", 0),
    Field("height", 4, "i", 0),
    Field("activation", 5, "b", 0),
)


def _places(operator: Operator) -> tuple[int, int]:
    _, height, width, _ = dims(operator)
    high, wide = number(operator, "height"), number(operator, "width")
    padding = number(operator, "padding")
    return (
        checks.window(height, high, number(operator, "stride_h"), 1, padding),
        checks.window(width, wide, number(operator, "stride_w"), 1, padding),
    )


def pooled(operator: Operator) -> tuple[int, ...]:
    """The shape of what a pool gives."""
    batch, _, _, channels = dims(operator)
    return (batch, *_places(operator), channels)


def check(operator: Operator) -> Problems:
    """What holds for any pool, and that its quantisation is the same on both sides."""
    x, y = operator.inputs[0], operator.outputs[0]
    found = [
        *checks.clamp(operator),
        *checks.padding(operator),
        *checks.positive(operator, "stride_h", "stride_w", "height", "width"),
        *checks.rank(x, 4),
        *checks.quantised(x, y),
    ]
    yield from found
    if not found:
        yield from checks.alike(x, y)
        yield from checks.fits(operator, _places(operator))


OPERATOR = Declaration(
    name="AVERAGE_POOL_2D",
    table=5,
    newest=3,
    types=("i8 > i8", "u8 > u8", "i16 > i16", "f32 > f32"),
    fields=FIELDS,
    shape=pooled,
    check=check,
)
