"""DEPTHWISE_CONV_2D: each channel by itself, with filters [1, kh, kw, c * multiplier]."""

from __future__ import annotations

from functools import partial
from math import prod

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.conv_2d import convolved, filtered


def _channels(operator: Operator) -> Problems:
    x, w = operator.inputs[:2]
    one, *_, outputs = dims(operator, 1)
    if x is not None and w is not None and (x.type, w.type) == ("f32", "i8"):
        said = w.quantisation
        if said is None or len(said.scales) != outputs:
            yield f"{w} has {said}: with inputs of f32, supported is a scale for each channel"
    if one != 1 or outputs % dims(operator)[3]:
        yield (
            f"{w} has shape {list(dims(operator, 1))}: expected 1 and a multiple of "
            f"the {dims(operator)[3]} channels of {x}"
        )


def _macs(operator: Operator) -> int:
    _, height, width, _ = dims(operator, 1)
    return prod(operator.outputs[0].shape) * height * width


OPERATOR = Declaration(
    name="DEPTHWISE_CONV_2D",
    table=2,
    newest=6,
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
        Field("activation", 4, "b", 0),
        Field("dilation_w", 5, "i", 1),
        Field("dilation_h", 6, "i", 1),
    ),
    shape=partial(convolved, axis=3),
    check=partial(filtered, axis=3, channels=_channels),
    macs=_macs,
)
