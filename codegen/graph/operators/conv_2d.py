"""CONV_2D: an image [n, h, w, c] with filters [o, kh, kw, c]."""

from __future__ import annotations

from math import prod

from codegen.graph import checks
from codegen.graph.checks import dims, number
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator


def places(operator: Operator, kernel: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the output."""
    _, height, width, _ = dims(operator)
    padding = number(operator, "padding")
    stride = number(operator, "stride_h"), number(operator, "stride_w")
    apart = number(operator, "dilation_h"), number(operator, "dilation_w")
    return (
        checks.window(height, kernel[0], stride[0], apart[0], padding),
        checks.window(width, kernel[1], stride[1], apart[1], padding),
    )


def filtered(operator: Operator) -> Problems:
    """What holds for any convolution; nothing else is asked where this finds fault."""
    yield from checks.clamp(operator)
    yield from checks.padding(operator)
    yield from checks.positive(
        operator, "stride_h", "stride_w", "dilation_h", "dilation_w"
    )
    yield from checks.rank(operator.inputs[0], 4)
    yield from checks.rank(operator.inputs[1], 4)


def _shape(operator: Operator) -> tuple[int, ...]:
    outputs, height, width, _ = dims(operator, 1)
    return (dims(operator)[0], *places(operator, (height, width)), outputs)


def _check(operator: Operator) -> Problems:
    found = [*filtered(operator)]
    yield from found
    if found:
        return
    x, w = operator.inputs[:2]
    yield from checks.quantised(x, operator.outputs[0])
    yield from checks.weights(w, 0)
    outputs, height, width, channels = dims(operator, 1)
    if channels != dims(operator)[3]:
        yield f"{w} has {channels} channels and {x} {dims(operator)[3]}: expected as many"
    yield from checks.bias(operator.given(2), outputs)
    yield from checks.fits(operator, places(operator, (height, width)))


def _macs(operator: Operator) -> int:
    return prod(operator.outputs[0].shape[:3]) * prod(dims(operator, 1))


OPERATOR = Declaration(
    name="CONV_2D",
    table=1,
    newest=5,
    types=(
        "i8 i8 i32? > i8",
        "u8 u8 i32? > u8",
        "i16 i8 i64? > i16",
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
    shape=_shape,
    check=_check,
    macs=_macs,
)
