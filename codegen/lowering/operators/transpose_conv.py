"""TRANSPOSE_CONV: of each output, the pixels whose windows reach it."""

from __future__ import annotations

from codegen.formats import I32
from codegen.graph.checks import SAME, dims, number
from codegen.graph.description import Operator
from codegen.graph.operators import transpose_conv
from codegen.graph.operators.transpose_conv import ordered
from codegen.lowering import filters, floating, ranges, scaling
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.windows import Windows, record
from codegen.program import Op, Operand

TYPES = ("i8", "f32")
GIVEN = transpose_conv.GIVEN


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all images."""
    of, outputs = ordered(operator), dims(operator, 1)[0]
    at = record(c, of, _windows(operator))
    if floating.floats(of):
        given = floating.operands(c, of, outputs)
        return call("transpose_conv", operator, at=at, **given)
    return call("transpose_conv", operator, at=at, **_integers(c, of, outputs))


def _integers(c: GraphComposer, operator: Operator, outputs: int) -> dict[str, Operand]:
    """Biases are alone, for a kernel that takes zero points from numbers and weights."""
    by = scaling.scales(c, operator, scaling.of_channels(operator))
    return {
        "x": c.activation(operator.inputs[0]),
        "w": c.weights(operator),
        "b": c.constant(operator, "b", I32, ranges.bias(operator, outputs)),
        "by": by,
        "y": c.activation(operator.outputs[0]),
        "w_zero": filters.shift(operator),
    }


def _windows(operator: Operator) -> Windows:
    images, x_h, x_w, x_c = dims(operator, GIVEN)
    _, y_h, y_w, y_c = operator.outputs[0].shape
    _, k_h, k_w, _ = dims(operator, 1)
    s_h, s_w = number(operator, "stride_h"), number(operator, "stride_w")
    same = number(operator, "padding") == SAME
    top = max(0, (x_h - 1) * s_h + k_h - y_h) // 2 if same else 0
    left = max(0, (x_w - 1) * s_w + k_w - y_w) // 2 if same else 0
    return Windows(
        images, x_h, x_w, x_c, y_h, y_w, y_c, k_h, k_w, s_h, s_w, top=top, left=left
    )
