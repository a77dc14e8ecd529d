"""FULLY_CONNECTED: y = W x + b, of each row of the input."""

from __future__ import annotations

from math import prod

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator


def _shape(operator: Operator) -> tuple[int, ...]:
    given, (outputs, inputs) = dims(operator), dims(operator, 1)
    if operator.options["keep_num_dims"]:
        return (*given[:-1], outputs)
    return (prod(given) // inputs, outputs)


def _check(operator: Operator) -> Problems:
    x, w, b = (operator.given(place) for place in range(3))
    yield from checks.clamp(operator)
    if number(operator, "weights_format"):
        yield "shuffled weights: supported are weights in the default format"
    yield from checks.quantised(x, operator.outputs[0])
    yield from checks.weights(w, 0)
    yield from checks.hybrid(x, w)
    yield from checks.rank(w, 2)
    if w is not None and len(w.shape) == 2:
        yield from _widths(operator, *w.shape)
        yield from checks.bias(b, w.shape[0])


def _widths(operator: Operator, outputs: int, inputs: int) -> Problems:
    given = dims(operator)
    last = given[-1:] == (inputs,) or not operator.options["keep_num_dims"]
    if prod(given) % inputs or not last:
        yield f"{operator.inputs[0]} has shape {list(given)}: expected rows of {inputs:,}"


def _macs(operator: Operator) -> int:
    return prod(dims(operator)) * dims(operator, 1)[0]


OPERATOR = Declaration(
    name="FULLY_CONNECTED",
    table=8,
    newest=9,
    types=(
        "i8 i8 i32? > i8",
        "u8 u8 i32? > u8",
        "i16 i8 i64? > i16",
        "i16 i8 i32 > i16",
        "f32 f32 f32? > f32",
        "f32 i8 f32? > f32",
    ),
    fields=(
        Field("activation", 0, "b", 0),
        Field("weights_format", 1, "b", 0),
        Field("keep_num_dims", 2, "?", False),
        Field("asymmetric", 3, "?", False),
    ),
    shape=_shape,
    check=_check,
    macs=_macs,
)
