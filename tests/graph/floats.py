"""Layers of float32 that fill registers of every width: so many outputs, or channels."""

from __future__ import annotations

from .building import Given, model
from .odd import activation, bias, convolution, dense, pair, weights

SAME = 0


def depthwise(channels: int, times: int, **options: int) -> bytes:
    """DEPTHWISE_CONV_2D of an image of 4 x 9, kernel 3 x 3, so many outputs a channel."""
    outputs = channels * times
    x, w = activation("f32", (1, 4, 9, channels)), weights((1, 3, 3, outputs), 3, "f32")
    y = activation("f32", (1, 4, 9, outputs))
    told = {"Padding": SAME, "StrideH": 1, "StrideW": 1, "DepthMultiplier": times}
    given = (x, w, bias(outputs, "f32", (), x))
    return model("DEPTHWISE_CONV_2D", 2, given, y, "DepthwiseConv2DOptions", told)


def computed(name: str, x: tuple[int, ...], w: tuple[int, ...]) -> bytes:
    """A layer whose weights are given as its input is."""
    seen, of = activation("f32", x), Given(w, "f32")
    y = activation("f32", (*x[:-1], w[0]))
    table, told = {
        "CONV_2D": ("Conv2DOptions", {"Padding": SAME, "StrideH": 1, "StrideW": 1}),
        "FULLY_CONNECTED": ("FullyConnectedOptions", {}),
    }[name]
    return model(name, 4, (seen, of, bias(w[0], "f32", (), seen)), y, table, told)


def pooled(name: str) -> bytes:
    """A pool of 2 x 2 of 40 channels."""
    x, y = activation("f32", (2, 3, 5, 40)), activation("f32", (2, 2, 3, 40))
    told = {
        "Padding": SAME,
        "StrideH": 2,
        "StrideW": 2,
        "FilterHeight": 2,
        "FilterWidth": 2,
    }
    return model(f"{name}_POOL_2D", 2, (x,), y, "Pool2DOptions", told)


FLOATS = {
    **{
        f"conv-f32-{outputs}": convolution("f32", SAME, outputs)
        for outputs in (12, 20, 70)
    },
    **{f"depthwise-f32-{n}": depthwise(n, 1) for n in (12, 20, 70)},
    "depthwise-f32-one": depthwise(1, 12),
    "dense-f32-130": dense("f32", shape=(3, 33, 130)),
    **{f"{name}-f32-40": pooled(name) for name in ("AVERAGE", "MAX")},
    "MUL-f32-one": pair("MUL", "MulOptions", "f32", 0, (1, 4, 5, 3), (1,)),
    "computed-conv-f32": computed("CONV_2D", (1, 3, 4, 5), (6, 2, 3, 5)),
    "computed-dense-f32": computed("FULLY_CONNECTED", (2, 7), (10, 7)),
}
"""By what they have many of."""
