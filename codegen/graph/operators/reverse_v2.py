"""REVERSE_V2: one axis from its end. TensorFlow Lite 2.14 takes the first of several."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.split import KINDS, axis_is_one


def _check(operator: Operator) -> Problems:
    yield from axis_is_one(operator, 1)
    yield from checks.alike(operator.inputs[0], operator.outputs[0])


OPERATOR = Declaration(
    name="REVERSE_V2",
    table=81,
    newest=3,
    types=tuple(f"{one} i32 > {one}" for one in KINDS),
    shape=dims,
    check=_check,
)
