"""BATCH_MATMUL: where matrices lie the other way round, or are repeated, steps say it."""

from __future__ import annotations

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators.batch_matmul import SIDES, batches, matrix
from codegen.lowering import scaling
from codegen.lowering.composer import GraphComposer, call, zero
from codegen.lowering.moving import spread
from codegen.lowering.sixteen import short
from codegen.program import Op, Symbol

TYPES = ("i8", "i16", "f32")
BATCHES = 3
"""Axes before the matrices that the kernel has."""


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    x, v, y = (*operator.inputs, operator.outputs[0])
    given = {
        "x": c.activation(x), "v": c.activation(v), "at": _steps(c, operator),
        "y": c.activation(y),
    }  # fmt: skip
    if y.type == "f32":
        return call("matmul", operator, **given)
    factors = scaling.of_dense(operator)
    if y.type == "i16":
        factors = [short(one) for one in factors]
    by = scaling.scales(c, operator, factors, 0)
    return call("matmul", operator, by=by, v_zero=zero(v), **given)


def _steps(c: GraphComposer, operator: Operator) -> Symbol:
    """How many matrices there are, and by how many numbers a step goes on in either."""
    (rows, depth), (_, columns) = matrix(operator, 0), matrix(operator, 1)
    whole = batches(operator)
    found = c.record(
        operator, "hil_matrices_t", n=(*(1,) * (BATCHES - len(whole)), *whole),
        x_steps=_repeated(operator, 0), v_steps=_repeated(operator, 1), rows=rows,
        columns=columns, depth=depth, **_within(operator, 0, "x", depth, rows),
        **_within(operator, 1, "v", columns, depth),
    )  # fmt: skip
    return found


def _repeated(operator: Operator, place: int) -> tuple[int, ...]:
    """From a matrix to the next, along the axes before them."""
    shape, whole = dims(operator, place), batches(operator)
    each = tuple(spread(shape[:-2], whole)) if whole else ()
    size = shape[-2] * shape[-1]
    return (*(0,) * (BATCHES - len(each)), *(step * size for step in each))


def _within(
    operator: Operator, place: int, name: str, wide: int, high: int
) -> dict[str, int]:
    """From a row to the next, and from a column."""
    row, column = (1, high) if operator.options[SIDES[place]] else (wide, 1)
    return {f"{name}_row": row, f"{name}_column": column}
