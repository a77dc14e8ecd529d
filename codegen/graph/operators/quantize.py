"""QUANTIZE: numbers of float32 as integers, or integers by another scale."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator


def _check(operator: Operator) -> Problems:
    yield from checks.quantised(operator.inputs[0], operator.outputs[0])


OPERATOR = Declaration(
    name="QUANTIZE",
    table=89,
    newest=2,
    types=(
        "f32 > i8",
        "f32 > u8",
        "f32 > i16",
        "i8 > i8",
        "i8 > u8",
        "u8 > i8",
        "u8 > u8",
        "i16 > i8",
        "i16 > i16",
    ),
    shape=dims,
    check=_check,
)
