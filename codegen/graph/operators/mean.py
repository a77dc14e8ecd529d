"""MEAN over some axes."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator
from codegen.graph.operators import relu


def _axes(operator: Operator) -> set[int]:
    said, count = constants(operator.inputs[1]) or (), len(dims(operator))
    return {axis + count if axis < 0 else axis for axis in said}


def reduced(operator: Operator) -> tuple[int, ...]:
    """The shape of what is left."""
    axes, kept = _axes(operator), operator.options["keep_dims"]
    sizes = enumerate(dims(operator))
    return tuple(1 if k in axes else n for k, n in sizes if kept or k not in axes)


def check(operator: Operator) -> Problems:
    """Axes that are there, said by a constant."""
    yield from relu.check(operator)
    yield from checks.fixed(operator.inputs[1])
    axes, count = _axes(operator), len(dims(operator))
    if not axes or not axes <= {*range(count)}:
        yield f"{operator.inputs[1]} is {sorted(axes)}: expected some of {count} axes"


FIELDS = (Field("keep_dims", 0, "?", False),)

OPERATOR = Declaration(
    name="MEAN",
    table=27,
    newest=2,
    types=("i8 i32 > i8", "u8 i32 > u8", "i16 i32 > i16", "f32 i32 > f32"),
    fields=FIELDS,
    shape=reduced,
    check=check,
)
