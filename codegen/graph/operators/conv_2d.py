"""CONV_2D: an image [n, h, w, c] with filters [o, kh, kw, c]."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator


def places(operator: Operator) -> tuple[int, int]:
    """Rows and columns of the output."""
    _, height, width, _ = dims(operator)
    _, high, wide, _ = dims(operator, 1)
    padding = number(operator, "padding")
    stride = number(operator, "stride_h"), number(operator, "stride_w")
    apart = number(operator, "dilation_h"), number(operator, "dilation_w")
    return (
        checks.window(height, high, stride[0], apart[0], padding),
        checks.window(width, wide, stride[1], apart[1], padding),
    )


def convolved(operator: Operator, axis: int) -> tuple[int, ...]:
    """The shape of what a convolution gives; filters have its channels along `axis`."""
    return (dims(operator)[0], *places(operator), dims(operator, 1)[axis])


def filtered(
    operator: Operator, axis: int, channels: Callable[[Operator], Problems]
) -> Problems:
    """What holds for any convolution, and what `channels` finds. Nothing is asked of
    images and filters that are none."""
    x, w = operator.inputs[:2]
    found = [
        *checks.clamp(operator),
        *checks.padding(operator),
        *checks.positive(operator, "stride_h", "stride_w", "dilation_h", "dilation_w"),
        *checks.rank(x, 4),
        *checks.rank(w, 4),
    ]
    yield from found
    if found:
        return
    yield from checks.quantised(x, operator.outputs[0])
    yield from checks.weights(w, axis)
    yield from channels(operator)
    yield from checks.bias(operator.given(2), dims(operator, 1)[axis])
    yield from checks.fits(operator, places(operator))


def _channels(operator: Operator) -> Problems:
    x, w = operator.inputs[:2]
    given, there = dims(operator, 1)[3], dims(operator)[3]
    if given != there:
        yield f"{w} has {given} channels and {x} {there}: expected as many"


def _macs(operator: Operator) -> int:
    return prod(operator.outputs[0].shape[:3]) * prod(dims(operator, 1))


OPERATOR = Declaration(
    name="CONV_2D",
    table=1,
    newest=5,
    types=(
        "i8 i8 i32? > i8",
        "u8 u8 i32? > u8",
        "i16 i8 i64 > i16",
        "i16 i8 i32 > i16",
        "f32 f32 f32? > f32",
        "f32 i8 f32? > f32",
    ),
    fields=(
        Field("padding", 0, "b", 0),
        Field("stride_w", 1, "i", 0),
        Field("stride_h", 2, "i", 0),
        Field("activation", 3, "b", 0),
        Field("dilation_w", 4, "i", 1),
        Field("dilation_h", 5, "i", 1),
    ),
    shape=partial(convolved, axis=0),
    check=partial(filtered, axis=0, channels=_channels),
    macs=_macs,
)
