"""A network that spikes learns by its equations: the same once more in float64, from the
papers alone, and finite differences of the loss of a tick."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from codegen import streams
from codegen.errors import SpecError
from codegen.reference import Learner, NonFinite, random
from codegen.reference.float32 import FLOAT32
from codegen.reference.health import health
from codegen.reference.intervals import Interval, Intervals
from codegen.reference.rules import dfa
from codegen.rules import declaration
from codegen.spec import Gate, Inputs, Network, RuleChoice, Spec

LAYERS = (9, 12, 11, 5)
LABEL = 2
X = np.random.default_rng(4).random(LAYERS[0]).astype(np.float32)
X[3] = 0
Array = np.ndarray


def learner_of(
    layers: tuple[int, ...] = LAYERS, gate: Gate | None = None, **parameters: object
) -> Learner:
    """With weights so large that about every second cell spikes."""
    network = declaration("ottt").suited(Network(layers))
    spec = Spec(
        network, RuleChoice("ottt", parameters), Inputs("f32", 1.0), 3,
        gate=gate or Gate(),
    )  # fmt: skip
    made, rng = Learner(spec), np.random.default_rng(5)
    for name, tensor in made.state.items():
        if name.startswith("b"):
            tensor[...] = rng.uniform(-0.3, 0.3, tensor.shape)
        else:
            tensor[...] *= np.float32(2.5)
    return made


@dataclass
class Study:
    """OTTT-O as Xiao et al. write it, in float64: `w` and `b` by layer from 1, `feedback`
    the matrices of hidden layers, or None for the weights above."""

    w: list[Array]
    b: list[Array]
    feedback: list[Array] | None
    leak: float
    theta: float
    ticks: int
    membranes: list[tuple[Array, Array]] = field(default_factory=list)

    def step(self, x: Array, t: Array, eta: float) -> tuple[Array, list[Array]]:
        """One sample, the same in every tick or with a row for each: the mean potential of
        its outputs, and the spikes of each tick of hidden layer 1, whose potentials and
        traces are in `membranes`."""
        u, s = [np.zeros(b.size) for b in self.b], [np.zeros(b.size) for b in self.b]
        traces, total = [np.zeros(w.shape[0]) for w in self.w], np.zeros(t.size)
        raster, last = [], len(self.w) - 1
        for came in np.broadcast_to(x, (self.ticks, self.w[0].shape[0])):
            below = came
            for n, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
                if n == last:
                    u[n] = u[n] + b + below @ w
                else:
                    u[n] = self.leak * (u[n] - self.theta * s[n]) + b + below @ w
                    s[n] = (u[n] >= self.theta).astype(float)
                traces[n] = self.leak * traces[n] + below
                below = s[n]
            raster.append(s[0].copy())
            self.membranes.append((u[0].copy(), traces[1].copy()))
            total += u[-1]
            self.learn(u, traces, 1 / (1 + np.exp(-u[-1])) - t, eta / self.ticks)
        return total / self.ticks, raster

    def learn(self, u: list[Array], traces: list[Array], e: Array, rate: float) -> None:
        deltas = [e]
        for n in reversed(range(len(self.w) - 1)):
            heard = (
                self.w[n + 1] @ deltas[0]
                if self.feedback is None
                else e @ self.feedback[n]
            )
            deltas.insert(0, heard / (1 + 2 * abs(u[n] - self.theta)) ** 2)
        for n, d in enumerate(deltas):
            self.w[n] = self.w[n] - rate * np.outer(traces[n], d)
            self.b[n] = self.b[n] - rate * d


def studied(made: Learner) -> Study:
    """The same network, before it learns."""
    layers, given = range(1, made.depth + 1), made.parameters
    state = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    feedback = None
    if given["feedback"] != "weights":
        matrix, ends = dfa.matrices(made)
        wide = matrix.astype(np.float64)
        feedback = [wide[:, a:b] for a, b in pairwise(ends)]
    return Study(
        [state[f"W{n}"] for n in layers], [state[f"b{n}"] for n in layers], feedback,
        float(given["leak"]), float(given["theta"]), int(given["ticks"]),
    )  # fmt: skip


@pytest.mark.parametrize("feedback", ["signs", "uniform", "weights"])
@pytest.mark.parametrize(
    "settings", [{}, {"ticks": 5, "leak": 0.8, "theta": 0.6}], ids=["usual", "others"]
)
def test_a_step_is_that_of_the_equations(
    feedback: str, settings: dict[str, Any]
) -> None:
    made = learner_of(feedback=feedback, trace="membranes", **settings)
    study = studied(made)
    mean, raster = study.step(X.astype(np.float64), np.eye(5)[LABEL], 0.2)
    made.step(X, LABEL, 0.2)
    assert np.array_equal(made.trace["trace1"], raster)
    assert 0.1 < np.mean(raster) < 0.9
    for name, told in zip(
        ("u1", "a1"), zip(*study.membranes, strict=True), strict=True
    ):
        np.testing.assert_allclose(made.trace[f"trace_{name}"], told, atol=2e-6)
    np.testing.assert_allclose(made.trace["p"], 1 / (1 + np.exp(-mean)), atol=2e-6)
    for n in range(1, made.depth + 1):
        np.testing.assert_allclose(made.state[f"W{n}"], study.w[n - 1], atol=2e-6)
        np.testing.assert_allclose(made.state[f"b{n}"], study.b[n - 1], atol=2e-6)


def spikes_of(made: Learner, x: Array, step: int) -> Array:
    """The Bernoulli spikes of a step, [ticks, n_in]: a word each, one after another over
    all steps."""
    ticks = int(made.parameters["ticks"])
    count = ticks * x.size
    words = random.u32(made.seed, streams.SPIKES, step * count, count)
    return ((words >> 8) / 2.0**24).reshape(ticks, x.size) < x.astype(np.float64)


def test_spikes_for_inputs_are_drawn_anew_in_every_tick_and_step() -> None:
    made = learner_of(encoding="bernoulli", ticks=5, trace="on")
    for step in range(3):
        study, came = studied(made), spikes_of(made, X, step)
        _, raster = study.step(came.astype(np.float64), np.eye(5)[LABEL], 0.2)
        made.step(X, LABEL, 0.2)
        assert made.trace["s0"].tolist() == came[-1].tolist()
        assert np.array_equal(made.trace["trace1"], raster)
        for n in range(1, made.depth + 1):
            np.testing.assert_allclose(made.state[f"W{n}"], study.w[n - 1], atol=2e-6)


def test_an_input_spikes_in_the_share_of_ticks_that_it_is() -> None:
    """None at 0 and below, in every tick from 1 on."""
    x = np.float32([-1, 0, 0.1, 0.5, 0.9, 1, 7])
    share = np.mean(
        [FLOAT32.bernoulli(x, 3, first * x.size) for first in range(4000)], 0
    )
    np.testing.assert_allclose(share, np.clip(x, 0, 1), atol=0.02)  # 2.5 deviations
    assert share[[0, 1, 5, 6]].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("x, lo, hi", [
    ((-2, 0), 0, 0), ((0, 0.1), 0, 1), ((0.5, 3), 0, 1), ((1, 3), 1, 1)
])  # fmt: skip
def test_bounds_know_which_inputs_may_spike(
    x: tuple[float, float], lo: float, hi: float
) -> None:
    found = Intervals.bernoulli(None, Interval(*x, (4,)), 1, 0)  # type: ignore[arg-type]
    assert (found.lo, found.hi, found.shape) == (lo, hi, (4,))


@pytest.mark.parametrize("encoding", ["current", "bernoulli"])
def test_an_answer_is_that_of_a_step_which_learns_nothing(encoding: str) -> None:
    made, other = (learner_of(encoding=encoding) for _ in range(2))
    for _ in range(2):  # an inference draws what the next step would
        answer = other.infer(X).tobytes()
        assert other.infer(X).tobytes() == answer
        for one in (made, other):
            one.step(X, LABEL, 0.0)
        assert made.trace["p"].tobytes() == answer


def test_the_last_layer_descends_the_loss_of_a_tick() -> None:
    """In the first tick an output's potential is its bias and its spikes' weights: the
    update of one tick is the gradient of that tick's loss, by finite differences."""
    made = learner_of((9, 12, 5), ticks=1)
    before = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    made.step(X, LABEL, 1.0)
    spikes, t = made.trace["h1"].astype(np.float64), np.eye(5)[LABEL]

    def loss(w: Array) -> float:
        p = 1 / (1 + np.exp(-(spikes @ w + before["b2"])))
        return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).sum())

    w, gradient = before["W2"], np.empty_like(before["W2"])
    for place in np.ndindex(w.shape):
        apart = np.zeros_like(w)
        apart[place] = 1e-6
        gradient[place] = (loss(w + apart) - loss(w - apart)) / 2e-6
    learned = made.state["W2"].astype(np.float64) - before["W2"]
    np.testing.assert_allclose(learned, -gradient, atol=1e-6)


