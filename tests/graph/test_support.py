"""What is refused, and that its sentence names the operator, the tensor, and what is
supported."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codegen.errors import ModelError
from codegen.graph import arena, reading, support

from .building import Given, model
from .moved import IMAGE, of
from .odd import sliced
from .usual import product, remembering

X = Given((1, 4, 4, 2), "i8", (0.05,))
Y = Given((1, 4, 4, 3), "i8", (0.1,))
W = Given((3, 1, 1, 2), "i8", (0.01,), data=np.ones((3, 1, 1, 2), np.int8))
B = Given((3,), "i32", (0.0005,), data=np.zeros(3, np.int32))
STRIDES = {"StrideH": 1, "StrideW": 1}


F = Given((3,), "f32", data=np.zeros(3, np.float32))


def changed(given: Given, **changes: Any) -> Given:
    """A tensor with something changed."""
    return Given(**{**vars(given), **changes})


def convolution(
    x: Given = X,
    w: Given = W,
    b: Given = B,
    y: Given = Y,
    version: int = 3,
    **more: Any,
) -> bytes:
    return model("CONV_2D", version, (x, w, b), y, "Conv2DOptions", {**STRIDES, **more})


def test_what_is_supported_has_no_problems() -> None:
    assert support.problems(reading.read(convolution())) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (convolution(version=99), "version 99: supported is up to 5"),
        (
            convolution(FusedActivationFunction=4),
            "fused activation TANH: supported are none",
        ),
        (convolution(FusedActivationFunction=77), "fused activation number 77"),
        (convolution(StrideH=0), "stride_h is 0: expected at least 1"),
        (convolution(Padding=2), "padding is number 2: supported are SAME, VALID"),
        (
            convolution(x=changed(X, type="f32", scales=())),
            "types f32 i8 i32 > i8: supported",
        ),
        (
            convolution(x=changed(X, scales=())),
            "tensor 0 ('t0') is i8 without quantisation: expected a scale",
        ),
        (
            convolution(x=changed(X, scales=(0.1, 0.2), axis=3)),
            "tensor 0 ('t0') has 2 scales along axis 3: supported is one scale",
        ),
        (
            convolution(y=changed(Y, zero=200)),
            "tensor 3 ('t3') has zero point 200: expected -128 to 127",
        ),
        (
            convolution(y=changed(Y, scales=(1e-38,))),
            "scale 1e-38, zero point 0: supported is a scale of 1e-09 to 1e+09",
        ),
        (
            convolution(w=changed(W, zero=3)),
            "tensor 1 ('t1') has a zero point other than 0",
        ),
        (
            convolution(w=changed(W, scales=(0.1, 0.2), axis=3)),
            "tensor 1 ('t1') has 2 scales along axis 3: supported is axis 0",
        ),
        (
            convolution(w=changed(W, data=None)),
            "tensor 1 ('t1') is computed: supported are",
        ),
        (
            convolution(y=changed(Y, shape=(1, 4, 4, 5))),
            "tensor 3 ('t3') has shape [1, 4, 4, 5]: expected [1, 4, 4, 3], by its inputs",
        ),
        (
            convolution(x=changed(X, shape=(1, 4, 4, 5))),
            "tensor 1 ('t1') has 2 channels and tensor 0 ('t0') 5: expected as many",
        ),
        (
            convolution(b=changed(B, shape=(2,), data=np.zeros(2, np.int32))),
            "tensor 2 ('t2') has shape [2]: expected [3]",
        ),
        (
            convolution(x=changed(X, shape=(4, 4, 2))),
            "tensor 0 ('t0') has shape [4, 4, 2]: supported are 4 dimensions",
        ),
    ],
)
def test_a_refusal_names_operator_tensor_and_what_is_supported(
    data: bytes, said: str
) -> None:
    (problem, *_) = support.problems(reading.read(data))
    assert problem.startswith("operator 0 (CONV_2D), which gives tensor 3 ('t3'): ")
    assert said in problem


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            convolution(w=changed(W, data=np.ones(5, np.int8))),
            "tensor 1 ('t1'), i8 [3, 1, 1, 2], has 5 bytes of data: expected 6",
        ),
        (convolution(x=changed(X, shape=(1, -4, 4, 2))), "each at least 0"),
        (convolution(x=changed(X, shape=(1,) * 7)), "has 7 dimensions"),
        (
            convolution(x=changed(X, shape=(1 << 14,) * 4)),
            "supported are up to 67,108,864",
        ),
        (convolution(x=changed(X, scales=(0.0,))), "has 1 scales and 1 zero points"),
        (convolution(x=changed(X, scales=(float("nan"),))), "and scales above 0"),
        (
            convolution(x=changed(X, scales=(0.1, 0.2, 0.3), axis=3)),
            "tensor 0 ('t0') has 3 scales along axis 3 of shape [1, 4, 4, 2]",
        ),
        (
            model(
                "ADD",
                2,
                (X, changed(W, data=None)),
                changed(X, data=np.zeros(32, np.int8)),
            ),
            "operator 0 (ADD) writes tensor 2 ('t2'), which is there before",
        ),
        (
            model(
                "ADD", 2, (X, changed(X, data=np.zeros(32, np.int8))), X, free=(0, 1)
            ),
            "an input of the model is tensor 1 ('t1'), which is a constant",
        ),
        (
            model("ADD", 2, (X, X), X, "MulOptions"),
            "operator 0 (ADD) has options of kind 21: expected 11",
        ),
    ],
)
def test_what_cannot_be_is_damage(data: bytes, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        reading.read(data)
    assert said in str(caught.value)


def test_an_input_that_is_left_out_is_refused_where_it_is_needed() -> None:
    table, y = "ConcatenationOptions", changed(X, shape=(1, 4, 4, 4))
    data = model("CONCATENATION", 2, (X, X), y, table, {"Axis": 3}, places=(0, -1))
    (problem,) = support.problems(reading.read(data))
    assert "tensor 2 ('t2'): an input is left out: expected all of them" in problem


def test_a_dense_layer_of_f32_inputs_has_one_scale_of_its_weights() -> None:
    x, y = Given((1, 2), "f32"), Given((1, 3), "f32")
    w = Given((3, 2), "i8", (0.01, 0.1, 1.0), data=np.ones((3, 2), np.int8))
    data = model("FULLY_CONNECTED", 9, (x, w, F), y, "FullyConnectedOptions", {})
    (problem,) = support.problems(reading.read(data))
    assert "tensor 1 ('t1') has 3 scales" in problem
    assert "supported is one scale for all channels" in problem


@pytest.mark.parametrize(
    ("end", "stride", "begin_mask", "said"),
    [
        (3, 1, 2, "shrink_mask and begin_mask both have axis 1"),
        (1, -1, 0, "shrink_mask has axis 1, whose stride is -1: supported is"),
    ],
)
def test_a_slice_that_shrinks_an_axis_says_its_one_place_plainly(
    end: int, stride: int, begin_mask: int, said: str
) -> None:
    numbers = ([0, 2, 0, 0], [1, end, 5, 3], [1, stride, 1, 1])
    data = sliced("i8", numbers, (1, 5, 3), BeginMask=begin_mask, ShrinkAxisMask=2)
    (problem,) = support.problems(reading.read(data))
    assert problem.startswith("operator 0 (STRIDED_SLICE)") and said in problem


def test_a_tensor_is_one_input_of_a_model_only() -> None:
    data = model("ADD", 2, (X,), X, "AddOptions", {}, places=(0, 0), free=(0, 0))
    (problem,) = support.problems(reading.read(data))
    assert problem.startswith("tensor 0 ('t0') is input 0 and input 1 of the model")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (of("TILE", "i8", IMAGE, [[1, 0, 1, 1]], [IMAGE]), "expected at least once each"),
        (of("REVERSE_V2", "i8", IMAGE, [[1, 2]], [IMAGE]), "has 2 numbers: expected one axis"),
        (of("BROADCAST_TO", "i8", (5, 2, 3), [[5, 4, 3]], [(5, 4, 3)]), "asked is [5, 4, 3]"),
        (product("f32", (2, 3), (4, 2), (2, 2)), "expected matrices that can be multiplied"),
        (product("f32", (2, 2, 3), (3, 3, 2), (3, 2, 2)), "expected matrices that can be"),
        (product("f32", (3,), (3, 2), (1, 2)), "has shape [3]: supported are 2 to 5 dimensions"),
        (
            of("RESIZE_BILINEAR", "i8", (1, 1, 1, 1), [[2000, 1]], [(1, 2000, 1, 1)]),
            "expected sizes whose last pixel lies in tensor 0 ('t0')",
        ),
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_named(data: bytes, said: str) -> None:
    (problem,) = support.problems(reading.read(data))
    assert said in problem


def test_an_operator_that_gives_nothing_is_refused_and_has_no_place() -> None:
    read = reading.read(model("ADD", 2, (X, X), ()))
    assert arena.plan(read).bytes == 64
    assert "types i8 i8 > : supported are" in support.problems(read)[-1]


def test_an_activation_that_is_none_is_refused_by_its_number() -> None:
    (problem,) = support.problems(reading.read(remembering("i8", fused=77)))
    assert "fused activation number 77: supported are none" in problem
