"""Small models of many operators, as Keras writes them."""

from __future__ import annotations

import numpy as np

from .building import Given, Part, written
from .odd import BIASES, WEIGHTS, bias, weights


def attention(kind: str) -> bytes:
    """Six places of eight numbers: each takes of the others by their products, then comes
    what a LayerNormalization is written as, a GELU, a dense layer, and rows of length 1."""
    whole, each = (1, 6, 8), (1, 6, 1)
    shapes: tuple[tuple[tuple[int, ...], float, int], ...] = (
        (whole, 0.05, -9), ((1, 6, 6), 1.0, 0), ((1, 6, 6), 1 / 256, -128),
        (whole, 0.05, -4), (whole, 0.09, 7), (each, 0.05, 3), (whole, 0.4, -128),
        (each, 0.2, -128), (each, 0.01, -128), (whole, 0.09, 1), (whole, 0.03, -2),
        (whole, 0.03, -100), ((1, 6, 5), 0.05, 0), ((1, 6, 5), 1 / 128, 0),
    )  # fmt: skip
    floats = kind == "f32"
    tensors = [
        Given(shape, kind, () if floats else (scale,), 0 if floats else zero)
        for shape, scale, zero in shapes
    ]
    one = weights((5, 8), 0, WEIGHTS.get(kind, "i8"))
    w = Given(one.shape, one.type, one.scales[:1], 0, 0, one.data)
    b = bias(5, BIASES.get(kind, "i32"), w.scales, tensors[11])
    axis = Given((1,), "i32", data=np.array([2], np.int32))
    dense = {"KeepNumDims": True}
    parts = (
        Part("BATCH_MATMUL", (0, 0), (1,), 2, "BatchMatMulOptions", {"AdjY": True}),
        Part("SOFTMAX", (1,), (2,), 2, "SoftmaxOptions", {"Beta": 0.1}),
        Part("BATCH_MATMUL", (2, 0), (3,), 2, "BatchMatMulOptions"),
        Part("ADD", (0, 3), (4,), 2, "AddOptions"),
        Part("MEAN", (4, 16), (5,), 2, "ReducerOptions", {"KeepDims": True}),
        Part("SQUARED_DIFFERENCE", (4, 5), (6,)),
        Part("MEAN", (6, 16), (7,), 2, "ReducerOptions", {"KeepDims": True}),
        Part("RSQRT", (7,), (8,), 1 if floats else 2),
        Part("SUB", (4, 5), (9,), 2, "SubOptions"),
        Part("MUL", (9, 8), (10,), 2, "MulOptions"),
        Part("GELU", (10,), (11,), 2, "GeluOptions", {"Approximate": False}),
        Part("FULLY_CONNECTED", (11, 14, 15), (12,), 5, "FullyConnectedOptions", dense),
        Part("L2_NORMALIZATION", (12,), (13,), 2, "L2NormOptions"),
    )
    return written([*tensors, w, b, axis], parts, (0,), (13,))


def convolutional() -> bytes:
    """Six axes over 128 rows: convolutions along the rows, their mean, a dense layer and a
    softmax, as Conv1D, GlobalAveragePooling1D and Dense are written. Random numbers."""
    shapes: tuple[tuple[tuple[int, ...], float, int], ...] = (
        ((1, 128, 6), 1 / 128, 0), ((1, 1, 128, 6), 1 / 128, 0), ((1, 1, 64, 8), 0.04, -128),
        ((1, 1, 32, 12), 0.1, -128), ((1, 32, 12), 0.1, -128), ((1, 12), 0.05, -128),
        ((1, 6), 0.1, 3), ((1, 6), 1 / 256, -128),
    )  # fmt: skip
    made = [Given(shape, "i8", (scale,), zero) for shape, scale, zero in shapes]
    first, second = weights((8, 1, 5, 6), 0), weights((12, 1, 5, 8), 0)
    one = weights((6, 12), 0)
    head = Given(one.shape, one.type, one.scales[:1], data=one.data)
    axis = Given((1,), "i32", data=np.array([1], np.int32))
    sizes = [
        Given((len(made[k].shape),), "i32", data=np.array(made[k].shape, np.int32))
        for k in (1, 4)
    ]
    biases = [
        bias(len(w.data), "i32", w.scales * (len(w.data) // len(w.scales)), x)
        for w, x in ((first, made[1]), (second, made[2]), (head, made[5]))
        if w.data is not None
    ]
    strides = {"Padding": 0, "StrideH": 1, "StrideW": 2, "FusedActivationFunction": 1}
    parts = (
        Part("RESHAPE", (0, 14), (1,), 1, "ReshapeOptions"),
        Part("CONV_2D", (1, 8, 11), (2,), 3, "Conv2DOptions", strides),
        Part("CONV_2D", (2, 9, 12), (3,), 3, "Conv2DOptions", strides),
        Part("RESHAPE", (3, 15), (4,), 1, "ReshapeOptions"),
        Part("MEAN", (4, 16), (5,), 2, "ReducerOptions"),
        Part("FULLY_CONNECTED", (5, 10, 13), (6,), 4, "FullyConnectedOptions"),
        Part("SOFTMAX", (6,), (7,), 2, "SoftmaxOptions", {"Beta": 1.0}),
    )
    tensors = [*made, first, second, head, *biases, *sizes, axis]
    return written(tensors, parts, (0,), (7,))


BLOCKS = {f"attention-{kind}": attention(kind) for kind in ("i8", "f32")}
"""By what they are."""
