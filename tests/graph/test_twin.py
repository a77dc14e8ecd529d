"""The numpy twin against TensorFlow Lite's reference kernels: every model as a whole
and operator by operator, and operators by themselves with what no model has.

Integers are equal to the bit. float32 has another order of sums and other functions:
it is within FLOAT of the largest number of the tensor.
"""

from __future__ import annotations

import numpy as np
import pytest

from codegen.graph import reading, support
from codegen.graph.description import Graph
from codegen.reference import graph as twin
from hil.models.cases import drawn

from .building import Array, Oracle
from .conftest import PLACE, graph, places
from .every import ODD
from .usual import COMPUTED, NO_REFERENCE

FLOAT = 1e-5
"""Of float32: apart at most, in the largest number of the tensor, at least 1."""
CASES = 2


def golden(name: str) -> dict[str, Array]:
    with np.load(PLACE / "golden" / f"{name}.npz") as found:
        return dict(found)


def require_equal(mine: Array, other: Array, what: object) -> None:
    """Bits of integers; float32 within its tolerance."""
    assert mine.dtype == other.dtype and mine.shape == other.shape, what
    if mine.dtype == np.float32:
        most = FLOAT * max(1.0, float(np.abs(other).max(initial=0)))
        none = np.isnan(other)
        assert np.array_equal(np.isnan(mine), none), what
        assert np.abs(mine - other)[~none].max(initial=0) <= most, what
    else:
        assert np.array_equal(mine, other), what


def cases(name: str) -> list[list[Array]]:
    """Real inputs of a model."""
    found, tensors = golden(name), graph(name).inputs
    return [
        [found[f"in{k}"][case].reshape(one.shape) for k, one in enumerate(tensors)]
        for case in range(min(CASES, len(found["in0"])))
    ]


@pytest.mark.parametrize("name", places())
def test_a_model_gives_what_the_goldens_have(name: str) -> None:
    found = golden(name)
    for case, inputs in enumerate(cases(name)):
        made = twin.run(graph(name), inputs)
        for place, output in enumerate(graph(name).outputs):
            expected = found[f"ref{place}"][case].reshape(output.shape)
            require_equal(made[output.index], expected, output)


IN_PLACE = ("ADD", "SOFTMAX", "SUB", "MUL")
"""Operators that the oracle computes in the place of an input, also where it is asked to
keep every tensor."""


def overwritten(read: Graph, oracle: Oracle) -> set[int]:
    """Tensors in whose place the oracle has put what came of them."""
    return {
        one.index
        for operator in read.operators
        if operator.kind in IN_PLACE
        for one in operator.inputs
        if one is not None
        and np.array_equal(
            oracle.tensor(one.index), oracle.tensor(operator.outputs[0].index)
        )
    }


@pytest.mark.parametrize("name", places())
def test_each_operator_of_a_model_gives_what_tensorflow_lite_gives(name: str) -> None:
    """Once of a real input, once of a random one."""
    read, oracle = graph(name), Oracle(places()[name].read_bytes())
    draw = np.random.default_rng(1)
    for inputs in (cases(name)[0], [drawn(one, draw) for one in read.inputs]):
        require_each(read, oracle, inputs)


def require_each(read: Graph, oracle: Oracle, inputs: list[Array]) -> None:
    """An operator is given what the oracle had, so that nothing adds up. What was
    overwritten is compared in what came of it."""
    oracle.run(inputs)
    lost, mine = overwritten(read, oracle), {}
    for operator in read.operators:
        given = [
            None
            if one is None
            else mine[one.index]
            if one.index in lost
            else oracle.tensor(one.index).reshape(one.shape)
            for one in operator.inputs
        ]
        made = zip(operator.outputs, twin.every(operator, given), strict=True)
        mine |= {one.index: array for one, array in made}
        for output in operator.outputs:
            if output.index in lost:
                continue
            expected = oracle.tensor(output.index).reshape(output.shape)
            require_equal(mine[output.index], expected, operator)


@pytest.mark.parametrize("name", [name for name in ODD if name not in COMPUTED])
def test_what_no_model_has_gives_what_tensorflow_lite_gives(name: str) -> None:
    read, draw = reading.read(ODD[name]), np.random.default_rng(4)
    assert support.problems(read) == []
    oracle = Oracle(ODD[name], name not in NO_REFERENCE)
    for _ in range(3):
        inputs = [drawn(one, draw) for one in read.inputs]
        oracle.run(inputs)
        made = twin.run(read, inputs)
        for output in read.outputs:
            require_equal(made[output.index], oracle.tensor(output.index), name)


@pytest.mark.parametrize("name", COMPUTED)
def test_rows_are_gathered_from_computed_places(name: str) -> None:
    """TensorFlow Lite refuses a place that is not there; the twin takes the nearest."""
    read, oracle = reading.read(ODD[name]), Oracle(ODD[name])
    assert support.problems(read) == []
    (y,) = read.outputs
    inside = np.array([[0, 199, 7, 7, 100]], np.int32)
    oracle.run([inside])
    require_equal(twin.run(read, [inside])[y.index], oracle.tensor(y.index), name)
    outside = np.array([[-1, 200, 7, 7, 1 << 30]], np.int32)
    nearest = np.clip(outside, 0, 199)
    made, expected = (twin.run(read, [one])[y.index] for one in (outside, nearest))
    require_equal(made, expected, name)


@pytest.mark.parametrize("name", [name for name in ODD if name.startswith("SVDF")])
def test_what_filters_have_seen_goes_on_to_the_next_inference(name: str) -> None:
    read, draw, oracle = (
        reading.read(ODD[name]), np.random.default_rng(4), Oracle(ODD[name])
    )  # fmt: skip
    kept = twin.begun(read)
    for number in range(7):
        inputs = [drawn(one, draw) for one in read.inputs]
        oracle.run(inputs, anew=number == 0)
        made = twin.run(read, inputs, kept)
        for output in read.outputs:
            require_equal(made[output.index], oracle.tensor(output.index), name)
