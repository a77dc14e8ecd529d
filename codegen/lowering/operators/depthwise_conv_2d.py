"""DEPTHWISE_CONV_2D."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from codegen.formats import I8, I16
from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.kernels.cost import Shape
from codegen.lowering import columns, floating, kinds, overlap, sixteen
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.windows import geometry, record, windows
from codegen.program import Op

TYPES = ("i8", "i16", "f32")
BEYOND = 3
"""Of four numbers that a kernel reads at once, those after the first."""


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all images."""
    _, high, wide, outputs = dims(operator, 1)
    if floating.floats(operator):
        return _floats(c, operator, (high, wide), outputs)
    if c.vlen and sixteen.in_lanes(operator):
        there = geometry(operator, (high, wide))
        return columns.depthwise(c, operator, there, sixteen.factors(operator))
    at = windows(c, operator, (high, wide))
    of = I16 if sixteen.sixteen(operator) else I8
    return call(
        kinds.named(operator, "depthwise_conv_2d"), operator,
        at=at, scratch=c.scratch(operator, of), **kinds.of_columns(c, operator, outputs),
    )  # fmt: skip


def scratch(operator: Operator) -> int:
    """Bytes of an image that becomes integers; of rows of the image with what stands beside
    it, and of a word that reaches beyond them."""
    if floating.hybrid(operator):
        return prod(dims(operator)[1:])
    if floating.floats(operator):
        return 0
    _, high, wide, _ = dims(operator, 1)
    at = geometry(operator, (high, wide))
    return sixteen.size(operator) * (at.k_h * at.width_seen * at.x_c + BEYOND)


def vector_scratch(operator: Operator, vlen: int) -> int:
    """Bytes of rows of the image in the channels of the output."""
    if floating.floats(operator) or not sixteen.in_lanes(operator):
        return scratch(operator)
    _, high, wide, _ = dims(operator, 1)
    return columns.depthwise_scratch(geometry(operator, (high, wide)))


def _floats(
    c: GraphComposer, operator: Operator, kernel: tuple[int, int], outputs: int
) -> tuple[Op, ...]:
    """Of inputs of float32, with weights of float32 or of 8 bits. A convolution of the only
    channel is one of all channels, and its weights lie as they should."""
    where = geometry(operator, kernel)
    at = record(c, operator, where)
    given = floating.operands(c, operator, outputs)
    if floating.hybrid(operator):
        given |= floating.by_integers(c, operator, prod(kernel))
        return call("hybrid_depthwise", operator, at=at, **given)
    kind = "conv_2d_columns" if where.x_c == 1 else "depthwise_conv_2d"
    return call(kind, operator, Shape(where.y_w, outputs), at=at, **given)


def leads(operator: Operator, vlen: int) -> Mapping[int, int]:
    """Row by row."""
    return overlap.of_depthwise(operator, vlen)
