"""Models of one operator, with what no model of the data has: strides, dilations, types,
activations."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .building import Given, model

WEIGHTS = {"u8": "u8", "f32": "f32"}
"""Types of weights, by that of the input, where it is not i8."""
BIASES = {"i16": "i64", "f32": "f32"}
"""Types of biases, where it is not i32."""


def weights(
    shape: tuple[int, ...], axis: int, kind: str = "i8", zero: int = 119
) -> Given:
    """Weights with a scale for each place of an axis; u8 with one, and a zero point;
    f32 with none."""
    draw = np.random.default_rng(2)
    if kind == "f32":
        return Given(shape, kind, data=draw.normal(0, 0.3, shape).astype(np.float32))
    if kind == "u8":
        return Given(
            shape, kind, (0.013,), zero, 0, draw.integers(0, 256, shape, np.uint8)
        )
    data = draw.integers(-127, 128, shape, np.int8)
    scales = tuple(draw.uniform(0.002, 0.02, shape[axis]).tolist())
    return Given(shape, kind, scales, 0, axis, data)


def bias(count: int, kind: str, scales: tuple[float, ...], x: Given) -> Given:
    """A bias whose scale is that of the products; f32 has none."""
    if kind == "f32":
        drawn = np.random.default_rng(3).normal(0, 1, count).astype(np.float32)
        return Given((count,), kind, data=drawn)
    dtype = np.int64 if kind == "i64" else np.int32
    data = np.random.default_rng(3).integers(-9000, 9000, count, dtype)
    each = tuple(x.scales[0] * one for one in scales)
    return Given((count,), kind, each, 0, 0, data)


def activation(kind: str, shape: tuple[int, ...], scale: float = 0.05) -> Given:
    """A tensor of activations."""
    zero = {"i8": -9, "u8": 121, "i16": 0, "f32": 0}[kind]
    return Given(shape, kind, () if kind == "f32" else (scale,), zero)


def convolution(kind: str, padding: int, outputs: int = 5, **options: Any) -> bytes:
    """CONV_2D of an image of 9 x 7 x 3, kernel 4 x 3."""
    return _convolution("CONV_2D", kind, (outputs, 4, 3, 3), 0, padding, options)


def depthwise(kind: str, padding: int, outputs: int = 2, **options: int) -> bytes:
    """DEPTHWISE_CONV_2D of the same, so many outputs a channel."""
    options["DepthMultiplier"] = outputs
    shape = (1, 4, 3, 3 * outputs)
    return _convolution("DEPTHWISE_CONV_2D", kind, shape, 3, padding, options)


def _convolution(
    name: str, kind: str, shape: tuple[int, ...], axis: int, padding: int, options: Any
) -> bytes:
    x = activation(kind, (1, 9, 7, 3), 0.003 if kind == "i16" else 0.05)
    w = weights(shape, axis, WEIGHTS.get(kind, "i8"), options.pop("zero", 119))
    of_bias = options.pop("bias_type", BIASES.get(kind, "i32"))
    b = bias(shape[axis], of_bias, w.scales, x)
    step = options.get("StrideH", 1), options.get("StrideW", 1)
    apart = options.get("DilationHFactor", 1), options.get("DilationWFactor", 1)
    reach = [(k - 1) * d + 1 for k, d in zip(shape[1:3], apart, strict=True)]
    size = [
        -(-s // n) if padding == 0 else (s - r) // n + 1
        for s, n, r in zip((9, 7), step, reach, strict=True)
    ]
    y = activation(kind, (1, *size, shape[axis]), 0.002 if kind == "i16" else 0.3)
    told = {"Padding": padding, "StrideH": 1, "StrideW": 1, **options}
    version = {"i8": 3, "u8": 2, "i16": 4, "f32": 2}[kind]
    table = "Conv2DOptions" if name == "CONV_2D" else "DepthwiseConv2DOptions"
    return model(name, version, (x, w, b), y, table, told)


def dense(
    kind: str,
    scales: tuple[float, float, float] = (0.004, 0.007, 0.02),
    zero: int = 119,
    bias_type: str = "",
    shape: tuple[int, int, int] = (2, 33, 7),
    **options: Any,
) -> bytes:
    """FULLY_CONNECTED of two rows of 33 numbers; scales of input, weights, output."""
    rows, n_in, n_out = shape
    x = activation(kind, (rows, n_in), scales[0])
    one = weights((n_out, n_in), 0, WEIGHTS.get(kind, "i8"), zero)
    w = Given(one.shape, one.type, one.scales and scales[1:2], one.zero, 0, one.data)
    b = bias(n_out, bias_type or BIASES.get(kind, "i32"), w.scales, x)
    y = activation(kind, (rows, n_out), scales[2])
    return model("FULLY_CONNECTED", 4, (x, w, b), y, "FullyConnectedOptions", options)


HALFWAY = (0.009074649773538113, 0.0043703350238502026, 0.007640752010047436)
"""The factor of 16 bits is another one unless the product of the first two is rounded
to binary32."""


def pool(name: str, kind: str, padding: int, **options: int) -> bytes:
    """A pool of 3 x 2, two rows and one column on."""
    x = activation(kind, (1, 8, 5, 3))
    size = (4, 5) if padding == 0 else (3, 4)
    options = {
        **{"FilterHeight": 3}, **options, "Padding": padding, "StrideH": 2, "StrideW": 1,
        "FilterWidth": 2, "FusedActivationFunction": 1,
    }  # fmt: skip
    return model(
        name, 2, (x,), activation(kind, (1, *size, 3)), "Pool2DOptions", options
    )


def pair(
    name: str, table: str, kind: str, fused: int, *shapes: tuple[int, ...]
) -> bytes:
    """An operator of an image and of one row, or of two shapes, with unlike scales."""
    one, other = shapes or ((1, 4, 5, 3), (1, 1, 5, 3))
    x, y = activation(kind, one, 0.05), activation(kind, other, 0.171)
    output = activation(kind, (1, 4, 5, 3), 0.13)
    return model(name, 2, (x, y), output, table, {"FusedActivationFunction": fused})


def chosen(name: str, kind: str, *shapes: tuple[int, ...]) -> bytes:
    """MAXIMUM or MINIMUM of two shapes, with one scale."""
    inputs = tuple(activation(kind, shape) for shape in shapes)
    output = activation(kind, (1, 4, 5, 3))
    return model(name, 2, inputs, output, "MaximumMinimumOptions")


def sliced(
    kind: str, numbers: tuple[list[int], ...], size: tuple[int, ...], **masks: int
) -> bytes:
    """STRIDED_SLICE of an image 5 x 5 x 3, by begins, ends and strides."""
    told = (Given((4,), "i32", data=np.array(one, np.int32)) for one in numbers)
    x, y = activation(kind, (1, 5, 5, 3)), activation(kind, size)
    return model("STRIDED_SLICE", 2, (x, *told), y, "StridedSliceOptions", masks)


def simple(
    name: str, table: str, source: Given, output: Given, **options: Any
) -> bytes:
    """An operator of one input."""
    version = 1 if name in ("SQUEEZE", "HARD_SWISH") else 2
    return model(name, version, (source,), output, table, options)


def shaped(
    name: str,
    table: str,
    kind: str,
    numbers: Any,
    size: tuple[int, ...],
    **options: Any,
) -> bytes:
    """An operator of an image 5 x 5 x 3 and of constants that say how."""
    x, y = activation(kind, (1, 5, 5, 3)), activation(kind, size, 0.05)
    data = np.array(numbers, np.int32)
    if name == "MEAN":
        y = activation(kind, size, 0.031)
    return model(name, 2, (x, Given(data.shape, "i32", data=data)), y, table, options)


def _output(name: str, kind: str, scale: float) -> Given:
    """What an activation gives; some have a scale of their own."""
    fixed = {
        ("LOGISTIC", "i8"): (1 / 256, -128), ("LOGISTIC", "u8"): (1 / 256, 0),
        ("TANH", "i8"): (1 / 128, 0), ("TANH", "u8"): (1 / 128, 128),
        ("LOGISTIC", "i16"): (1 / 32768, 0), ("TANH", "i16"): (1 / 32768, 0),
    }.get((name, kind))  # fmt: skip
    if fixed is None:
        return activation(kind, (3, 50), scale / 100 if kind == "i16" else scale)
    return Given((3, 50), kind, fixed[:1], fixed[1])


def _wide(kind: str, scale: float, zero: int) -> Given:
    return Given((3, 50), kind, (scale,), zero)


ODD = {
    **{
        f"{name}-{kind}-huge": pool(f"{name}_POOL_2D", kind, 0, FilterHeight=1000)
        for name in ("AVERAGE", "MAX")
        for kind in ("i8", "f32")
    },
    **{
        f"conv-{kind}-{padding}-{n}": convolution(kind, padding, **options)
        for kind in ("i8", "u8", "i16")
        for padding in (0, 1)
        for n, options in enumerate(
            (
                {"StrideH": 2, "StrideW": 3, "FusedActivationFunction": 1},
                {"DilationHFactor": 2, "DilationWFactor": 3, "FusedActivationFunction": 3},
            )
        )
    },
    **{
        f"depthwise-{kind}-{padding}-{n}": depthwise(kind, padding, **options)
        for kind in ("i8", "u8", "i16")
        for padding in (0, 1)
        for n, options in enumerate(
            (
                {"StrideH": 2, "StrideW": 3, "FusedActivationFunction": 2},
                {"DilationHFactor": 2, "DilationWFactor": 2},
            )
        )
    },
    **{f"dense-{kind}": dense(kind) for kind in ("i8", "u8", "i16")},
    "dense-i16-narrow": dense("i16", bias_type="i32"),
    "conv-i16-narrow": convolution("i16", 0, bias_type="i32"),
    **{
        f"{name}-u8-middle": made("u8", zero=128)
        for name, made in (("conv", partial(convolution, padding=0)), ("dense", dense))
    },
    "dense-i16-halfway": dense("i16", HALFWAY),
    "dense-i8-wide": dense("i8", shape=(1, 34, 150)),
    "conv-i8-20": convolution("i8", 0, 20),
    "conv-i8-70": convolution("i8", 0, 70),
    "depthwise-i8-72": depthwise("i8", 0, 24),
    "dense-relu6": dense("i8", FusedActivationFunction=3),
    "dense-f32-relu6": dense("f32", FusedActivationFunction=3),
    **{
        f"{name}-f32-relu6-{padding}": made("f32", padding, FusedActivationFunction=3)
        for name, made in (("conv", convolution), ("depthwise", depthwise))
        for padding in (0, 1)
    },
    **{
        f"{name}-f32-dilated-{padding}": made("f32", padding, DilationHFactor=2, DilationWFactor=3)
        for name, made in (("conv", convolution), ("depthwise", depthwise))
        for padding in (0, 1)
    },
    **{
        f"{name}-{kind}-relu6": pair(name, table, kind, 3)
        for name, table in (("ADD", "AddOptions"), ("MUL", "MulOptions"))
        for kind in ("i8", "f32")
    },
    **{
        f"{name}-{kind}-{padding}": pool(f"{name}_POOL_2D", kind, padding)
        for name in ("AVERAGE", "MAX")
        for kind in ("i8", "u8", "i16", "f32")
        for padding in (0, 1)
    },
    **{
        f"{name}-{kind}-{fused}": pair(name, table, kind, fused)
        for name, table in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions"))
        for kind in ("i8", "u8", "i16", "f32")
        for fused in (0, 1)
    },
    **{
        f"{name}-{kind}-{place}": pair(name, table, kind, 0, *shapes)
        for name, table in (("ADD", "AddOptions"), ("SUB", "SubOptions"), ("MUL", "MulOptions"))
        for kind in ("i8", "f32")
        for place, shapes in enumerate(
            (((1, 4, 5, 3), (1, 4, 1, 1)), ((1, 4, 1, 3), (1, 1, 5, 1)), ((3,), (1, 4, 5, 3)))
        )
    },
    **{
        f"{name}-{kind}-{place}": chosen(name, kind, *shapes)
        for name in ("MAXIMUM", "MINIMUM")
        for kind in ("i8", "u8", "i16", "f32")
        for place, shapes in enumerate((((1, 4, 5, 3), (3,)), ((1, 4, 1, 3), (1, 1, 5, 1))))
    },
    **{
        f"pack-{kind}": model(
            "PACK", 2 if kind == "i8" else 1, (activation(kind, (4, 3)),) * 3,
            activation(kind, (4, 3, 3)), "PackOptions", {"Axis": -2, "ValuesCount": 3},
        )
        for kind in ("i8", "u8", "i16", "f32")
    },
    **{
        f"expand-{kind}": model(
            "EXPAND_DIMS", 1,
            (activation(kind, (4, 3)), Given((), "i32", data=np.array(-2, np.int32))),
            activation(kind, (4, 1, 3)), "ExpandDimsOptions",
        )
        for kind in ("i8", "u8", "i16", "f32")
    },
    "shape": model(
        "SHAPE", 1, (activation("i8", (4, 3)),), Given((2,), "i32"), "ShapeOptions",
        {"OutType": 2},
    ),
    **{
        f"slice-{kind}-{place}": sliced(kind, numbers, size, **masks)
        for kind in ("i8", "u8", "i16", "f32")
        for place, (numbers, size, masks) in enumerate(
            (
                (([0, 1, -2, 0], [1, 9, 5, 2], [1, 2, 1, 1]), (1, 2, 2, 2), {}),
                (([0, 4, 9, 0], [1, 0, -9, 3], [1, -2, -1, 2]), (1, 2, 5, 2), {}),
                (
                    ([0, -1, 3, 1], [0, 0, 0, 0], [1, 1, 2, 1]), (3, 2),
                    {"ShrinkAxisMask": 3, "BeginMask": 4, "EndMask": 12},
                ),
            )
        )
    },
    **{
        f"{name}-{kind}": shaped(name, table, kind, numbers, size, **options)
        for name, table, numbers, size, options in (
            ("PAD", "PadOptions", [[0, 0], [1, 2], [0, 3], [0, 0]], (1, 8, 8, 3), {}),
            ("TRANSPOSE", "TransposeOptions", [0, 3, 1, 2], (1, 3, 5, 5), {}),
            ("MEAN", "ReducerOptions", [1, 2], (1, 3), {}),
            ("MEAN", "ReducerOptions", [-1], (1, 5, 5, 1), {"KeepDims": True}),
        )
        for kind in ("i8", "u8", "i16", "f32")
        if (name, kind) != ("MEAN", "u8")
    },
    "MEAN-i8-apart": shaped("MEAN", "ReducerOptions", "i8", [1, 3], (1, 5)),
    **{
        f"{name}-{kind}-{scale}": simple(
            name, table, activation(kind, (3, 50), scale), _output(name, kind, 0.07), **options
        )
        for name, table, options in (
            ("RELU", "", {}), ("RELU6", "", {}), ("HARD_SWISH", "", {}), ("LOGISTIC", "", {}), ("TANH", "", {}),
            ("LEAKY_RELU", "LeakyReluOptions", {"Alpha": 0.3}),
        )
        for kind in ("i8", "u8", "i16", "f32")
        for scale in ((0.0003, 2.0**-11) if kind == "i16" else (0.03, 0.091))
        if (name, kind) != ("HARD_SWISH", "i16")
    },
    **{
        f"concatenation-{kind}": model(
            "CONCATENATION", 2, (activation(kind, (1, 4, 3)), activation(kind, (1, 2, 3))),
            activation(kind, (1, 6, 3)), "ConcatenationOptions", {"Axis": -2},
        )
        for kind in ("i8", "u8", "i16", "f32")
    },
    **{
        f"squeeze-{kind}": simple(
            "SQUEEZE", "SqueezeOptions", activation(kind, (1, 4, 1)), activation(kind, (4,))
        )
        for kind in ("i8", "u8", "i16", "f32")
    },
    **{
        f"softmax-{kind}-{scale}": simple(
            "SOFTMAX", "SoftmaxOptions", _wide(kind, scale, 0),
            _wide(kind, 1 / 256, -128 if kind == "i8" else 0), Beta=beta,
        )
        for kind in ("i8", "u8")
        for scale, beta in ((0.02, 1.0), (0.3, 0.5), (1.7, 1.0))
    },
    **{
        f"softmax-i16-{scale}": model(
            "SOFTMAX", 3, (_wide("i16", scale, 0),), _wide("i16", 1 / 32768, 0),
            "SoftmaxOptions", {"Beta": beta},
        )
        for scale, beta in ((0.0003, 1.0), (0.003, 0.5))
    },
    **{
        f"requantize-{a}-{b}": simple(
            "QUANTIZE", "", _wide(a, 0.031, -3 if a == "i8" else 0), _wide(b, scale, 0)
        )
        for a, b, scale in (
            ("i8", "i8", 0.02), ("i8", "u8", 0.05), ("u8", "i8", 0.031), ("u8", "u8", 0.7),
            ("i16", "i8", 3.3), ("i16", "i16", 0.01),
        )
    },
    **{
        f"quantize-{kind}": simple(
            "QUANTIZE", "", Given((3, 50), "f32"), _wide(kind, scale, 0)
        )
        for kind, scale in (("i8", 0.03), ("u8", 0.03), ("i16", 0.0002))
    },
    **{
        f"dequantize-{kind}": simple(
            "DEQUANTIZE", "", _wide(kind, 0.0731, zero), Given((3, 50), "f32")
        )
        for kind, zero in (("i8", 5), ("u8", 77), ("i16", 0))
    },
}  # fmt: skip
"""Files of one operator, by what is odd in them."""
