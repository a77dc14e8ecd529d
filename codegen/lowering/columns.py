"""Convolutions and dense layers on vectors: outputs are lanes.

So weights of one input lie side by side, and every output has a factor of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codegen.formats import I8, I16, I32, U8, U16
from codegen.graph.checks import LEAST, MOST, number
from codegen.graph.description import Operator
from codegen.kernels.cost import Shape
from codegen.lowering import filters, kinds, scaling
from codegen.lowering.composer import (
    Field,
    GraphComposer,
    bounds,
    call,
    numbers,
    zero,
)
from codegen.lowering.fixed_point import Factor
from codegen.lowering.windows import Windows, record
from codegen.program import Op, Operand, Symbol

LANES = 64
"""Numbers of 32 bits in the widest group of registers of 256 bits."""
RUN = 8
"""Products that are summed in 16 bits, where that is exact."""
MOST_SUM = 255
"""Largest sum of weights' magnitudes: 128 times it fits 16 bits."""


def convolution(
    c: GraphComposer, operator: Operator, at: Windows, factors: Sequence[Factor]
) -> tuple[Op, ...]:
    """One call. `at` is where the windows go."""
    at = at.pixels
    return call(
        kinds.named(operator, "conv_2d_columns"), operator, Shape(at.y_w, at.y_c),
        at=record(c, operator, at),
        scratch=c.scratch(operator) if scratch(at) else None,
        **_operands(c, operator, at, factors),
        **filters.given(operator),
    )  # fmt: skip


def _operands(
    c: GraphComposer, operator: Operator, at: Windows, factors: Sequence[Factor]
) -> dict[str, Operand]:
    sums = scaling.row_sums(operator, at.y_c)
    return {
        "x": c.activation(operator.inputs[0]),
        "w": c.computed(
            operator, "w", I8, size(operator), lambda: transposed(operator, at.y_c)
        ),
        "b": scaling.biases(c, operator, at.y_c, sums),
        "by": scales(c, operator, factors, at.y_c),
        "y": c.activation(operator.outputs[0]),
    }


def depthwise(
    c: GraphComposer, operator: Operator, at: Windows, factors: Sequence[Factor]
) -> tuple[Op, ...]:
    """The same of a convolution of each channel. Where channels are few, those of several
    pixels are side by side."""
    repeats = max(1, LANES // at.y_c)
    sums = scaling.column_sums(operator, at.y_c)
    count = at.k_h * at.k_w * at.y_c * repeats
    return call(
        filters.named(operator, "depthwise_columns"), operator,
        x=c.activation(operator.inputs[0]),
        w=c.computed(operator, "w", I16, count, lambda: _repeated(operator, at.y_c, repeats)),
        b=scaling.biases(c, operator, at.y_c, sums, repeats),
        taps=c.constant(operator, "taps", I32, _places(at)),
        at=record(c, operator, at),
        by=scales(c, operator, factors, at.y_c, repeats),
        tile=at.y_c * repeats,
        scratch=c.scratch(operator, I16),
        y=c.activation(operator.outputs[0]),
    )  # fmt: skip


def depthwise_scratch(at: Windows) -> int:
    """Bytes of the rows that windows of two rows see, of 16 bits."""
    rows = (at.k_h - 1) * at.apart_h + 1 + at.stride_h
    phases = min((at.k_w - 1) * at.apart_w + 1, at.stride_w)
    return 2 * rows * phases * _width(at) * at.y_c


def _width(at: Windows) -> int:
    """Pixels of a row that are stride_w apart and that windows see."""
    return at.y_w + (at.k_w - 1) * at.apart_w // at.stride_w


def _places(at: Windows) -> Iterator[int]:
    """Where the columns of a window lie in a row in which pixels `stride_w` apart are
    neighbours."""
    for c in range(at.k_w):
        on, phase = divmod(c * at.apart_w, at.stride_w)
        yield (phase * _width(at) + on) * at.y_c


def _repeated(operator: Operator, channels: int, repeats: int) -> Iterator[float]:
    values = filters.weights(operator)
    for first in range(0, len(values), channels):
        yield from values[first : first + channels] * repeats


def dense(
    c: GraphComposer, operator: Operator, at: Windows, factors: Sequence[Factor]
) -> tuple[Op, ...]:
    """Rows of a dense layer: one that is wide is summed in 16 bits, as far as its weights
    allow."""
    narrow = at.y_w > 1 or at.y_c <= LANES or at.x_c % 2
    if narrow or not filters.usual(operator) or not all(_fitting(operator, 2)):
        return convolution(c, operator, at, factors)
    return call(
        "dense_runs", operator,
        n_in=at.x_c, n_out=at.y_c,
        wholes=c.constant(operator, "wholes", U8, _wholes(operator, at)),
        **_operands(c, operator, at, factors),
    )  # fmt: skip


def _wholes(operator: Operator, at: Windows) -> Iterator[int]:
    """Of each eight inputs, whether their products may be summed in 16 bits."""
    fitting, groups = _fitting(operator, RUN), at.x_c // RUN
    if at.x_c % RUN:
        return iter([0] * max(1, groups))
    return (int(all(fitting[group::groups])) for group in range(groups))


def _fitting(operator: Operator, run: int) -> list[bool]:
    """For each run of so many weights, whether 16 bits hold the sum of their
    products."""
    w = operator.inputs[1]
    assert w is not None
    sizes = [*map(abs, numbers(w))]
    parts = (sizes[k::run] for k in range(run))
    return [sum(part) <= MOST_SUM for part in zip(*parts, strict=False)]


def scratch(at: Windows, size: int = 1) -> int:
    """Bytes of the rows that windows of one row see, where they are written out."""
    return 0 if at.inside else size * at.k_h * at.width_seen * at.x_c


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
    c: GraphComposer,
    operator: Operator,
    factors: Sequence[Factor],
    outputs: int,
    repeats: int = 1,
) -> Symbol:
    """The structure that says how sums become numbers of the output."""
    y = operator.outputs[0]
    low, high = bounds(y, number(operator, "activation"))
    each = [*factors] * (repeats if len(factors) > 1 else outputs * repeats)
    return c.record(
        operator, "hil_columns_t",
        m=c.constant(operator, "m", I32, (one.m for one in each)),
        e=c.constant(operator, "e", U16, (max(one.e, 0) for one in each)),
        up=_up(c, operator, [one.e for one in each]),
        x_zero=zero(operator.inputs[0]), y_zero=zero(y), low=low, high=high,
        rounding=_rounding([one.e for one in each], low >= zero(y)),
        bounded=int((low, high) != (LEAST[y.type], MOST[y.type])),
    )  # fmt: skip


def _up(c: GraphComposer, operator: Operator, shifts: Sequence[int]) -> Field:
    """Shifts to the left, where there are any."""
    if min(shifts) >= 0:
        return Symbol("NULL")
    return c.constant(operator, "up", I32, (max(-one, 0) for one in shifts))


def _rounding(shifts: Sequence[int], hidden: bool) -> Symbol:
    """How halves are rounded, by the cheapest way that is right. `hidden`: negative ones
    are below the least output, whichever way they go."""
    if hidden:
        return Symbol("HIL_UP")
    return Symbol("HIL_AWAY" if min(shifts) > 0 else "HIL_ANY")
