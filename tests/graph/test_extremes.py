"""Files that are legal and extreme: numbers at the ends of their types, tensors that no
converter writes. Each is computed to the bit or refused in one sentence."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.errors import ModelError
from codegen.graph import operators, support
from codegen.graph.description import Graph, Operator, Option, Quantisation, Tensor
from codegen.lowering import program
from codegen.reference import graph as twin

from .building import Array
from .programs import Programs, compiled, this_computer


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


def model(
    kind: str, given: tuple[Tensor | None, ...], y: Tensor, **options: Option
) -> Graph:
    """One operator. What has no numbers, and is no variable, is an input of the model."""
    told = {**operators.known()[kind].options(None), **options}
    operator = Operator(0, kind, 1, given, (y,), (), told)
    free = tuple(one for one in given if one and one.data is None and not one.variable)
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


HYBRID = {
    "dense": model(
        "FULLY_CONNECTED",
        (tensor(0, (1, 4)), constant(tensor(2, (1, 4), 0.5), [[1, -2, 3, 4]])),
        tensor(1, (1, 1)),
    ),
    "convolution": model(
        "CONV_2D",
        (
            tensor(0, (1, 1, 1, 4)),
            constant(tensor(2, (1, 1, 1, 4), 0.5), [1, -2, 3, 4]),
        ),
        tensor(1, (1, 1, 1, 1)),
        stride_w=1,
        stride_h=1,
    ),
}
CHANNELS = replace(
    constant(tensor(2, (2, 1, 1, 4), 1), np.arange(-4, 4)),
    quantisation=Quantisation((0.5, 0.03), (0, 0), 0),
)
EACH = replace(
    constant(tensor(2, (1, 1, 1, 4), 1), (1, -2, 3, 4)),
    quantisation=Quantisation((0.5, 0.03, 1.0, 2.0), (0, 0, 0, 0), 3),
)
PLACE = {"stride_w": 1, "stride_h": 1}
FREELY = {
    "dense": model(
        "FULLY_CONNECTED",
        (tensor(0, (1, 4)), constant(tensor(2, (1, 4), 0.5), [[1, -2, 3, 4]])),
        tensor(1, (1, 1)),
        asymmetric=True,
    ),
    "convolution": model(
        "CONV_2D", (tensor(0, (1, 1, 1, 4)), CHANNELS), tensor(1, (1, 1, 1, 2)), **PLACE
    ),
    "depthwise": model(
        "DEPTHWISE_CONV_2D", (tensor(0, (1, 1, 1, 4)), EACH), tensor(1, (1, 1, 1, 4)), **PLACE
    ),
}  # fmt: skip
"""Whose inputs become integers around a zero point."""
ENDS = (
    (0, 1e-38, -1e-38, 0),
    (1e-45, 0, 0, -1e-45),
    (0, 0, 0, 0),
    (np.nan, 1, 2, -3),
    (np.nan, np.nan, np.nan, np.nan),
    (np.inf, 1, 0, -np.inf),
    (3e38, -3e38, 1, np.nan),
    (-1e-35, -5e-36, 0, -2e-36),  # a quotient of 0, whose exponent is none
)
ROUNDED = (
    ("-0x1.f08ap-94", "0x1.910dp-93"),  # to nearest
    ("-0x1.cc351p-21", "0x1.000e2p-22"),  # of two the even one
    ("-0x1.3e7cbp-33", "0x1.c8d1ep-34"),  # with what was shifted out
    ("-0x1.a9b38p+61", "0x1.07878p+61"),  # with what a division leaves
    ("-0x1.a38ep-92", "0x1.52dfp-91"),  # after a difference
)
"""Ranges whose zero point is another one where binary64 is not rounded so."""


@pytest.fixture(scope="module")
def hybrids(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Programs:
    """Models that make integers of float32, and check that no integer is made of NaN."""
    machine = this_computer(host_cc)
    more = "-fsanitize=float-cast-overflow"
    strict = replace(machine, compile=(*machine.compile, more))
    every = HYBRID | {f"{name}-freely": one for name, one in FREELY.items()}
    return compiled(every, tmp_path_factory.mktemp("hybrids"), strict)


@pytest.mark.parametrize("name", HYBRID)
def test_numbers_that_have_no_integer_become_zero_on_both_sides(
    hybrids: Programs, name: str
) -> None:
    graph = HYBRID[name]
    shape = graph.inputs[0].shape
    cases = [np.array(one, np.float32).reshape(shape) for one in ENDS]
    told = [y for (y,) in hybrids.run(name, [[one] for one in cases])]
    made = [twin.run(graph, [one])[1] for one in cases]
    np.testing.assert_array_equal(np.stack(told), np.stack(made))


def ranges() -> list[Array]:
    """Four numbers each, of which the least and the largest lie anywhere to each other;
    among them ranges whose zero point is halfway between two integers."""
    draw = np.random.default_rng(3)
    found = [np.array(one, np.float32) for one in ENDS]
    ends = ([float.fromhex(end) for end in one] for one in ROUNDED)
    found += [np.array([*one, 0, 0], np.float32) for one in ends]
    for count in range(600):
        drawn = draw.normal(0, 1, 4) * 2.0 ** draw.integers(-30, 30, 4)
        if count % 3 == 1:
            steps = 3 * (
                2 * int(draw.integers(0, 85)) + 1
            )  # halves of 255ths of the range
            least = math.gcd(steps, 510)  # of which the 255th is no number of binary64
            inside = draw.integers(-steps, 511 - steps)
            drawn = np.array([-steps, 510 - steps, inside, 0]) / least
            drawn = drawn * 2.0 ** draw.integers(-140, 110)
        if count % 3 == 2:
            drawn = draw.normal(0, 1, 4)
        found.append(drawn.astype(np.float32))
    return found


@pytest.mark.parametrize("name", FREELY)
def test_a_zero_point_has_the_bits_of_binary64_without_it(
    hybrids: Programs, name: str
) -> None:
    graph = FREELY[name]
    shape = graph.inputs[0].shape
    cases = [one.reshape(shape) for one in ranges()]
    told = [y for (y,) in hybrids.run(f"{name}-freely", [[one] for one in cases])]
    made = [twin.run(graph, [one])[1] for one in cases]
    np.testing.assert_array_equal(np.stack(told), np.stack(made))


def at_their_ends(bits: int = 8) -> Graph:
    """A dense layer of eleven outputs, of numbers of so many bits. Of 256 inputs each sum is
    as large as it can be, of 256 more as small; of 88 more output k is that of k inputs."""
    weights = np.zeros((11, 600), np.int8)
    for k, row in enumerate(weights):
        row[:256], row[256:512], row[512 : 512 + k] = 127, -127, 1
        row[:512] *= 1 - 2 * (k % 2)
    w = constant(tensor(2, (11, 600), 1.0), weights)
    x, y = tensor(0, (1, 600), 1.0), tensor(1, (1, 11), 12.5)
    if bits == 8:
        return model("FULLY_CONNECTED", (x, w), y)
    zeros = memoryview(bytes(8 * 11))
    b = Tensor(3, "b", (11,), "i64", data=zeros)
    x, y = replace(x, type="i16"), replace(y, type="i16")
    return model("FULLY_CONNECTED", (x, w, b), y)


def test_eight_sums_at_their_ends_are_told_apart(tmp_path: Path, host_cc: str) -> None:
    graphs = {str(bits): at_their_ends(bits) for bits in (8, 16)}
    programs = compiled(graphs, tmp_path, this_computer(host_cc))
    for name, graph in graphs.items():
        dtype = np.dtype(f"int{name}")
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        cases = [np.full((1, 600), x, dtype) for x in (least, least + 1, 0, 1, most)]
        told = [y for (y,) in programs.run(name, [[one] for one in cases])]
        made = [twin.run(graph, [one])[1] for one in cases]
        np.testing.assert_array_equal(np.stack(told), np.stack(made))
        assert made[0].ravel().tolist()[:2] == [0, round(least / 12.5)]


def of_16_bits(bias: int, scale: float = 100.0) -> Graph:
    """One output, whose weights have magnitudes of 65,535 together."""
    weights = np.array([[127, -127] * 258 + [3]], np.int8)
    w = constant(tensor(2, weights.shape, 1.0), weights)
    b = Tensor(3, "b", (1,), "i64", data=memoryview(np.array([bias]).tobytes()))
    x = replace(tensor(0, (1, 517), 1.0), type="i16")
    y = replace(tensor(1, (1, 1), scale), type="i16")
    return model("FULLY_CONNECTED", (x, w, b), y)


@pytest.mark.parametrize(
    ("graph", "lanes"),
    [
        (of_16_bits((1 << 15) - 1), True),  # -2^31 + 1 at the least
        (of_16_bits(1 << 15), False),
        (of_16_bits(-(1 << 15)), False),
        (of_16_bits(0, 2.1), True),
        (of_16_bits(0, 1.9), False),  # whose factor cuts off what rounding sees
    ],
)
def test_vectors_add_up_what_32_bits_hold(graph: Graph, lanes: bool) -> None:
    (op,) = program(graph, 256, 64).ops()
    assert (op.kernel.name == "i16_conv_2d_columns") is lanes


@pytest.mark.parametrize("vlen", [0, 256])
@pytest.mark.parametrize(
    ("scale", "said"), [(1e-6, r"2\^20 .* 16 bits: .* 2\^14"), (1e-12, r".* 2\^30")]
)
def test_a_factor_of_16_bits_that_no_kernel_takes_is_refused(
    scale: float, said: str, vlen: int
) -> None:
    with pytest.raises(ModelError, match=f"FULLY_CONNECTED.*a factor of .*{said}"):
        program(of_16_bits(0, scale), vlen)


def dense(products: int) -> Graph:
    """One output of float32 from so many weights of 8 bits."""
    weights = constant(tensor(2, (1, products), 0.1), np.full(products, -128))
    return model(
        "FULLY_CONNECTED", (tensor(0, (1, products)), weights), tensor(1, (1, 1))
    )


def test_sums_of_more_than_32_bits_are_refused_by_operator() -> None:
    most = (2**31 - 1) // (127 * 128)
    program(dense(most))
    said = f"FULLY_CONNECTED.*'t1'.*: sums of {most + 1:,} products of 8 bits"
    with pytest.raises(ModelError, match=said):
        program(dense(most + 1))


def lstm(cell: Tensor, **options: Option) -> Graph:
    """Two cells that see two steps of three features."""
    w, r, b = ((2, 3), (2, 2), (2,))
    shapes = (*(w,) * 4, *(r,) * 4, None, None, None, *(b,) * 4, None, None)
    held = [
        shape and constant(tensor(3 + k, shape), np.ones(shape))
        for k, shape in enumerate(shapes)
    ]
    state = replace(tensor(30, (1, 2)), variable=True)
    inputs = (tensor(0, (1, 2, 3)), *held, state, cell, None, None, None, None)
    told = {"activation": 4, **options}
    kind = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    return model(kind, inputs, tensor(1, (1, 2, 2)), **told)


CELL = replace(tensor(31, (1, 2)), variable=True)


@pytest.mark.parametrize("clip", [-1.0, float("nan")])
def test_cells_are_kept_within_a_size(clip: float) -> None:
    assert support.problems(lstm(CELL, cell_clip=1.0)) == []
    (problem,) = support.problems(lstm(CELL, cell_clip=clip))
    assert f"cell_clip is {clip}: expected a number of at least 0" in problem


def test_state_begins_at_zero() -> None:
    zero, other = (constant(tensor(31, (1, 2)), [0, last]) for last in (0, 0.5))
    assert support.problems(lstm(zero)) == []
    (problem,) = support.problems(lstm(other))
    assert "tensor 31 ('t31') holds numbers other than 0: supported" in problem


@pytest.mark.parametrize("held", [math.inf, -math.inf, math.nan])
def test_a_constant_that_is_not_finite_is_refused_by_operator_and_tensor(
    held: float,
) -> None:
    """C has no literal of it; the twin computes with it."""
    x, y = tensor(0, (1, 4)), tensor(2, (1, 4))
    graph = model("ADD", (x, constant(tensor(1, (1, 4)), [1, 2, held, 3])), y)
    assert support.problems(graph) == []
    said = (
        rf"operator 0 \(ADD\): tensor 1 \('t1'\), a constant, holds {held}: .* finite"
    )
    with pytest.raises(ModelError, match=said):
        program(graph)
