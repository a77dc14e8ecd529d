"""RESIZE_BILINEAR: rows and columns are constants, each with what lies before and behind
it, and how far it is from the first."""

from __future__ import annotations

import math
from collections.abc import Iterator

from codegen.formats import F32, I32
from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators.resize_bilinear import ONE, step
from codegen.lowering.composer import GraphComposer, call
from codegen.lowering.fixed_point import binary32
from codegen.program import Op
from codegen.tensors import Tensor

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """One call."""
    images, x_h, x_w, depth = dims(operator)
    _, y_h, y_w, _ = operator.outputs[0].shape
    rows, row_parts = _axis(c, operator, "rows", x_h, y_h)
    columns, column_parts = _axis(c, operator, "columns", x_w, y_w)
    return call(
        "bilinear", operator, x=c.activation(operator.inputs[0]), rows=rows,
        row_parts=row_parts, columns=columns, column_parts=column_parts,
        y=c.activation(operator.outputs[0]), images=images, x_h=x_h, x_w=x_w, y_h=y_h,
        y_w=y_w, depth=depth,
    )  # fmt: skip


def _axis(
    c: GraphComposer, operator: Operator, name: str, there: int, asked: int
) -> tuple[Tensor, Tensor]:
    """The two places of each row or column, and its parts."""
    floats = operator.outputs[0].type == "f32"
    found = [*(_floats if floats else _integers)(operator, there, asked)]
    places = [place for before, behind, _ in found for place in (before, behind)]
    parts = [part for *_, part in found]
    return (
        c.constant(operator, name, I32, places),
        c.constant(operator, f"{name}_parts", F32 if floats else I32, parts),
    )


def _integers(
    operator: Operator, there: int, asked: int
) -> Iterator[tuple[int, int, float]]:
    """In 1024ths of a pixel."""
    each = step(operator, there, asked)
    first = each // 2 - ONE // 2 if operator.options["half_pixel"] else 0
    for number in range(asked):
        at = number * each + first
        before = max(at, 0) // ONE
        behind = min(max(at + ONE - 1, 0) // ONE, there - 1)
        yield before, behind, at - ONE * before


def _floats(
    operator: Operator, there: int, asked: int
) -> Iterator[tuple[int, int, float]]:
    """In binary32."""
    aligned = bool(operator.options["align"]) and asked > 1
    half = 0.5 if operator.options["half_pixel"] else 0.0
    each = binary32((there - aligned) / (asked - aligned))
    for number in range(asked):
        at = binary32(binary32((number + half) * each) - half)
        before = min(max(math.floor(at), 0), there - 1)
        behind = min(max(math.ceil(at), 0), there - 1)
        yield before, behind, binary32(at - before)
