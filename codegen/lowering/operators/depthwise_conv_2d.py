"""DEPTHWISE_CONV_2D."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.kernels.cost import Shape
from codegen.lowering import columns, filters, floating, overlap, plain, scaling
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
    if c.vlen and not plain.plain(operator):
        there = geometry(operator, (high, wide))
        return columns.depthwise(c, operator, there, scaling.of_channels(operator))
    at = windows(c, operator, (high, wide))
    first: str = ""
    if plain.plain(operator):
        first, given = plain.operands(c, operator, outputs)
    else:
        first = filters.named(operator, first)
        sums = scaling.column_sums(operator, outputs)
        given = scaling.operands(c, operator, sums, scaling.of_channels(operator))
        given |= {"scratch": c.scratch(operator), **filters.given(operator)}
    return call(f"{first}depthwise_conv_2d", operator, at=at, **given)


def scratch(operator: Operator) -> int:
    """Bytes of an image that becomes integers; of rows of the image with what stands beside
    it, and of a word that reaches beyond them."""
    if floating.hybrid(operator):
        return prod(dims(operator)[1:])
    if floating.floats(operator) or plain.plain(operator):
        return 0
    _, high, wide, _ = dims(operator, 1)
    at = geometry(operator, (high, wide))
    return at.k_h * at.width_seen * at.x_c + BEYOND


def vector_scratch(operator: Operator, vlen: int) -> int:
    """Bytes of rows of the image in the channels of the output."""
    if floating.floats(operator) or plain.plain(operator):
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
