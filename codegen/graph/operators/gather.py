"""GATHER: the places of one axis that constants say, or that are computed, in their order."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.split import KINDS


def place(operator: Operator) -> int:
    """The axis, counted from the first."""
    axis, count = number(operator, "axis"), len(dims(operator))
    return axis + count if axis < 0 else axis


def _shape(operator: Operator) -> tuple[int, ...]:
    whole, axis = dims(operator), place(operator)
    return (*whole[:axis], *dims(operator, 1), *whole[axis + 1 :])


def _check(operator: Operator) -> Problems:
    x, said = operator.inputs
    axis, whole = place(operator), dims(operator)
    yield from checks.alike(x, operator.outputs[0])
    if operator.options["batches"]:
        yield f"batch_dims is {operator.options['batches']}: supported is 0"
    if not 0 <= axis < len(whole):
        yield f"axis is {operator.options['axis']}: expected one of {len(whole)}"
        return
    if not all(0 <= one < whole[axis] for one in constants(said) or ()):
        yield f"{said} has places that are not in axis {axis}, which has {whole[axis]}"


OPERATOR = Declaration(
    name="GATHER",
    table=23,
    newest=7,
    types=tuple(f"{one} i32 > {one}" for one in KINDS),
    fields=(Field("axis", 0, "i", 0), Field("batches", 1, "i", 0)),
    shape=_shape,
    check=_check,
)
