"""FULLY_CONNECTED."""

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
    sixteen,
)
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.windows import Windows, rows
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call of all rows."""
    n_out, n_in = dims(operator, 1)
    count = prod(dims(operator)) // n_in
    if floating.floats(operator):
        return _floats(c, operator, count, n_in, n_out)
    at = rows(count, n_in, n_out)
    if c.vlen and sixteen.in_lanes(operator):
        return columns.dense(c, operator, at, sixteen.factors(operator))
    if eights.pays(c, operator, n_out, n_in):
        return eights.convolution(c, operator, at, scratch=False)
    return call(
        kinds.named(operator, "fully_connected"), operator,
        **kinds.of_rows(c, operator, n_out), count=count, n_in=n_in, n_out=n_out,
    )  # fmt: skip


def scratch(operator: Operator) -> int:
    """Bytes of a row of 8 bits, or of weights of float32 that are computed."""
    if floating.hybrid(operator):
        return dims(operator, 1)[1]
    return float_columns.turned(operator) if floating.floats(operator) else 0


def _floats(
    c: GraphComposer, operator: Operator, count: int, n_in: int, n_out: int
) -> tuple[Op, ...]:
    """Of inputs of float32, with weights of float32 or of 8 bits."""
    if floating.hybrid(operator):
        at = Windows(count, 1, 1, n_in, 1, 1, n_out)
        return float_columns.hybrid(c, operator, at)
    return float_columns.convolution(c, operator, rows(count, n_in, n_out))


def leads(operator: Operator, vlen: int) -> Mapping[int, int]:
    """Row by row."""
    return overlap.of_dense(operator, vlen)
