"""What calls on numbers of float32 are given."""

from __future__ import annotations

from math import inf

from codegen.errors import ModelError
from codegen.formats import F32
from codegen.graph.checks import number
from codegen.graph.description import Operator
from codegen.lowering.composer import BOUNDS, GraphComposer, numbers, quantised
from codegen.program import Operand, Symbol
from codegen.tensors import Tensor

MOST = (1 << 31) - 1
REACH = {False: 127, True: 255}
"""Of integers that inputs become around 0, or around a zero point, less that."""


def limits(operator: Operator) -> dict[str, float | Symbol]:
    """What the fused activation keeps results within."""
    return bounded_by(number(operator, "activation"))


def bounded_by(fused: int) -> dict[str, float | Symbol]:
    """The same of one of them."""
    low, high = BOUNDS[fused]
    return {
        "low": spelled(-inf if low is None else low),
        "high": spelled(inf if high is None else high),
    }


def spelled(value: float) -> float | Symbol:
    """A number as C knows it, infinite or not."""
    if value in (inf, -inf):
        return Symbol(f"{'-' if value < 0 else ''}__builtin_inff()")
    return value


def operands(
    c: GraphComposer, operator: Operator, channels: int, w: Tensor | None = None
) -> dict[str, Operand]:
    """What a dense layer or a convolution with so many outputs a place is given; `w` are
    its weights, where they lie otherwise than in the file."""
    return {
        "x": c.activation(operator.inputs[0]),
        "w": w or weights(c, operator),
        "b": biases(c, operator, channels),
        "y": c.activation(operator.outputs[0]),
        **limits(operator),
    }


def floats(operator: Operator) -> bool:
    """Whether its inputs are of float32."""
    x = operator.inputs[0]
    return x is not None and x.type == "f32"


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


def by_integers(
    c: GraphComposer, operator: Operator, products: int
) -> dict[str, Operand]:
    """What calls with weights of 8 bits are given besides, of sums of so many products:
    scales of channels where each has one. Raises `ModelError` for sums of more than 32
    bits."""
    most = MOST // (REACH[freely(operator)] * 128)
    if products > most:
        raise ModelError(
            f"{operator}, which gives {operator.outputs[0]}: sums of {products:,} products "
            f"of 8 bits: a device takes up to {most:,}"
        )
    scales, scratch = quantised(operator.inputs[1]).scales, c.scratch(operator)
    if each(operator):
        held = c.constant(operator, "scales", F32, scales)
        return {"scales": held, "scratch": scratch}
    return {"scale": scales[0], "scratch": scratch}


def each(operator: Operator) -> bool:
    """Whether weights of 8 bits have a scale for each channel: those of one channel too,
    where it is a convolution of each channel."""
    scales = quantised(operator.inputs[1]).scales
    return len(scales) > 1 or operator.kind == "DEPTHWISE_CONV_2D"


def freely(operator: Operator) -> bool:
    """Whether inputs of float32 become integers around a zero point."""
    return bool(operator.options.get("asymmetric")) or each(operator)


def hybrid(operator: Operator) -> bool:
    """Whether its weights have 8 bits, and its inputs are of float32."""
    return [one and one.type for one in operator.inputs[:2]] == ["f32", "i8"]
