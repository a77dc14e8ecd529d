"""The rules beside bp and dfa do what their equations say: float64 oracles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

from codegen import streams
from codegen.reference import Learner, random
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil.data.datasets import load

LAYERS = (6, 17, 18, 5)
LABEL = 2
X = np.random.default_rng(2).normal(size=LAYERS[0]).astype(np.float32)
State = dict[str, np.ndarray]


def stepped(
    rule: str, activation: str = "tanh", **parameters: object
) -> tuple[Learner, State]:
    """A learner after one step of rate 1, and the state before it in float64."""
    network = Network(LAYERS, activation)
    made = Learner(Spec(network, RuleChoice(rule, parameters), Inputs("f32", 1.0), 2))
    before = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    made.step(X, LABEL, np.float32(1))
    return made, before


def differences(f: Callable[[State], float], state: State, name: str) -> np.ndarray:
    """df / d tensor, by central differences."""
    found, tensor, h = np.empty_like(state[name]), state[name], 1e-6
    for index in np.ndindex(tensor.shape):
        kept = tensor[index]
        tensor[index] = kept + h
        above = f(state)
        tensor[index] = kept - h
        found[index] = (above - f(state)) / (2 * h)
        tensor[index] = kept
    return found


def local_loss(layer: int, h_below: np.ndarray) -> Callable[[State], float]:
    """The loss of a layer's own read-out, of that layer's weights alone."""

    def loss(state: State) -> float:
        h = np.tanh(h_below @ state[f"W{layer}"] + state[f"b{layer}"])
        p = 1 / (1 + np.exp(-(h @ state[f"R{layer}"])))
        t = np.eye(p.size)[LABEL]
        return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).sum())

    return loss


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("name", ["W", "b", "R"])
def test_a_layer_learns_the_gradient_of_its_own_loss(layer: int, name: str) -> None:
    made, before = stepped("local")
    below = made.input_of(layer).astype(np.float64)
    tensor = f"{name}{layer}"
    gradient = differences(local_loss(layer, below), before, tensor)
    moved = before[tensor] - made.state[tensor]
    np.testing.assert_allclose(moved, gradient, atol=2e-6, rtol=2e-5)


def test_nothing_crosses_layers() -> None:
    """Other weights above change nothing below, by the same step."""
    made, _ = stepped("local")
    network = made.spec.network
    other = Learner(Spec(network, RuleChoice("local"), Inputs("f32", 1.0), 2))
    for name in ("W2", "b2", "R2", "W3", "b3"):
        other.state[name] += 1
    other.step(X, LABEL, np.float32(1))
    for name in ("W1", "b1", "R1"):
        np.testing.assert_array_equal(made.state[name], other.state[name])


def test_a_layer_is_computed_with_weights_that_have_not_seen_the_sample() -> None:
    """In passing: layer 2 learns before layer 3 is computed, but h_2 is the old."""
    made, before = stepped("local")
    h = X.astype(np.float64)
    for layer in (1, 2):
        h = np.tanh(h @ before[f"W{layer}"] + before[f"b{layer}"])
    np.testing.assert_allclose(made.trace["h2"], h, atol=1e-6)


def test_readouts_are_drawn_from_a_stream_of_their_own() -> None:
    made = Learner(Spec(Network(LAYERS), RuleChoice("local"), seed=2))
    limit = np.float32(np.sqrt(6 / (17 + 5)))
    drawn = random.uniform(2, streams.readout(1), limit, 17 * 5)
    np.testing.assert_array_equal(made.state["R1"], drawn.reshape(17, 5))
    assert list(made.state) == ["W1", "b1", "W2", "b2", "W3", "b3", "R1", "R2"]


@pytest.mark.parametrize("feedback", ["signs", "uniform"])
def test_drtp_projects_the_label_not_the_error(feedback: str) -> None:
    made, before = stepped("drtp", feedback=feedback)
    if feedback == "signs":
        drawn = random.feedback_signs(2, 0, np.float32(0.25), 5, 17)
    else:
        drawn = random.feedback_uniform(2, 1, 5, 17)
    h = made.trace["h1"].astype(np.float64)
    right = np.outer(X, -drawn[LABEL] * (1 - h**2))
    np.testing.assert_allclose(before["W1"] - made.state["W1"], right, atol=1e-6)
    top = np.outer(made.trace["h2"], made.trace["e"])
    np.testing.assert_allclose(before["W3"] - made.state["W3"], top, atol=1e-6)


@pytest.mark.parametrize("feedback", ["signs", "uniform"])
def test_feedback_alignment_sends_each_delta_one_layer_down(feedback: str) -> None:
    made, before = stepped("fa", feedback=feedback)
    width, above = LAYERS[1:3]
    if feedback == "signs":
        drawn = random.feedback_signs(2, 0, np.float32(0.25), above, width)
    else:
        drawn = random.feedback_uniform(2, 1, above, width)
    h = made.trace["h1"].astype(np.float64)
    right = made.trace["d2"].astype(np.float64) @ drawn * (1 - h**2)
    np.testing.assert_allclose(made.trace["d1"], right, atol=1e-6)
    moved = before["W1"] - made.state["W1"]
    np.testing.assert_allclose(moved, np.outer(X, right), atol=1e-6)


@pytest.mark.parametrize("feedback", ["signs", "uniform"])
def test_with_one_hidden_layer_feedback_alignment_is_direct(feedback: str) -> None:
    data, digests = load("digits"), set()
    for rule in ("fa", "dfa"):
        choice = RuleChoice(rule, {"feedback": feedback})
        made = Learner(Spec(Network((64, 17, 10)), choice, data.inputs))
        for x, y in zip(data.train_x[:20], data.train_y[:20], strict=True):
            made.step(x, int(y), 0.03)
        digests.add(made.digest())
    assert len(digests) == 1


def test_a_trained_readout_leaves_hidden_layers_as_they_were_drawn() -> None:
    made, before = stepped("readout")
    for name in ("W1", "b1", "W2", "b2"):
        np.testing.assert_array_equal(made.state[name], before[name])
    assert (made.state["W3"] != before["W3"]).all()


def test_a_trained_readout_is_scikit_learns_logistic_regression() -> None:
    """One a class, taught sample by sample on the same random features."""
    data = load("digits")
    made = Learner(Spec(Network((64, 17, 10)), RuleChoice("readout"), seed=2))
    theirs = SGDClassifier(
        loss="log_loss", penalty=None, learning_rate="constant", eta0=0.05
    )
    classes, first = np.arange(10), made.snapshot()
    theirs.partial_fit(np.zeros((1, 17)), [0], classes)
    theirs.coef_ = np.ascontiguousarray(first["W2"].T.astype(np.float64))
    theirs.intercept_ = first["b2"].astype(np.float64)
    for sample, label in zip(data.train_x[:200], data.train_y[:200], strict=True):
        made.step(sample, int(label), np.float32(0.05))
        h = made.trace["h1"].astype(np.float64)
        theirs.partial_fit(h[None], [int(label)])
    np.testing.assert_allclose(made.state["W2"], theirs.coef_.T, atol=1e-5)
    np.testing.assert_allclose(made.state["b2"], theirs.intercept_, atol=1e-5)


def test_a_ternary_error_reaches_hidden_layers_alone() -> None:
    made, before = stepped("dfa", error="ternary", threshold=0.6)
    e = made.trace["e"]
    q = np.where(np.abs(e) >= 0.6, np.sign(e), 0)
    assert 0 < np.count_nonzero(q) < q.size
    drawn = random.feedback_signs(2, 0, np.float32(0.25), 5, 17).astype(np.float64)
    h = made.trace["h1"].astype(np.float64)
    right = np.outer(X, q @ drawn * (1 - h**2))
    np.testing.assert_allclose(before["W1"] - made.state["W1"], right, atol=1e-6)
    np.testing.assert_allclose(
        before["W3"] - made.state["W3"], np.outer(made.trace["h2"], e), atol=1e-6
    )


@pytest.mark.parametrize("rule", ["fg-activity", "fg-local"])
def test_dead_relu_units_are_left_out(rule: str) -> None:
    made, before = stepped(rule, "relu", k=3)
    dead = made.trace["h1"] == 0
    assert dead.any() and not dead.all()
    np.testing.assert_array_equal(made.state["W1"][:, dead], before["W1"][:, dead])
    assert (made.state["b1"][~dead] != before["b1"][~dead]).all()


def test_a_fault_in_passing_leaves_the_layers_below_learned() -> None:
    """And nothing else: device and reference agree on that (docs/arithmetic.md)."""
    made = Learner(Spec(Network(LAYERS), RuleChoice("local"), Inputs("f32", 1.0), 2))
    made.state["W2"][:] = 3e38
    before = made.snapshot()
    from codegen.reference import NonFinite

    with pytest.raises(NonFinite):
        made.step(X, LABEL, np.float32(0.1))
    assert (made.state["W1"] != before["W1"]).any()
    for name in ("W2", "b2", "R2", "W3", "b3"):
        np.testing.assert_array_equal(made.state[name], before[name])
    assert made.step_number == 0
