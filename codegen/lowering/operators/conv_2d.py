"""CONV_2D."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.lowering import (
    columns,
    eights,
    float_columns,
    floating,
    kinds,
    overlap,
    pixels,
    planes,
    sixteen,
    strips,
)
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.windows import geometry, record
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all images."""
    outputs, high, wide, depth = dims(operator, 1)
    if floating.hybrid(operator):
        return float_columns.hybrid(c, operator, geometry(operator, (high, wide)))
    if floating.floats(operator):
        return float_columns.convolution(c, operator, geometry(operator, (high, wide)))
    at = geometry(operator, (high, wide))
    if c.vlen and sixteen.in_lanes(operator):
        factors = sixteen.factors(operator)
        found = pixels.of_operator(operator, at, c.vlen)
        if isinstance(found, strips.Strips):
            return strips.convolution(c, operator, found, factors)
        if found:
            return planes.convolution(c, operator, found, factors)
        return columns.convolution(c, operator, at, factors)
    if eights.pays(c, operator, outputs, high * wide * depth):
        return eights.convolution(c, operator, at, scratch(operator) > 0)
    return call(
        kinds.named(operator, "conv_2d"), operator,
        at=record(c, operator, at),
        **kinds.of_rows(c, operator, outputs),
        scratch=c.scratch(operator) if scratch(operator) else None,
    )  # fmt: skip


def scratch(operator: Operator) -> int:
    """Bytes of what two windows see, where that is more than a pixel each; of inputs that
    become integers an image; of weights of float32 that are computed."""
    if floating.hybrid(operator):
        return prod(dims(operator)[1:])
    if floating.floats(operator):
        return float_columns.turned(operator)
    _, high, wide, depth = dims(operator, 1)
    if high == wide == 1:
        return 0
    return 2 * sixteen.size(operator) * high * wide * depth


def vector_scratch(operator: Operator, vlen: int) -> int:
    """Bytes of rows of the image with what stands beside it, or of what pixels see."""
    if floating.floats(operator) or not sixteen.in_lanes(operator):
        return scratch(operator)
    _, high, wide, _ = dims(operator, 1)
    at = geometry(operator, (high, wide))
    found = pixels.of_operator(operator, at, vlen)
    if found:
        return found.bytes + found.line
    return columns.scratch(at.pixels, sixteen.size(operator))


def leads(operator: Operator, vlen: int) -> Mapping[int, int]:
    """Pixel by pixel, or row by row."""
    return overlap.of_convolution(operator, vlen)
