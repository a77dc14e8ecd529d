"""CONV_2D."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering import scaling
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.windows import windows
from codegen.program import Op

TYPES = ("i8",)


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all images."""
    outputs, high, wide, _ = dims(operator, 1)
    return call(
        "conv_2d", operator,
        x=c.activation(operator.inputs[0]),
        w=c.weights(operator),
        b=scaling.biases(c, operator, outputs, scaling.row_sums(operator, outputs)),
        at=windows(c, operator, (high, wide)),
        by=scaling.scales(c, operator, scaling.of_channels(operator)),
        y=c.activation(operator.outputs[0]),
    )  # fmt: skip
