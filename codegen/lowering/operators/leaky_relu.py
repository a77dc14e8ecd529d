"""LEAKY_RELU."""

from __future__ import annotations

from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer, call, scale
from codegen.lowering.fixed_point import Factor, binary32
from codegen.lowering.operators.relu import bent, table
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call; factors are products and quotients of binary32."""
    alpha = binary32(float(operator.options["alpha"]))  # type: ignore[arg-type]
    x, y = operator.inputs[0], operator.outputs[0]
    if y.type == "f32":
        given = {"x": c.activation(x), "y": c.activation(y)}
        return call("leaky_relu", operator, alpha=alpha, n=y.elements, **given)
    source, output = scale(x), scale(y)
    above = Factor.of(binary32(source / output))
    slope = binary32(binary32(source * alpha) / output)
    below = Factor.of(abs(slope))
    if y.type == "i16":
        return bent(c, operator, [above, below])
    sign = -1 if slope < 0 else 1
    return table(c, operator, lambda x: above(x) if x >= 0 else below(sign * x))