def test_hidden_layers_that_hear_nothing_stay_as_they_are() -> None:
    made = learner_of(feedback="none")
    before = made.snapshot()
    made.step(X, LABEL, 0.2)
    moved = {name for name, t in made.state.items() if (t != before[name]).any()}
    assert moved == {"W3", "b3"}


def test_a_tick_that_is_right_enough_teaches_nothing() -> None:
    """The error gate looks at every tick by itself."""
    shut, half, none = (
        learner_of(gate=Gate("none", error=level)) for level in (1.1, 0.97, 0.0)
    )
    first = shut.digest()
    for made in (shut, half, none):
        made.step(X, LABEL, 0.2)
    assert shut.digest() == first
    assert len({made.digest() for made in (shut, half, none)}) == 3


def test_a_potential_that_overflows_ends_the_step_under_its_own_name() -> None:
    for layers, tensor in (((9, 12, 5), "u1"), ((9, 5), "q")):
        made = learner_of(layers)
        made.state["W1"][...] = np.float32(3e38)
        before = made.digest()
        with pytest.raises(NonFinite) as caught:
            made.step(X, LABEL, 0.1)
        assert caught.value.tensor == tensor and made.digest() == before


def test_health_tells_rates_and_synaptic_operations() -> None:
    """Spikes a cell and tick, and additions: an input or a spike to every cell above."""
    made = learner_of((9, 12, 5), ticks=4)
    before = made.snapshot()
    made.step(X, LABEL, 0.1)
    found = health(made, before, X, LABEL).table()
    _, raster = studied_before(made, before).step(
        X.astype(np.float64), np.eye(5)[LABEL], 0.0
    )
    spikes = np.sum(raster)
    assert found["rate"] == [pytest.approx(spikes / 48)]
    assert found["synaptic"] == [8 * 4 * 12, spikes * 5]


