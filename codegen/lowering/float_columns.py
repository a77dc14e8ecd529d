"""Convolutions and dense layers of float32: weights of one input lie side by side.

So vectors have outputs as lanes, and other machines keep the sums of several in registers.
"""

from __future__ import annotations

from codegen.formats import F32, I8, Format
from codegen.graph.description import Operator
from codegen.kernels.cost import Shape
from codegen.lowering import columns, floating
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.moving import Walk, moved
from codegen.lowering.windows import Windows, record
from codegen.program import Op
from codegen.tensors import Tensor


def convolution(c: GraphComposer, operator: Operator, at: Windows) -> tuple[Op, ...]:
    """One call, and before it one that turns weights which are computed. `at` is where
    the windows go; a dense layer's are rows."""
    at = at.pixels
    before, w = _weights(c, operator, at.y_c)
    given = floating.operands(c, operator, at.y_c, w)
    shape, where = Shape(at.y_w, at.y_c), record(c, operator, at)
    return (*before, *call("conv_2d_columns", operator, shape, at=where, **given))


def hybrid(c: GraphComposer, operator: Operator, at: Windows) -> tuple[Op, ...]:
    """The same with weights of 8 bits, which are constants: integers take the place of each
    image; a dense layer's rows are images of one pixel."""
    w = _packed(c, operator, I8, at.y_c)
    kind = "hybrid_columns"
    if floating.freely(operator):
        kind = "hybrid_channel_columns" if floating.each(operator) else f"{kind}_freely"
    return call(
        kind, operator, Shape(at.y_w, at.y_c),
        at=record(c, operator, at),
        **floating.operands(c, operator, at.y_c, w),
        **floating.by_integers(c, operator, at.k_h * at.k_w * at.x_c),
    )  # fmt: skip


def _packed(
    c: GraphComposer, operator: Operator, format: Format, outputs: int
) -> Tensor:
    """Constants, turned."""
    count = columns.size(operator)
    return c.computed(
        operator, "w", format, count, lambda: columns.transposed(operator, outputs)
    )


def _weights(
    c: GraphComposer, operator: Operator, outputs: int
) -> tuple[tuple[Op, ...], Tensor]:
    if not turned(operator):
        return (), _packed(c, operator, F32, outputs)
    to, places = c.scratch(operator, F32), columns.size(operator) // outputs
    walk = Walk((places, outputs), (1, places), (outputs, 1))
    return moved(c, operator, c.activation(operator.inputs[1]), to, walk), to


def turned(operator: Operator) -> int:
    """Bytes of weights that are computed, which are turned in the arena; 0 where they are
    constants."""
    w = operator.inputs[1]
    assert w is not None
    return w.bytes if w.data is None else 0
