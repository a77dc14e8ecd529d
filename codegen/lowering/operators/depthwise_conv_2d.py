"""DEPTHWISE_CONV_2D."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering import floating, plain, scaling
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.windows import windows
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all images."""
    _, high, wide, outputs = dims(operator, 1)
    at = windows(c, operator, (high, wide))
    first: str = ""
    if floating.floats(operator):
        given = floating.operands(c, operator, outputs)
    elif plain.plain(operator):
        first, given = plain.operands(c, operator, outputs)
    else:
        sums = scaling.column_sums(operator, outputs)
        given = scaling.operands(c, operator, sums, scaling.of_channels(operator))
    return call(f"{first}depthwise_conv_2d", operator, at=at, **given)
