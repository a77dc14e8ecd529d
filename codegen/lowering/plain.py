"""Dense layers and convolutions that have no packed kernels: of 16 bits, and of weights of
8 bits whose zero point is not in the middle."""

from __future__ import annotations

from codegen.formats import I32, I64
from codegen.graph.description import Operator
from codegen.lowering import scaling
from codegen.lowering.composer import GraphComposer, numbers, zero
from codegen.lowering.fixed_point import Factor
from codegen.program import Operand

SHORT = 15
"""Bits of a factor of sums of 48 bits."""
MOST_UP = 14
"""Factors of such sums are less than 2^14."""


def plain(operator: Operator) -> bool:
    """Whether an operator is one of these."""
    x = operator.inputs[0]
    return x is not None and x.type == "i16"


def operands(
    c: GraphComposer, operator: Operator, channels: int, dense: bool = False
) -> tuple[str, dict[str, Operand]]:
    """How the kernel's name begins, and what it is given; `channels`: outputs of a place.
    A dense layer without a bias has sums of 32 bits."""
    x, bias = operator.inputs[0], operator.given(2)
    wide = x is not None and x.type == "i16" and not (bias is None and dense)
    wide = wide and (bias is None or bias.type == "i64")
    told = (scaling.of_dense if dense else scaling.of_channels)(operator)
    values = [0.0] * channels if bias is None else numbers(bias)
    given: dict[str, Operand] = {
        "x": c.activation(x),
        "w": c.weights(operator),
        "b": c.constant(operator, "b", I64 if wide else I32, values),
        "by": scaling.scales(c, operator, [short(f) for f in told] if wide else told),
        "y": c.activation(operator.outputs[0]),
    }
    if x is not None and x.type == "i16":
        return ("" if wide else "narrow_"), given
    return "shifted_", {**given, "w_zero": zero(operator.inputs[1])}


def short(factor: Factor) -> Factor:
    """The same factor m 2^-e, m of 15 bits. Raises `OverflowError` for one that kernels
    would shift up."""
    if -factor.e > MOST_UP:
        raise OverflowError(
            f"a factor of up to 2^{-factor.e} between scales of 16 bits: supported is less "
            f"than 2^{MOST_UP}"
        )
    m = min((factor.m + (1 << SHORT)) >> 16, (1 << SHORT) - 1)
    return Factor(m, SHORT + factor.e)
