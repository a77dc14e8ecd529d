"""Files that are legal and extreme: numbers at the ends of their types, tensors that no
converter writes. Each is computed to the bit or refused in one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from codegen.errors import ModelError
from codegen.graph import operators, support
from codegen.graph.description import Graph, Operator, Option, Quantisation, Tensor
from codegen.lowering import program
from codegen.reference import graph as twin

from .building import Array


def tensor(
    index: int, shape: tuple[int, ...], scale: float = 0, zero: int = 0
) -> Tensor:
    """Of i8 with a scale, of f32 without."""
    if not scale:
        return Tensor(index, f"t{index}", shape, "f32")
    quantisation = Quantisation((scale,), (zero,))
    return Tensor(index, f"t{index}", shape, "i8", quantisation)


def constant(given: Tensor, values: Any) -> Tensor:
    """The same with numbers."""
    dtype = np.float32 if given.type == "f32" else np.int8
    return replace(given, data=memoryview(np.asarray(values, dtype).tobytes()))


def model(kind: str, given: tuple[Tensor, ...], y: Tensor, **options: Option) -> Graph:
    """One operator. What has no numbers, and is no variable, is an input of the model."""
    told = {**operators.known()[kind].options(None), **options}
    operator = Operator(0, kind, 1, given, (y,), (), told)
    free = tuple(one for one in given if one.data is None and not one.variable)
    return Graph(0, (*given, y), (operator,), free, (y,))


def test_a_logistic_of_numbers_far_below_zero_is_zero() -> None:
    x, y = tensor(0, (1, 4), 3.0, 127), tensor(1, (1, 4), 1 / 256, -128)
    graph = model("LOGISTIC", (x,), y)
    assert support.problems(graph) == []
    (table,) = program(graph).constants
    every = np.arange(-128, 128, dtype=np.int8)
    made = twin.compute(graph.operators[0], [every])
    assert made[0] == -128
    assert np.roll(made, 128).tolist() == [*table.values()]


X, Y = tensor(0, (1, 4), 100.0), tensor(1, (1, 4), 1.0)
WEIGHTS = constant(tensor(2, (4, 4), 3e38), np.ones((4, 4)))
TOO_LARGE = {
    "infinite": model("FULLY_CONNECTED", (X, WEIGHTS), Y),
    "huge": model("LEAKY_RELU", (tensor(0, (1, 4), 1e6),), Y, alpha=1e38),
    "large": model("QUANTIZE", (tensor(0, (1, 4), 1e9),), tensor(1, (1, 4), 0.5)),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_factor_that_no_kernel_takes_is_refused_by_operator_and_tensor(
    name: str,
) -> None:
    graph = TOO_LARGE[name]
    assert support.problems(graph) == []
    said = f"{graph.operators[0]}, which gives tensor 1 .*: a factor of .* 2\\^30"
    said = said.replace("(", r"\(", 1).replace(")", r"\)", 1)
    with pytest.raises(ModelError, match=said):
        program(graph)
    with pytest.raises(ModelError, match=said):
        twin.compute(graph.operators[0], given(graph))


def given(graph: Graph) -> list[Array]:
    """Zeros of the types that the operator reads."""
    return [
        np.zeros(one.shape, np.float32 if one.type == "f32" else np.int8)
        for one in graph.operators[0].inputs
        if one is not None
    ]


A, B, KEPT = (tensor(k, (1, 2)) for k in range(3))
KEPT = replace(KEPT, variable=True)
RELU = model("RELU", (A,), B)


def beside(extra: Tensor) -> Graph:
    """A model with an input that nothing reads."""
    return replace(RELU, inputs=(A, extra), tensors=(A, B, extra))


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (model("ADD", (A, KEPT), B), "tensor 2 ('t2') is a variable: supported are"),
        (
            replace(RELU, outputs=(B, KEPT)),
            "an output of the model is tensor 2 ('t2'), a variable: supported are",
        ),
        *(
            (
                beside(Tensor(2, "t2", (1,), kind)),
                f"tensor 2 ('t2'), {kind} [1]: supported",
            )
            for kind in ("bool", "f64", "u32")
        ),
        (
            beside(tensor(2, (0,))),
            "an input of the model is tensor 2 ('t2'), f32 [0]: supported are sizes",
        ),
        (
            model("LOG_SOFTMAX", (tensor(0, ()),), tensor(1, ())),
            "tensor 0 ('t0') is one number: expected at least one axis",
        ),
    ],
)
def test_what_no_device_can_hold_is_refused_by_its_tensor(
    graph: Graph, said: str
) -> None:
    (problem,) = support.problems(graph)
    assert said in problem
