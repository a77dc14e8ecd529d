"""Models of one operator whose inputs are float32 and whose weights have 8 bits."""

from __future__ import annotations

from typing import Any

from .building import Given, model
from .odd import bias, weights


def filtered(name: str, shape: tuple[int, ...], axis: int, **options: Any) -> bytes:
    """Two images 9 x 7 x 3, a scale for each channel of the weights, or `one`."""
    x, w = Given((2, 9, 7, 3), "f32"), weights(shape, axis)
    w = of_one_scale(shape) if options.pop("one", False) else w
    table = "Conv2DOptions" if axis == 0 else "DepthwiseConv2DOptions"
    told = {"StrideH": 2, "StrideW": 1, **options}
    y = Given((2, 5, 7, shape[axis]), "f32")
    return model(
        name, 6 - (axis == 0), (x, w, bias(shape[axis], "f32", (), x)), y, table, told
    )


def of_one_scale(shape: tuple[int, ...]) -> Given:
    """Weights."""
    return Given(shape, "i8", (0.01,), 0, 0, weights(shape, 0).data)


def dense(outputs: int = 7, around: bool = True) -> bytes:
    """Two rows that become integers, `around` a zero point or not; one scale."""
    x, y = Given((2, 33), "f32"), Given((2, outputs), "f32")
    w = of_one_scale((outputs, 33))
    told = {"AsymmetricQuantizeInputs": around, "FusedActivationFunction": 1}
    given = (x, w, bias(outputs, "f32", (), x))
    return model("FULLY_CONNECTED", 9, given, y, "FullyConnectedOptions", told)


HYBRIDS = {
    "hybrid-conv": filtered("CONV_2D", (5, 4, 3, 3), 0, FusedActivationFunction=3),
    "hybrid-depthwise": filtered(
        "DEPTHWISE_CONV_2D", (1, 4, 3, 6), 3, DepthMultiplier=2
    ),
    "hybrid-dense": dense(),
    "hybrid-conv-one": filtered("CONV_2D", (5, 4, 3, 3), 0, one=True),
    "hybrid-conv-40": filtered("CONV_2D", (40, 4, 3, 3), 0),
    **{f"hybrid-dense-40-{k}": dense(40, bool(k)) for k in (0, 1)},
}
"""Files of one operator, by what it is."""
