"""DEPTHWISE_CONV_2D."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering import floating, scaling
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.windows import windows
from codegen.program import Op

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all images."""
    _, high, wide, outputs = dims(operator, 1)
    x = operator.inputs[0]
    if x is not None and x.type == "f32":
        return _floats(c, operator, (high, wide), outputs)
    return call(
        "depthwise_conv_2d", operator,
        x=c.activation(operator.inputs[0]),
        w=c.weights(operator),
        b=scaling.biases(c, operator, outputs, scaling.column_sums(operator, outputs)),
        at=windows(c, operator, (high, wide)),
        by=scaling.scales(c, operator, scaling.of_channels(operator)),
        y=c.activation(operator.outputs[0]),
    )  # fmt: skip


def _floats(
    c: GraphComposer, operator: Operator, kernel: tuple[int, int], outputs: int
) -> tuple[Op, ...]:
    """Of numbers of float32."""
    return call(
        "depthwise_conv_2d", operator,
        x=c.activation(operator.inputs[0]),
        w=floating.weights(c, operator),
        b=floating.biases(c, operator, outputs),
        at=windows(c, operator, kernel),
        y=c.activation(operator.outputs[0]),
        **floating.limits(operator),
    )  # fmt: skip
