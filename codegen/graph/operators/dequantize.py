"""DEQUANTIZE: integers, or numbers of 16 bits, as float32."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator


def _check(operator: Operator) -> Problems:
    yield from checks.quantised(operator.inputs[0])


OPERATOR = Declaration(
    name="DEQUANTIZE",
    table=38,
    newest=3,
    types=("i8 > f32", "u8 > f32", "i16 > f32", "f16 > f32"),
    shape=dims,
    check=_check,
)
