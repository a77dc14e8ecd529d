"""BROADCAST_TO: axes of size 1 repeated, to a shape that is asked for."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.split import KINDS


def _shape(operator: Operator) -> tuple[int, ...]:
    return constants(operator.inputs[1]) or ()


def _check(operator: Operator) -> Problems:
    x, asked = operator.inputs
    yield from checks.fixed(asked)
    yield from checks.rank(asked, 1)
    yield from checks.alike(x, operator.outputs[0])
    given, whole = dims(operator), _shape(operator)
    pairs = zip(given[::-1], whole[::-1], strict=False)
    if len(given) > len(whole) or any(n not in (1, to) for n, to in pairs):
        yield f"{x} has shape {list(given)}: asked is {list(whole)}"


OPERATOR = Declaration(
    name="BROADCAST_TO",
    table=104,
    newest=3,
    types=tuple(f"{one} i32 > {one}" for one in KINDS),
    shape=_shape,
    check=_check,
)