def studied_before(made: Learner, before: dict[str, Array]) -> Study:
    again = Learner(made.spec)
    again.load(before)
    return studied(again)


@pytest.mark.parametrize("parameters, words", [
    ({"ticks": 0}, "ticks = 0: expected a whole number from 1"),
    ({"leak": 1.5}, "leak = 1.5: expected a number from 0 to 1"),
    ({"feedback": "both"}, "expected one of signs, uniform, weights, none"),
    ({"encoding": "poisson"}, "expected one of current, bernoulli"),
])  # fmt: skip
def test_what_a_cell_cannot_be_is_refused(
    parameters: dict[str, object], words: str
) -> None:
    with pytest.raises(SpecError, match=words):
        learner_of(**parameters)


def test_an_input_spikes_once_a_sample_the_earlier_the_larger_it_is() -> None:
    made = learner_of(encoding="latency", ticks=7, leak=0.9)
    seen = []
    for tick in range(7):
        seen.append(FLOAT32.latency(X, tick, 7))
    when = [math.floor((1 - v) * 6) for v in X.astype(np.float64)]
    there = X > 0
    assert np.argmax(seen, axis=0)[there].tolist() == [
        t for t, v in zip(when, X, strict=True) if v > 0
    ]
    assert np.sum(seen, axis=0).tolist() == there.astype(float).tolist()
    found = (
        health(made, made.snapshot(), X, LABEL) if made.step(X, LABEL, 0.1) else None
    )
    assert found is not None
    assert found.promises["synaptic"][0] == there.sum() * LAYERS[1]
    bounds = Intervals().latency(Interval(0.0, 1.0, (3,)), 2, 7)
    assert (bounds.lo, bounds.hi) == (0.0, 1.0)
