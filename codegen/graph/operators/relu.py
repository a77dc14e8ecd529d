"""RELU, by a scale of its own where it has one."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator


def check(operator: Operator) -> Problems:
    """Both sides have a scale."""
    yield from checks.quantised(operator.inputs[0], operator.outputs[0])


def bounded(operator: Operator, to: dict[str, tuple[float, int]]) -> Problems:
    """Both sides have a scale, and that of the output is what its range needs: scale
    and zero point by type."""
    found = [*check(operator)]
    yield from found
    if not found:
        yield from checks.output(operator, to)


OPERATOR = Declaration(
    name="RELU",
    table=0,
    newest=2,
    types=("i8 > i8", "u8 > u8", "f32 > f32"),
    shape=dims,
    check=check,
)
