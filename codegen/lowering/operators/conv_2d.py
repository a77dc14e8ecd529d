"""CONV_2D."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering import (
    columns,
    eights,
    filters,
    float_columns,
    floating,
    overlap,
    pixels,
    plain,
    planes,
    scaling,
    strips,
)
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.windows import geometry, windows
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all images."""
    outputs, high, wide, depth = dims(operator, 1)
    if floating.hybrid(operator):
        return float_columns.hybrid(c, operator, geometry(operator, (high, wide)))
    if floating.floats(operator):
        return float_columns.convolution(c, operator, geometry(operator, (high, wide)))
    if plain.plain(operator):
        first, given = plain.operands(c, operator, outputs)
        where = windows(c, operator, (high, wide))
        return call(f"{first}conv_2d", operator, at=where, **given)
    if c.vlen:
        at = geometry(operator, (high, wide))
        factors = scaling.of_channels(operator)
        found = pixels.chosen(at, c.vlen)
        if isinstance(found, strips.Strips):
            return strips.convolution(c, operator, found, factors)
        if found:
            return planes.convolution(c, operator, found, factors)
        return columns.convolution(c, operator, at, factors)
    if eights.pays(c, outputs, high * wide * depth):
        at, factors = geometry(operator, (high, wide)), scaling.of_channels(operator)
        return eights.convolution(c, operator, at, factors, scratch(operator) > 0)
    sums = scaling.row_sums(operator, outputs)
    return call(
        filters.named(operator, "conv_2d"), operator,
        at=windows(c, operator, (high, wide)),
        **scaling.operands(c, operator, sums, scaling.of_channels(operator)),
        scratch=c.scratch(operator) if scratch(operator) else None,
        **filters.given(operator),
    )  # fmt: skip


def scratch(operator: Operator) -> int:
    """Bytes of what two windows see, where that is more than a pixel each; of inputs that
    become integers an image; of weights of float32 that are computed."""
    if floating.hybrid(operator):
        return prod(dims(operator)[1:])
    if floating.floats(operator):
        return float_columns.turned(operator)
    _, high, wide, depth = dims(operator, 1)
    whole = high == wide == 1 or plain.plain(operator)
    return 0 if whole else 2 * high * wide * depth


def vector_scratch(operator: Operator, vlen: int) -> int:
    """Bytes of rows of the image with what stands beside it, or of what pixels see."""
    if floating.floats(operator) or plain.plain(operator):
        return scratch(operator)
    _, high, wide, _ = dims(operator, 1)
    at = geometry(operator, (high, wide))
    found = pixels.chosen(at, vlen)
    return found.bytes + found.line if found else columns.scratch(at.pixels)


def leads(operator: Operator, vlen: int) -> Mapping[int, int]:
    """Pixel by pixel, or row by row."""
    return overlap.of_convolution(operator, vlen)
