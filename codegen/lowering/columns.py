"""Convolutions and dense layers of 8 bits on vectors: outputs are lanes.

So weights of one input lie side by side, and every output has a factor of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codegen.formats import I8, I32
from codegen.graph.checks import LEAST, MOST, number
from codegen.graph.description import Operator
from codegen.kernels.cost import Shape
from codegen.lowering import scaling
from codegen.lowering.composer import GraphComposer, bounds, call, numbers, zero
from codegen.lowering.fixed_point import Factor
from codegen.lowering.windows import Windows, record
from codegen.program import Op, Symbol


def convolution(
    c: GraphComposer, operator: Operator, at: Windows, factors: Sequence[Factor]
) -> tuple[Op, ...]:
    """One call. `at` is where the windows go."""
    at = at.pixels
    sums = scaling.row_sums(operator, at.y_c)
    return call(
        "conv_2d_columns", operator, Shape(at.y_w, at.y_c),
        x=c.activation(operator.inputs[0]),
        w=c.computed(operator, "w", I8, size(operator), lambda: transposed(operator, at.y_c)),
        b=scaling.biases(c, operator, at.y_c, sums),
        at=record(c, operator, at),
        by=scales(c, operator, factors, at.y_c),
        scratch=c.scratch(operator) if scratch(at) else None,
        y=c.activation(operator.outputs[0]),
    )  # fmt: skip


def scratch(at: Windows) -> int:
    """Bytes of the rows that windows of one row see, where they are written out."""
    return 0 if at.inside else at.k_h * at.width_seen * at.x_c


def size(operator: Operator) -> int:
    """How many weights there are."""
    w = operator.inputs[1]
    assert w is not None
    return w.elements


def transposed(operator: Operator, outputs: int) -> Iterator[float]:
    """Weights, those of one place of all windows side by side."""
    w = operator.inputs[1]
    assert w is not None
    values, places = numbers(w), w.elements // outputs
    for place in range(places):
        yield from values[place::places]


def scales(
    c: GraphComposer, operator: Operator, factors: Sequence[Factor], outputs: int
) -> Symbol:
    """The structure that says how sums become numbers of the output."""
    y = operator.outputs[0]
    low, high = bounds(y, number(operator, "activation"))
    each = factors if len(factors) > 1 else [*factors] * outputs
    return c.record(
        operator, "hil_columns_t",
        m=c.constant(operator, "m", I32, (one.m for one in each)),
        e=c.constant(operator, "e", I32, (one.e for one in each)),
        x_zero=zero(operator.inputs[0]), y_zero=zero(y), low=low, high=high,
        rounding=_rounding([one.e for one in each], low >= zero(y)),
        bounded=int((low, high) != (LEAST[y.type], MOST[y.type])),
    )  # fmt: skip


def _rounding(shifts: Sequence[int], hidden: bool) -> Symbol:
    """How halves are rounded, by the cheapest way that is right. `hidden`: negative ones
    are below the least output, whichever way they go."""
    if hidden and min(shifts) >= 0:
        return Symbol("HIL_UP")
    return Symbol("HIL_AWAY" if min(shifts) > 0 else "HIL_ANY")
