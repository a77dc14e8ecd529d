"""Sums of products as numbers of the output: zero points in the biases, factors as
constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from codegen.formats import I8, I32
from codegen.graph.checks import LEAST, number
from codegen.graph.description import Operator
from codegen.lowering import filters
from codegen.lowering.composer import (
    GraphComposer,
    bounds,
    numbers,
    quantised,
    scale,
    zero,
)
from codegen.lowering.fixed_point import Factor, binary32
from codegen.lowering.legacy import unsigned
from codegen.program import Operand, Symbol
from codegen.tensors import Tensor


def operands(
    c: GraphComposer,
    operator: Operator,
    sums: Sequence[float],
    factors: Sequence[Factor],
    w: Tensor | None = None,
) -> dict[str, Operand]:
    """What a dense layer or a convolution of 8 bits is given; `sums` are those of the
    weights of each output, which lie as the file has them, or as in `w`."""
    return {
        "x": c.activation(operator.inputs[0]),
        "w": w or c.weights(operator),
        "b": biases(c, operator, len(sums), sums),
        "by": scales(c, operator, factors, roomy=roomy(operator, sums)),
        "y": c.activation(operator.outputs[0]),
    }


def scales(
    c: GraphComposer,
    operator: Operator,
    factors: Sequence[Factor],
    fused: int | None = None,
    roomy: bool = False,
    up: bool = False,
) -> Symbol:
    """The structure that says how sums become numbers of the output, by one factor or
    one for each channel. `roomy`: sums are within -2^30 .. 2^30 - 1. `up`: so
    are those of numbers of 16 bits, and halves go up."""
    y = operator.outputs[0]
    low, high = bounds(y, number(operator, "activation") if fused is None else fused)
    return c.record(
        operator, "hil_scales_t",
        m=c.constant(operator, "m", I32, (one.m for one in factors)),
        e=c.constant(operator, "e", I8, (one.e for one in factors)),
        each=int(len(factors) > 1), x_zero=zero(operator.inputs[0]), y_zero=zero(y),
        low=low, high=high,
        rounding=_rounding(roomy or up, hidden=up or low >= zero(y)),
    )  # fmt: skip


def _rounding(roomy: bool, hidden: bool) -> Symbol:
    """How halves are rounded, by the cheapest way that is right. `hidden`: negative ones
    are below the least output, whichever way they go."""
    if not roomy:
        return Symbol("HIL_ANY")
    return Symbol("HIL_UP" if hidden else "HIL_AWAY")


def of_channels(operator: Operator) -> list[Factor]:
    """Of products with weights that have one scale, or one for each channel. Where
    nothing has a sign the one product of scales is a number of binary32."""
    x, w, y = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    if unsigned(operator):
        return of_dense(operator)
    return [Factor.of(scale(x) * one / scale(y)) for one in quantised(w).scales]


def of_dense(operator: Operator) -> list[Factor]:
    """The same of a dense layer, whose one product of scales is a number of binary32."""
    x, w, y = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    if len(quantised(w).scales) > 1:
        return of_channels(operator)
    return [Factor.of(binary32(scale(x) * scale(w)) / scale(y))]


def biases(
    c: GraphComposer,
    operator: Operator,
    channels: int,
    sums: Iterable[float],
    repeats: int = 1,
) -> Tensor:
    """Biases with the input's zero point in them, b - zero * sum of w, modulo 2^32; all
    of them so many times."""
    folded = _folded(operator, channels, sums)
    return c.constant(operator, "b", I32, [wrapped(one) for one in folded] * repeats)


def _folded(operator: Operator, channels: int, sums: Iterable[float]) -> Iterator[int]:
    bias, moved = operator.given(2), zero(operator.inputs[0])
    b = [0.0] * channels if bias is None else numbers(bias)
    return (int(one) - moved * int(sum) for one, sum in zip(b, sums, strict=True))


def roomy(operator: Operator, sums: Sequence[float]) -> bool:
    """Whether a bias with the zero point in it and products of 8 bits add up to a number
    within -2^30 .. 2^30 - 1, whatever the inputs are."""
    w = operator.inputs[1]
    assert w is not None
    most = filters.LARGEST if filters.shift(operator) else -LEAST["i8"]
    products = w.elements // len(sums) * -LEAST["i8"] * most
    return max(map(abs, _folded(operator, len(sums), sums))) + products < 1 << 30


def wrapped(value: int) -> int:
    """A number of 32 bits that is equal modulo 2^32."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def row_sums(operator: Operator, rows: int, place: int = 1) -> list[float]:
    """The sum of each row of weights less their zero point."""
    w = operator.inputs[place]
    assert w is not None
    values, count = iter(numbers(w)), w.elements // rows
    return [sum(islice(values, count)) - zero(w) * count for _ in range(rows)]


def column_sums(operator: Operator, columns: int) -> list[float]:
    """The sum of each column."""
    values = filters.weights(operator)
    return [sum(values[j::columns]) for j in range(columns)]
