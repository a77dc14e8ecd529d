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


STEEPEST = 32768 / 12288
"""Scales of i16 are less: a table has 12288 places for 1."""


def stepped(operator: Operator, to: dict[str, tuple[float, int]]) -> Problems:
    """The same of functions with a table of 16 bits, of which steps are counted."""
    found, x = [*bounded(operator, to)], operator.inputs[0]
    yield from found
    coarse = x and x.quantisation and x.quantisation.scales[0] >= STEEPEST
    if not found and x and x.type == "i16" and coarse:
        yield f"{x} has {x.quantisation}: supported is a scale of less than {STEEPEST:.4g}"


OPERATOR = Declaration(
    name="RELU",
    table=0,
    newest=2,
    types=("i8 > i8", "u8 > u8", "i16 > i16", "f32 > f32"),
    shape=dims,
    check=check,
)
