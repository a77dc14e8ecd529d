"""FULLY_CONNECTED."""

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
    plain,
    scaling,
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
    if plain.plain(operator):
        first, given = plain.operands(c, operator, n_out, dense=True)
        sizes = {"count": count, "n_in": n_in, "n_out": n_out}
        return call(f"{first}fully_connected", operator, **given, **sizes)
    at, factors = rows(count, n_in, n_out), scaling.of_dense(operator)
    if c.vlen:
        return columns.dense(c, operator, at, factors)
    if eights.pays(c, n_out, n_in):
        return eights.convolution(c, operator, at, factors, scratch=False)
    sums = scaling.row_sums(operator, n_out)
    return call(
        filters.named(operator, "fully_connected"), operator,
        **scaling.operands(c, operator, sums, factors),
        count=count, n_in=n_in, n_out=n_out, **filters.given(operator),
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
