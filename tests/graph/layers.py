"""Layers of a usual size, each in every type of numbers that devices compute; and what
writes them as files, for `hil bench model`:

    python -m tests.graph.layers FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from .building import Given, model
from .odd import BIASES, WEIGHTS, activation, bias, weights

KINDS = ("i8", "u8", "i16", "f32")


def filtered(name: str, kind: str, shape: tuple[int, ...], axis: int) -> bytes:
    """An image of 12 x 12 pixels, SAME; output is as large."""
    x = activation(kind, (1, 12, 12, shape[3]), 0.003)
    w = weights(shape, axis, WEIGHTS.get(kind, "i8"))
    b = bias(shape[axis], BIASES.get(kind, "i32"), w.scales, x)
    y = activation(kind, (1, 12, 12, shape[axis]), 0.02)
    table = "Conv2DOptions" if axis == 0 else "DepthwiseConv2DOptions"
    version = {"i8": 3, "u8": 2, "i16": 4, "f32": 2}[kind]
    return model(name, version, (x, w, b), y, table, {"StrideH": 1, "StrideW": 1})


def dense(kind: str) -> bytes:
    """128 inputs and 64 outputs."""
    x, y = activation(kind, (1, 128), 0.004), activation(kind, (1, 64), 0.02)
    one = weights((64, 128), 0, WEIGHTS.get(kind, "i8"))
    w = Given(one.shape, one.type, one.scales[:1], one.zero, 0, one.data)
    b = bias(64, BIASES.get(kind, "i32"), w.scales, x)
    return model("FULLY_CONNECTED", 4, (x, w, b), y, "FullyConnectedOptions", {})


LAYERS = {
    f"{name} of {kind}": data
    for kind in KINDS
    for name, data in (
        ("dense", dense(kind)),
        ("convolution", filtered("CONV_2D", kind, (16, 3, 3, 16), 0)),
        ("pointwise", filtered("CONV_2D", kind, (64, 1, 1, 64), 0)),
        ("depthwise", filtered("DEPTHWISE_CONV_2D", kind, (1, 3, 3, 16), 3)),
    )
}
"""Files of one layer, by its name and type."""


def main() -> None:
    """Write them into a folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in LAYERS.items():
        (folder / f"{name.replace(' ', '-')}.tflite").write_bytes(data)


if __name__ == "__main__":
    main()
