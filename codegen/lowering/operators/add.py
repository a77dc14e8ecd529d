"""ADD, and what SUB has in common with it."""

from __future__ import annotations

from math import prod

from codegen.errors import ModelError
from codegen.graph.checks import dims, number
from codegen.graph.description import Operator
from codegen.lowering import floating
from codegen.lowering.composer import GraphComposer, bounds, call, scale, zero
from codegen.lowering.fixed_point import Factor
from codegen.program import Op

UP = 20
"""Bits by which both are moved up before they meet at twice the larger scale."""

TYPES = ("i8", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    return summed(c, operator, 1)


def summed(c: GraphComposer, operator: Operator, sign: int) -> tuple[Op, ...]:
    """The first and `sign` times the second."""
    (x, v), y = operator.inputs, operator.outputs[0]
    sizes = dict(zip(("n_x", "n_v"), repeated(operator), strict=True))
    given = {"x": c.activation(x), "v": c.activation(v), "y": c.activation(y)}
    if y.type == "f32":
        limits = floating.limits(operator)
        return call(
            "sum", operator, sign=float(sign), n=y.elements, **given, **sizes, **limits
        )
    twice = 2 * max(scale(x), scale(v))
    of_x, of_v = Factor.of(scale(x) / twice), Factor.of(scale(v) / twice)
    of_y = Factor.of(twice / ((1 << UP) * scale(y)))
    low, high = bounds(y, number(operator, "activation"))
    by = c.record(
        operator, "hil_sums_t", x_m=of_x.m, x_e=of_x.e, x_zero=zero(x), v_m=of_v.m,
        v_e=of_v.e, v_zero=zero(v), sign=sign, m=of_y.m, e=of_y.e, y_zero=zero(y),
        low=low, high=high,
    )  # fmt: skip
    return call("sum", operator, by=by, n=y.elements, **given, **sizes)


def repeated(operator: Operator) -> tuple[int, int]:
    """How many numbers either has, where the shorter is repeated as it is. Raises
    `ModelError` where it is not."""
    whole = operator.outputs[0].shape
    for shape in (dims(operator), dims(operator, 1)):
        bare = shape[next((k for k, n in enumerate(shape) if n != 1), len(shape)) :]
        if bare != whole[len(whole) - len(bare) :]:
            raise ModelError(
                f"{operator}, which gives {operator.outputs[0]}: of {list(shape)} axes "
                "behind the first are repeated: a device repeats the first ones alone"
            )
    return prod(dims(operator)), prod(dims(operator, 1))
