"""LOG_SOFTMAX over the last axis."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call
from codegen.program import Op

TYPES = ("f32",)


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all rows."""
    x, y, n = operator.inputs[0], operator.outputs[0], dims(operator)[-1]
    return call(
        "log_softmax", operator, x=c.activation(x), y=c.activation(y),
        count=y.elements // n, n=n,
    )  # fmt: skip
