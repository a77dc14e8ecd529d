"""What a step learns from: a label, a vector, or the sample itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from codegen import rules
from codegen.errors import SpecError
from codegen.planning.checkpoint import identity
from codegen.reference import Learner, NonFinite, random
from codegen.reference.certificate import certify
from codegen.reference.health import health
from codegen.spec import GOALS, Clip, Inputs, Network, RuleChoice, Spec
from tests.kinds import OF_NUMBERS

LAYERS = (6, 17, 18, 6)
SQUARE = Spec(Network((6, 4, 6)), RuleChoice("bp"))
OUTPUTS = ("sigmoid", "identity")
"""Those that are held against any vector."""
RNG = np.random.default_rng(4)
X = RNG.normal(size=6).astype(np.float32)
T = RNG.random(6).astype(np.float32)
State = dict[str, np.ndarray]


def spec_of(rule: str, goal: str, output: str = "sigmoid") -> Spec:
    return Spec(
        rules.declaration(rule).suited(Network(LAYERS, "tanh", output)),
        RuleChoice(rule),
        Inputs("f32", 1.0),
        2,
        goal=goal,
    )


def exact_loss(output: str, a: np.ndarray, t: np.ndarray) -> float:
    """As a textbook writes it, in float64."""
    if output == "identity":
        return float(0.5 * ((a - t) ** 2).sum())
    p = 1 / (1 + np.exp(-a))
    return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).sum())


def differences(output: str, state: State, name: str, x: np.ndarray) -> np.ndarray:
    """d loss / d tensor of the whole network, by central differences."""

    def loss() -> float:
        h = x.astype(np.float64)
        for layer in (1, 2):
            h = np.tanh(h @ state[f"W{layer}"] + state[f"b{layer}"])
        return exact_loss(output, h @ state["W3"] + state["b3"], T)

    tensor, found, step = state[name], np.empty_like(state[name]), 1e-6
    for index in np.ndindex(tensor.shape):
        kept = tensor[index]
        tensor[index] = kept + step
        above = loss()
        tensor[index] = kept - step
        found[index] = (above - loss()) / (2 * step)
        tensor[index] = kept
    return found


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_bp_step_towards_a_vector_moves_by_the_gradient(output: str) -> None:
    made = Learner(spec_of("bp", "vector", output))
    before = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    made.step(X, T, 1.0)
    for name, after in made.state.items():
        gradient = differences(output, before, name, X)
        np.testing.assert_allclose(before[name] - after, gradient, atol=2e-6, rtol=2e-5)


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_loss_of_a_vector_is_the_textbooks(output: str) -> None:
    made = Learner(spec_of("readout", "vector", output))
    a = made.forward(X).astype(np.float64)
    np.testing.assert_allclose(
        made.step(X, T, 0.1).loss, exact_loss(output, a, T), rtol=3e-6
    )


def test_regression_is_scikit_learns_perceptron() -> None:
    """Sample by sample, from the same weights."""
    made = Learner(spec_of("bp", "vector", "identity"))
    theirs = MLPRegressor(
        hidden_layer_sizes=LAYERS[1:-1], activation="tanh", solver="sgd", alpha=0, batch_size=1, momentum=0,
        learning_rate_init=0.05, random_state=0,
    )  # fmt: skip
    samples = RNG.normal(size=(40, 6)).astype(np.float32)
    targets = (samples[:, ::-1] ** 2).astype(np.float32)
    theirs.partial_fit(samples[:1], targets[:1])
    for layer in (1, 2, 3):
        theirs.coefs_[layer - 1][...] = made.state[f"W{layer}"]
        theirs.intercepts_[layer - 1][...] = made.state[f"b{layer}"]
    for sample, target in zip(samples, targets, strict=True):
        theirs.partial_fit(sample[None], target[None])
        made.step(sample, target, 0.05)
    for layer in (1, 2, 3):
        ours = made.state[f"W{layer}"], made.state[f"b{layer}"]
        right = theirs.coefs_[layer - 1], theirs.intercepts_[layer - 1]
        for found, wanted in zip(ours, right, strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-5)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("rule", OF_NUMBERS)
def test_a_label_is_the_one_hot_vector_bit_for_bit(rule: str, output: str) -> None:
    named, held = (Learner(spec_of(rule, g, output)) for g in ("label", "vector"))
    for label in (2, 5, 0):
        one = named.step(X, label, 0.1)
        other = held.step(X, np.eye(6, dtype=np.float32)[label], 0.1)
        assert one.p.tobytes() == other.p.tobytes() and one.loss == other.loss
    assert named.digest() == held.digest()


@pytest.mark.parametrize("rule", OF_NUMBERS)
def test_the_sample_itself_is_a_target_like_any_other(rule: str) -> None:
    """As the network sees it: scaled."""
    raw = np.array([0, 3, 16, 9, 1, 200], np.uint8)
    itself, told = (
        Learner(replace(spec_of(rule, goal), inputs=Inputs("u8", 16.0)))
        for goal in ("sample", "vector")
    )
    for _ in range(2):
        itself.step(raw, None, 0.1)
        told.step(raw, raw.astype(np.float32) / np.float32(16), 0.1)
    assert itself.digest() == told.digest()


def test_drtp_projects_a_vector_as_it_is() -> None:
    made = Learner(spec_of("drtp", "vector", "identity"))
    t = np.array([0.5, -2, 0, 3, 0.25, -0.0], np.float32)
    made.step(X, t, 1.0)
    drawn = random.feedback_signs(2, 0, np.float32(0.25), 6, 17).astype(np.float64)
    h = made.trace["h1"].astype(np.float64)
    right = -(t @ drawn) * (1 - h**2)
    np.testing.assert_allclose(made.trace["d1"], right, atol=1e-6)


def test_a_read_out_is_held_against_the_same_vector() -> None:
    made = Learner(spec_of("local", "vector", "identity"))
    made.step(X, T, 0.1)
    for layer in ("1", "2", ""):
        p, e = made.trace[f"p{layer}"], made.trace[f"e{layer}"]
        np.testing.assert_array_equal(e, p - T)


@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.parametrize("rule, tensor", [("bp", "e"), ("drtp", "d1")])
def test_a_target_that_is_not_finite_is_a_fault(
    rule: str, tensor: str, value: float
) -> None:
    made = Learner(spec_of(rule, "vector", "identity"))
    before, target = made.digest(), T.copy()
    target[4] = value
    with pytest.raises(NonFinite) as fault:
        made.step(X, target, 0.1)
    assert fault.value.tensor == tensor and made.digest() == before


@pytest.mark.parametrize(
    "goal, given, sentence",
    [
        ("vector", 3, "target 3: expected a vector of 6 numbers"),
        ("vector", None, "target None: expected a vector"),
        ("vector", T[:5], r"target is float32 \(5,\): expected float32 \(6,\)"),
        ("vector", T.astype(np.float64), "target is float64"),
        ("sample", 3, "the goal is the sample itself"),
        ("label", None, r"target None: expected a label, 0\.\.5"),
        ("label", T, "expected a label"),
        ("label", 6, r"label 6 is not in 0\.\.5"),
    ],
)
def test_what_is_not_the_goals_is_refused(
    goal: str, given: object, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Learner(spec_of("bp", goal)).step(X, given, 0.1)  # type: ignore[arg-type]


def test_the_health_of_a_step_is_told_of_its_own_goal() -> None:
    """bp moves along the true gradient, whatever it learns from."""
    made = Learner(spec_of("bp", "vector", "identity"))
    before = made.snapshot()
    made.step(X, 3 * T, 0.01)
    for angle in health(made, before, X, 3 * T).angle:
        assert angle is not None and angle < 0.5


@pytest.mark.parametrize("rule", OF_NUMBERS)
@pytest.mark.parametrize("goal", ["vector", "sample"])
def test_no_target_within_its_bounds_leaves_a_certificate(goal: str, rule: str) -> None:
    spec = replace(
        spec_of(rule, goal, "identity"), inputs=Inputs("u8", 255.0), clip=Clip(0.8)
    )
    certificate = certify(spec, np.float32(0.1), targets=(-1.0, 2.0))
    assert certificate.failure is None
    proved = {entry.tensor: (entry.lo, entry.hi) for entry in certificate.entries}
    made, attacks = Learner(spec), np.random.default_rng(1)
    for number in range(20):
        for tensor in made.state.values():
            tensor[...] = attacks.choice([-0.8, 0.8], tensor.shape)
        raw = attacks.choice([0, 255], 6).astype(np.uint8)
        target = attacks.choice([-1, 2], 6).astype(np.float32)
        made.step(raw, target if goal == "vector" else None, 0.1)
        for name, found in {**made.trace, **made.state}.items():
            lo, hi = proved[name]
            assert lo <= found.min() and found.max() <= hi, (number, name)


def test_vectors_want_a_promise_to_be_certified() -> None:
    spec = replace(
        spec_of("bp", "vector", "identity"), inputs=Inputs("u8"), clip=Clip(0.8)
    )
    failure = certify(spec, np.float32(0.1)).failure
    assert failure is not None and failure.where == "e"


@pytest.mark.parametrize(
    "network, goal, sentence",
    [
        (Network((6, 4, 6)), "class", "unknown goal 'class': expected one of label"),
        (Network((6, 4, 5)), "sample", "as many outputs as inputs, 6"),
        (Network((6, 4), output="softmax"), "vector", "goal 'vector' with softmax"),
        (Network((6, 6), output="softmax"), "sample", "goal 'sample' with softmax"),
    ],
)
def test_a_goal_that_a_network_cannot_have_is_refused(
    network: Network, goal: str, sentence: str
) -> None:
    with pytest.raises(SpecError, match=sentence):
        Spec(network, goal=goal)


def test_states_of_another_goal_are_those_of_another_network() -> None:
    assert len({identity(replace(SQUARE, goal=goal)) for goal in GOALS}) == 3


def test_checkpoints_from_before_there_were_goals_are_still_known() -> None:
    known = identity(Spec(Network((7, 5, 3)), RuleChoice("bp")))
    assert known.hex() == "1a6138b3031812e5607fde4ef93f7aef"
