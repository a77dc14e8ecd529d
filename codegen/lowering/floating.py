"""What calls on numbers of float32 are given."""

from __future__ import annotations

from codegen.formats import F32
from codegen.graph.checks import number
from codegen.graph.description import Operator
from codegen.lowering.composer import BOUNDS, GraphComposer, numbers
from codegen.program import Symbol
from codegen.tensors import Tensor


def limits(operator: Operator) -> dict[str, float | Symbol]:
    """What the fused activation keeps results within."""
    return bounded_by(number(operator, "activation"))


def bounded_by(fused: int) -> dict[str, float | Symbol]:
    """The same of one of them."""
    low, high = BOUNDS[fused]
    return {
        "low": Symbol("-__builtin_inff()") if low is None else low,
        "high": Symbol("__builtin_inff()") if high is None else high,
    }


def biases(c: GraphComposer, operator: Operator, channels: int) -> Tensor:
    """Biases, zeros where there are none."""
    bias = operator.given(2)
    if bias is not None and bias.data is None:
        return c.activation(bias)
    values = [0.0] * channels if bias is None else numbers(bias)
    return c.constant(operator, "b", F32, values)


def weights(c: GraphComposer, operator: Operator) -> Tensor:
    """Weights as they lie in the file, or computed."""
    w = operator.inputs[1]
    assert w is not None
    return c.activation(w) if w.data is None else c.weights(operator)


def hybrid(operator: Operator) -> bool:
    """Whether its weights have 8 bits."""
    w = operator.inputs[1]
    return w is not None and w.type == "i8"
