"""TANH."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators import relu

OUTPUT = {"i8": (1 / 128, 0), "u8": (1 / 128, 128)}
"""Scale and zero point of the output, which is from -1 to 1."""


def _check(operator: Operator) -> Problems:
    found = [*relu.check(operator)]
    yield from found
    yield from () if found else checks.output(operator, OUTPUT)


OPERATOR = Declaration(
    name="TANH",
    table=0,
    newest=2,
    types=("i8 > i8", "u8 > u8", "f32 > f32"),
    shape=dims,
    check=_check,
)
