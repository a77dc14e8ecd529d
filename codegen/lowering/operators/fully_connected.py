"""FULLY_CONNECTED."""

from __future__ import annotations

from math import prod

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering import scaling
from codegen.lowering.composer import GraphComposer, call
from codegen.program import Op

TYPES = ("i8",)


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all rows."""
    n_out, n_in = dims(operator, 1)
    return call(
        "fully_connected", operator,
        x=c.activation(operator.inputs[0]),
        w=c.weights(operator),
        b=scaling.biases(c, operator, n_out, scaling.row_sums(operator, n_out)),
        by=scaling.scales(c, operator, scaling.of_dense(operator)),
        y=c.activation(operator.outputs[0]),
        count=prod(dims(operator)) // n_in, n_in=n_in, n_out=n_out,
    )  # fmt: skip
