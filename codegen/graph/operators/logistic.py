"""LOGISTIC: 1 / (1 + exp(-x))."""

from __future__ import annotations

from functools import partial

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration
from codegen.graph.operators.relu import stepped

OUTPUT = {"i8": (1 / 256, -128), "u8": (1 / 256, 0), "i16": (1 / 32768, 0)}
"""Scale and zero point of the output, which is from 0 to 1."""


OPERATOR = Declaration(
    name="LOGISTIC",
    table=0,
    newest=3,
    types=("i8 > i8", "u8 > u8", "i16 > i16", "f32 > f32"),
    shape=dims,
    check=partial(stepped, to=OUTPUT),
)
