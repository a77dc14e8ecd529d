"""RESIZE_NEAREST_NEIGHBOR: rows are gathered, then columns."""

from __future__ import annotations

import math
from collections.abc import Iterator

from codegen.graph.checks import dims
from codegen.graph.description import BITS, Operator
from codegen.lowering.composer import GraphComposer
from codegen.lowering.fixed_point import binary32
from codegen.lowering.operators.gather import gathered
from codegen.program import Op

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """Two calls."""
    n, high, wide, depth = dims(operator)
    _, rows, columns, _ = operator.outputs[0].shape
    x, y = c.activation(operator.inputs[0]), c.activation(operator.outputs[0])
    between = c.scratch(operator, x.format)
    of_rows, of_columns = (
        [*_places(operator, high, rows)],
        [*_places(operator, wide, columns)],
    )
    shapes = (n, high, wide, depth), (n, rows, wide, depth)
    return (
        *gathered(c, operator, (x, between), "rows", shapes[0], 1, of_rows),
        *gathered(c, operator, (between, y), "columns", shapes[1], 2, of_columns),
    )


def scratch(operator: Operator) -> int:
    """Bytes of an image that has its rows."""
    n, _, wide, depth = dims(operator)
    y = operator.outputs[0]
    return n * y.shape[1] * wide * depth * BITS[y.type] // 8


def _places(operator: Operator, there: int, asked: int) -> Iterator[int]:
    """Of each row or column that is asked for, the one that is there; in binary32."""
    align, half = bool(operator.options["align"]), bool(operator.options["half_pixel"])
    aligned = align and asked > 1
    step = binary32((there - aligned) / (asked - aligned))
    for number in range(asked):
        at = binary32((number + 0.5 * half) * step)
        near = math.floor(binary32(at + 0.5) if align else at)
        yield max(0, min(near, there - 1))
