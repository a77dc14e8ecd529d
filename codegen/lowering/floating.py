"""What calls on numbers of float32 are given."""

from __future__ import annotations

from math import inf

from codegen.errors import ModelError
from codegen.formats import F32
from codegen.graph.checks import number
from codegen.graph.description import Operator
from codegen.lowering.composer import BOUNDS, GraphComposer, numbers, scale
from codegen.program import Operand, Symbol
from codegen.tensors import Tensor

MOST_PRODUCTS = ((1 << 31) - 1) // (127 * 128)
"""Products of inputs up to 127 and weights from -128 on that add up within 32 bits."""


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


def operands(c: GraphComposer, operator: Operator, channels: int) -> dict[str, Operand]:
    """What a dense layer or a convolution with so many outputs a place is given."""
    return {
        "x": c.activation(operator.inputs[0]),
        "w": weights(c, operator),
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
    """What calls with weights of 8 bits are given besides, of sums of so many products.
    Raises `ModelError` for sums of more than 32 bits."""
    if products > MOST_PRODUCTS:
        raise ModelError(
            f"{operator}, which gives {operator.outputs[0]}: sums of {products:,} products "
            f"of 8 bits: a device takes up to {MOST_PRODUCTS:,}"
        )
    return {"scale": scale(operator.inputs[1]), "scratch": c.scratch(operator)}


def refuse_asymmetric(operator: Operator) -> None:
    """Raise `ModelError` where inputs become integers around a zero point of their own: its
    range is computed in binary64, which many cores do not have."""
    w = operator.inputs[1]
    freely = bool(operator.options.get("asymmetric"))
    each = (
        w is not None and w.quantisation is not None and len(w.quantisation.scales) > 1
    )
    if hybrid(operator) and (freely or each):
        raise ModelError(
            f"{operator}, which gives {operator.outputs[0]}: inputs of f32 become integers "
            "with a zero point: a device takes weights of i8 with one scale, and inputs that "
            "become integers symmetrically",
            "`hil import --check` computes it by the numpy twin",
        )


def hybrid(operator: Operator) -> bool:
    """Whether its weights have 8 bits, and its inputs are of float32."""
    return [one and one.type for one in operator.inputs[:2]] == ["f32", "i8"]
