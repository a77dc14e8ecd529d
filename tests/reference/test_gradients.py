"""bp's deltas are the loss's gradient: central differences in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from codegen.reference import Learner, random
from codegen.spec import ACTIVATIONS, OUTPUTS, Inputs, Network, RuleChoice, Spec

State = dict[str, np.ndarray]
LABEL = 2
LAYERS = (6, 17, 18, 5)
STEP = 1e-6

PHI: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.maximum(a, 0),
    "identity": lambda a: a,
}


def sigmoid_loss(a: np.ndarray) -> float:
    p, t = 1 / (1 + np.exp(-a)), np.eye(a.size)[LABEL]
    return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).sum())


def softmax_loss(a: np.ndarray) -> float:
    return float(np.log(np.exp(a).sum()) - a[LABEL])


def identity_loss(a: np.ndarray) -> float:
    return float(0.5 * ((a - np.eye(a.size)[LABEL]) ** 2).sum())


LOSS = {"sigmoid": sigmoid_loss, "softmax": softmax_loss, "identity": identity_loss}


def loss(network: Network, state: State, x: np.ndarray) -> float:
    """The network in float64, as a textbook writes it."""
    for layer in range(1, network.depth):
        x = PHI[network.activation](x @ state[f"W{layer}"] + state[f"b{layer}"])
    top = network.depth
    return LOSS[network.output](x @ state[f"W{top}"] + state[f"b{top}"])


def differences(network: Network, state: State, x: np.ndarray, name: str) -> np.ndarray:
    """d loss / d tensor, by central differences."""
    tensor = state[name]
    gradient = np.empty_like(tensor)
    for index in np.ndindex(tensor.shape):
        kept = tensor[index]
        tensor[index] = kept + STEP
        above = loss(network, state, x)
        tensor[index] = kept - STEP
        gradient[index] = (above - loss(network, state, x)) / (2 * STEP)
        tensor[index] = kept
    return gradient


def stepped(rule: RuleChoice, network: Network) -> tuple[Learner, State, np.ndarray]:
    """A learner after one step, the state before it in float64, and the input."""
    learner = Learner(Spec(network, rule, Inputs("f32", 1.0), seed=2))
    x = np.random.default_rng(2).normal(size=network.n_in).astype(np.float32)
    before = {k: v.astype(np.float64) for k, v in learner.snapshot().items()}
    learner.step(x, LABEL, np.float32(1))
    return learner, before, x.astype(np.float64)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_bp_step_of_rate_one_moves_by_the_gradient(
    activation: str, output: str
) -> None:
    network = Network(LAYERS, activation, output)
    learner, before, x = stepped(RuleChoice("bp"), network)
    for name, after in learner.state.items():
        moved = before[name] - after
        gradient = differences(network, before, x, name)
        np.testing.assert_allclose(moved, gradient, atol=2e-6, rtol=2e-5)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_loss_is_the_textbooks(activation: str, output: str) -> None:
    network = Network(LAYERS, activation, output)
    learner = Learner(Spec(network, RuleChoice("bp"), Inputs("f32", 1.0), seed=2))
    x = np.random.default_rng(2).normal(size=6).astype(np.float32)
    state = {k: v.astype(np.float64) for k, v in learner.snapshot().items()}
    result = learner.step(x, LABEL, np.float32(0))
    right = loss(network, state, x.astype(np.float64))
    assert result.loss.dtype == np.float32
    assert float(result.loss) == pytest.approx(right, rel=2e-6)


def matrices(feedback: str) -> list[np.ndarray]:
    """B_1 [5, 17] and B_2 [5, 18] of seed 2: 85 signs fill three words."""
    if feedback == "signs":
        scale = np.float32(0.25)
        drawn = [
            random.feedback_signs(2, word, scale, LAYERS[-1], width)
            for word, width in ((0, 17), (3, 18))
        ]
    else:
        drawn = [
            random.feedback_uniform(2, layer, LAYERS[-1], LAYERS[layer])
            for layer in (1, 2)
        ]
    return [matrix.astype(np.float64) for matrix in drawn]


@pytest.mark.parametrize("feedback", ["signs", "uniform"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_dfa_step_of_rate_one_moves_by_the_error_through_its_matrices(
    activation: str, feedback: str
) -> None:
    rule = RuleChoice("dfa", {"feedback": feedback})
    learner, before, x = stepped(rule, Network(LAYERS, activation))
    trace = {k: v.astype(np.float64) for k, v in learner.trace.items()}
    below = x
    for layer, matrix in enumerate(matrices(feedback), start=1):
        h = trace[f"h{layer}"]
        slope = {
            "tanh": 1 - h**2, "sigmoid": h * (1 - h), "relu": h > 0, "identity": h**0,
        }[activation]  # fmt: skip
        moved = before[f"W{layer}"] - learner.state[f"W{layer}"]
        right = np.outer(below, trace["e"] @ matrix * slope)
        np.testing.assert_allclose(moved, right, atol=1e-6, rtol=1e-5)
        below = h
