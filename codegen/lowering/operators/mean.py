"""MEAN over axes that follow one another."""

from __future__ import annotations

from math import prod

from codegen.errors import ModelError
from codegen.graph.checks import constants, dims
from codegen.graph.description import Operator
from codegen.lowering import scaling
from codegen.lowering.composer import GraphComposer, call, scale
from codegen.lowering.fixed_point import BITS, Factor
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    outer, count, inner = _cut(operator)
    sizes = {"outer": outer, "count": count, "inner": inner}
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    if operator.outputs[0].type == "f32":
        return call("mean", operator, x=x, y=y, **sizes)
    factor = _divided(
        Factor.of(scale(operator.inputs[0]) / scale(operator.outputs[0])), count
    )
    return call(
        "mean", operator,
        x=x,
        by=scaling.scales(c, operator, [factor], 0),
        y=y, **sizes,
    )  # fmt: skip


def _divided(factor: Factor, count: int) -> Factor:
    """By a count, m keeping as many bits more as the count has."""
    more = min(count.bit_length() - 1, 32, BITS - factor.e)
    return Factor((factor.m << more) // count, factor.e + more)


def _cut(operator: Operator) -> tuple[int, int, int]:
    """Numbers before the axes, of them, and behind. Raises `ModelError` where other
    axes stand between."""
    shape = dims(operator)
    axes = sorted({k % len(shape) for k in constants(operator.inputs[1]) or ()})
    first, end = axes[0], axes[-1] + 1
    if any(shape[k] != 1 for k in range(first, end) if k not in axes):
        raise ModelError(
            f"{operator}, which gives {operator.outputs[0]}: axes {axes}: a device takes "
            "axes that follow one another"
        )
    return prod(shape[:first]), prod(shape[first:end]), prod(shape[end:])
