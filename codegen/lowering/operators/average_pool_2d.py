"""AVERAGE_POOL_2D, and what MAX_POOL_2D has in common with it."""

from __future__ import annotations

from codegen.graph.checks import number
from codegen.graph.description import Operator
from codegen.kernels.cost import Shape
from codegen.lowering import floating
from codegen.lowering.composer import GraphComposer, bounds, call
from codegen.lowering.legacy import unsigned
from codegen.lowering.windows import windows
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all images."""
    up = "_up" if unsigned(operator) else ""
    return pooled(c, operator, f"average_pool_2d{up}")


def pooled(c: GraphComposer, operator: Operator, operation: str) -> tuple[Op, ...]:
    """The same of a kernel."""
    y = operator.outputs[0]
    limits = (
        floating.limits(operator)
        if y.type == "f32"
        else dict(
            zip(("low", "high"), bounds(y, number(operator, "activation")), strict=True)
        )
    )
    return call(
        operation, operator, Shape(1, y.shape[-1]),
        x=c.activation(operator.inputs[0]),
        at=windows(c, operator, (number(operator, "height"), number(operator, "width"))),
        y=c.activation(y), **limits,
    )  # fmt: skip
