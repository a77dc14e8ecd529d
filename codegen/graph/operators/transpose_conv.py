"""TRANSPOSE_CONV: each pixel adds filters [o, kh, kw, c] to a window of the output."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from codegen.graph import checks
from codegen.graph.checks import constants, dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator

GIVEN = 2
"""The place of the image: the output's shape and the weights stand before it."""


def ordered(operator: Operator) -> Operator:
    """The same with image, weights and bias as those of a convolution stand."""
    return replace(
        operator, inputs=(operator.inputs[2], operator.inputs[1], operator.given(3))
    )


def _shape(operator: Operator) -> tuple[int, ...]:
    return constants(operator.inputs[0]) or ()


def _check(operator: Operator) -> Problems:
    asked, w, x = operator.inputs[:3]
    found = [
        *checks.fixed(asked),
        *checks.padding(operator),
        *checks.positive(operator, "stride_h", "stride_w"),
        *checks.rank(x, 4),
        *checks.rank(w, 4),
    ]
    if operator.options["activation"]:
        found.append("a fused activation: supported is none")
    if asked is not None and (
        asked.shape != (4,) or min(_shape(operator), default=0) < 1
    ):
        found.append(
            f"{asked} is {list(_shape(operator))}: expected four sizes of at least 1"
        )
    yield from found
    if found:
        return
    yield from checks.quantised(x, operator.outputs[0])
    yield from checks.weights(w, 0)
    yield from checks.bias(operator.given(3), dims(operator, 1)[0])
    yield from _fits(operator)


def _fits(operator: Operator) -> Problems:
    """The image is what a convolution of the output would give."""
    _, high, wide, _ = _shape(operator)
    outputs, k_h, k_w, depth = dims(operator, 1)
    padding = number(operator, "padding")
    wanted = (
        _shape(operator)[0],
        checks.window(high, k_h, number(operator, "stride_h"), 1, padding),
        checks.window(wide, k_w, number(operator, "stride_w"), 1, padding),
        depth,
    )
    if dims(operator, GIVEN) != wanted or _shape(operator)[3] != outputs:
        yield (
            f"{operator.inputs[GIVEN]} has shape {list(dims(operator, GIVEN))}: expected "
            f"{list(wanted)}, which gives {outputs} channels"
        )


def _macs(operator: Operator) -> int:
    return prod(dims(operator, GIVEN)[:3]) * prod(dims(operator, 1))


OPERATOR = Declaration(
    name="TRANSPOSE_CONV",
    table=49,
    newest=4,
    types=("i32 i8 i8 i32? > i8", "i32 u8 u8 i32? > u8", "i32 f32 f32 f32? > f32"),
    fields=(
        Field("padding", 0, "b", 0),
        Field("stride_w", 1, "i", 0),
        Field("stride_h", 2, "i", 0),
        Field("activation", 3, "b", 0),
    ),
    shape=_shape,
    check=_check,
    macs=_macs,
)
