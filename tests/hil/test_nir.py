"""Networks of NIR, made and written by its own package, as NeuroCoreX's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import nir
import numpy as np
import pytest
from numpy.typing import NDArray

from hil import neurocorex
from hil.errors import DataError, UsageError

Array = NDArray[np.float64]
LINES, HIDDEN, OUT = 4, 6, 3
DT = 1e-3


def lif(count: int, **more: Array) -> nir.LIF:
    """Of a millisecond's steps; r makes a spike move a potential by its weight."""
    given = {
        "tau": np.full(count, 0.02), "r": np.full(count, 0.02 / DT),
        "v_leak": np.zeros(count), "v_threshold": np.full(count, 40.0),
    }  # fmt: skip
    return nir.LIF(**(given | more))


def graph(weights: Sequence[Array], bias: Array, **nodes: nir.NIRNode) -> nir.NIRGraph:
    """Two layers, the first with a loop; `nodes` take the place of others."""
    first, loop, second = weights
    made = {
        "in": nir.Input({"input": np.array([LINES])}),
        "fc1": nir.Affine(first, bias),
        "hidden": nir.IF(np.ones(HIDDEN), np.full(HIDDEN, 50.0), np.zeros(HIDDEN)),
        "loop": nir.Linear(loop),
        "fc2": nir.Linear(second),
        "out": lif(OUT),
        "end": nir.Output({"output": np.array([OUT])}),
    }
    edges = [
        ("in", "fc1"), ("fc1", "hidden"), ("hidden", "loop"), ("loop", "hidden"),
        ("hidden", "fc2"), ("fc2", "out"), ("out", "end"),
    ]  # fmt: skip
    return nir.NIRGraph(made | nodes, edges, type_check=False)


def drawn(scale: float = 1.0) -> tuple[list[Array], Array]:
    """Weights that are integers times `scale`, and one cell's bias."""
    made = np.random.default_rng(4)
    shapes = ((HIDDEN, LINES), (HIDDEN, HIDDEN), (OUT, HIDDEN))
    weights = [made.integers(-30, 60, shape) * scale for shape in shapes]
    np.fill_diagonal(weights[1], 0)
    bias = np.zeros(HIDDEN)
    bias[2] = 7.25 * scale
    return weights, bias


def simulated(
    weights: Sequence[Array], bias: Array, spikes: NDArray[np.bool_]
) -> Array:
    """NIR's equations by the step, without a leak; each connection between cells takes one."""
    first, loop, second = weights
    v, w = np.zeros(HIDDEN), np.zeros(OUT)
    hidden, told = np.zeros(HIDDEN), []
    for row in spikes:
        w += second @ hidden
        v += first @ row + loop @ hidden + bias
        hidden, out = (v > 50) * 1.0, (w > 40) * 1.0
        v[hidden > 0], w[out > 0] = 0, 0
        told.append(np.concatenate([hidden, out]))
    return np.array(told)


@pytest.mark.parametrize("where", ["graph", "file"])
def test_a_graph_of_integers_spikes_as_its_equations_say(
    where: str, tmp_path: Path
) -> None:
    weights, bias = drawn()
    made = graph(weights, bias)
    if where == "file":
        nir.write(tmp_path / "net.nir", made)
        made = str(tmp_path / "net.nir")
    bridge = neurocorex.from_nir(made, dt=DT, leak=0)
    assert (bridge.first, bridge.error) == ({"hidden": 0, "out": HIDDEN}, 0)
    spikes = np.random.default_rng(5).random((200, LINES)) < 0.3
    given = [(int(step), int(line)) for step, line in np.argwhere(spikes)]
    net = bridge.network
    answer = neurocorex.simulate(net.program() + net.events(given, 200), net.cells)
    expected = simulated(weights, bias, spikes)
    assert expected[:, HIDDEN:].any()
    assert np.array_equal(answer.runs[0][:, : HIDDEN + OUT], expected)


def test_other_weights_are_rounded_to_what_fills_a_byte() -> None:
    weights, bias = drawn(0.01)
    hidden = nir.IF(np.ones(HIDDEN), np.full(HIDDEN, 0.5), np.zeros(HIDDEN))
    made = graph(
        weights, bias, hidden=hidden, out=lif(OUT, v_threshold=np.full(OUT, 0.4))
    )
    bridge = neurocorex.from_nir(made, dt=DT, leak=0)
    whole = bridge.network.inputs[:HIDDEN, :LINES]
    scale = bridge.scale[:HIDDEN, None]
    assert (np.abs(whole / scale - weights[0]) <= 0.5 / scale + 1e-12).all()
    assert 0 < bridge.error <= 0.5 / (0.4 * bridge.scale.min())
    assert len(set(bridge.scale)) > 1
    leaking = neurocorex.from_nir(made, dt=DT, leak=0.01)
    assert len(set(leaking.scale)) == 1
    assert leaking.network.leak == pytest.approx(0.01 * leaking.scale[0])


def with_node(name: str, node: nir.NIRNode) -> Callable[[], nir.NIRGraph]:
    return lambda: graph(*drawn(), **{name: node})


@pytest.mark.parametrize(
    ("make", "keys", "said"),
    [
        (with_node("hidden", nir.Threshold(np.ones(HIDDEN))), {}, "node 'hidden' is a Threshold"),
        (lambda: graph(*drawn()), {}, "node 'out' is a LIF, whose leak is proportional"),
        (with_node("out", lif(OUT, v_leak=np.ones(OUT))), {"dt": DT, "leak": 0}, "has v_leak 1"),
        (with_node("out", lif(OUT, v_threshold=np.zeros(OUT))), {"dt": DT, "leak": 0}, "of 0: expected"),
        (with_node("loop", nir.Linear(np.eye(HIDDEN))), {"dt": DT, "leak": 0}, "from a cell to itself"),
        (with_node("fc1", nir.Affine(np.ones((HIDDEN, LINES)), np.ones(HIDDEN))), {"dt": DT, "leak": 0}, "6 cells have a bias"),
        (with_node("fc2", nir.Linear(np.ones((OUT, 5)))), {"dt": DT, "leak": 0}, "are [3, 5]: expected [3, 6]"),
        (lambda: graph(*drawn()), {"dt": DT, "leak": 0, "cells": 8}, "has 9 cells and 4 inputs: expected at most 8"),
    ],
)  # fmt: skip
def test_what_neurocorex_has_not_is_refused_in_a_sentence(
    make: Callable[[], nir.NIRGraph], keys: dict[str, float], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        neurocorex.from_nir(make(), **keys)  # type: ignore[arg-type]
    assert said in str(error.value)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.nir"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="is no graph of NIR"):
        neurocorex.from_nir(path)
