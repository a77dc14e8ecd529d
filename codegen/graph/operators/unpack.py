"""UNPACK: the tensors that lie along one axis, without it."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems, shaped
from codegen.graph.description import Operator
from codegen.graph.operators.split import KINDS


def place(operator: Operator) -> int:
    """Which axis goes."""
    axis, count = number(operator, "axis"), len(dims(operator))
    return axis + count if axis < 0 else axis


def _shape(operator: Operator) -> tuple[int, ...]:
    whole, axis = dims(operator), place(operator)
    return (*whole[:axis], *whole[axis + 1 :])


def _check(operator: Operator) -> Problems:
    x, whole, axis = operator.inputs[0], dims(operator), place(operator)
    if not 0 <= axis < len(whole):
        yield f"axis is {operator.options['axis']}: expected one of {len(whole)}"
        return
    if not whole[axis] == len(operator.outputs) == operator.options["count"]:
        yield f"{x} has {whole[axis]} places of axis {axis}: expected {len(operator.outputs)}"
    for output in operator.outputs:
        yield from checks.alike(x, output)
        yield from shaped(output, _shape(operator))


OPERATOR = Declaration(
    name="UNPACK",
    table=64,
    newest=4,
    types=tuple(f"{one} > {one}+" for one in KINDS),
    fields=(Field("count", 0, "i", 0), Field("axis", 1, "i", 0)),
    shape=_shape,
    check=_check,
)
