"""SOFTMAX over the last axis."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator, Tensor

OUTPUT = {"i8": (1 / 256, -128), "u8": (1 / 256, 0), "i16": (1 / 32768, 0)}
"""Scale and zero point that the output must have: it is from 0 to 1."""
FINE = (1 / 65536, -32768)
"""The same, nearly, of i16 that come of i8."""


def _check(operator: Operator) -> Problems:
    x, y = operator.inputs[0], operator.outputs[0]
    finer = x is not None and (x.type, y.type) == ("i8", "i16")
    found = [*checks.quantised(x), *(_finer(y) if finer else checks.quantised(y))]
    yield from found
    beta = operator.options["beta"]
    if not isinstance(beta, float) or not 0 < beta < 1e6:
        yield f"beta is {beta}: expected a number above 0"
    yield from checks.axes(operator.inputs[0])
    if not found and not finer:
        yield from checks.output(operator, OUTPUT)


def _finer(y: Tensor) -> Problems:
    said, (scale, zero) = y.quantisation, FINE
    if (
        said is None
        or said.zeros != (zero,)
        or not 0.999 < said.scales[0] / scale < 1.001
    ):
        yield f"{y} has {said or 'no scale'}: expected scale {scale:g}, zero point {zero}"


OPERATOR = Declaration(
    name="SOFTMAX",
    table=9,
    newest=3,
    types=("i8 > i8", "i8 > i16", "u8 > u8", "i16 > i16", "f32 > f32"),
    fields=(Field("beta", 0, "f", 0.0),),
    shape=dims,
    check=_check,
)
