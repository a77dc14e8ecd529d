"""The update with momentum: what it computes, and where it makes no sense."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

import targets
from codegen.errors import SpecError
from codegen.planning.checkpoint import identity
from codegen.planning.plan import plan
from codegen.reference import Learner
from codegen.reference.certificate import certify
from codegen.spec import Clip, Gate, Inputs, Network, RuleChoice, Spec, UpdateChoice

LAYERS = (6, 17, 18, 3)
MOMENTUM = UpdateChoice("momentum", 0.75)
SPEC = Spec(
    Network(LAYERS, "tanh", "identity"), RuleChoice("bp"), Inputs("f32", 1.0), 2,
    goal="vector", update=MOMENTUM,
)  # fmt: skip
RNG = np.random.default_rng(6)


def test_it_is_scikit_learns_without_look_ahead() -> None:
    """Sample by sample, from the same weights; zero inputs among them."""
    made = Learner(SPEC)
    theirs = MLPRegressor(
        hidden_layer_sizes=LAYERS[1:-1], activation="tanh", solver="sgd", alpha=0, batch_size=1,
        momentum=MOMENTUM.momentum, nesterovs_momentum=False, learning_rate_init=0.01, random_state=0,
    )  # fmt: skip
    samples = RNG.normal(size=(40, 6)).astype(np.float32)
    samples[RNG.random(samples.shape) < 0.3] = 0
    wanted = (samples[:, :3] ** 2).astype(np.float32)
    theirs.partial_fit(samples[:1], wanted[:1])
    for velocity in theirs._optimizer.velocities:
        velocity[...] = 0
    for layer in (1, 2, 3):
        theirs.coefs_[layer - 1][...] = made.state[f"W{layer}"]
        theirs.intercepts_[layer - 1][...] = made.state[f"b{layer}"]
    for sample, target in zip(samples, wanted, strict=True):
        theirs.partial_fit(sample[None], target[None])
        made.step(sample, target, 0.01)
    for layer in (1, 2, 3):
        ours = made.state[f"W{layer}"], made.state[f"b{layer}"]
        right = theirs.coefs_[layer - 1], theirs.intercepts_[layer - 1]
        for found, other in zip(ours, right, strict=True):
            np.testing.assert_allclose(found, other, atol=2e-5)


def test_velocities_are_state_on_both_sides_in_one_order() -> None:
    state = plan(SPEC, targets.load("host")).state
    made = Learner(SPEC)
    assert [t.name for t in state] == list(made.state)
    assert [t.shape for t in state] == [t.shape for t in made.state.values()]
    assert [t.name for t in state if t.role == "dynamic"] == [
        "V1", "vb1", "V2", "vb2", "V3", "vb3",
    ]  # fmt: skip


def test_a_velocity_stays_within_its_certificate() -> None:
    """Samples and errors as large as they can be, always of one sign."""
    spec = replace(
        SPEC, network=Network((4, 5, 2), "tanh", "sigmoid"), inputs=Inputs("u8", 255.0),
        goal="label", clip=Clip(1.0), update=UpdateChoice("momentum", 0.9),
    )  # fmt: skip
    found = certify(spec, np.float32(0.1))
    assert found.failure is None
    bounds = {
        e.tensor: (e.lo, e.hi) for e in found.entries if e.operation == "velocity"
    }
    made = Learner(spec)
    for _ in range(60):
        made.step(np.full(4, 255, np.uint8), 1, 0.1)
        for name, (lo, hi) in bounds.items():
            assert lo <= made.state[name].min() and made.state[name].max() <= hi
    assert set(bounds) == {"V1", "vb1", "V2", "vb2"}


def test_state_of_another_update_is_another_state() -> None:
    plain = replace(SPEC, update=UpdateChoice())
    other = replace(SPEC, update=UpdateChoice("momentum", 0.5))
    assert len({identity(s) for s in (SPEC, plain, other)}) == 3


@pytest.mark.parametrize(
    "spec, sentence",
    [
        (replace(SPEC, gate=Gate("row")), "gate 'row' with update 'momentum'"),
        (replace(SPEC, rule=RuleChoice("local")), "by layers' deltas .R1, R2."),
        (
            replace(SPEC, rule=RuleChoice("fg-weight")),
            "'momentum' with rule 'fg-weight'",
        ),
    ],
)
def test_what_cannot_learn_by_it_is_refused(spec: Spec, sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        plan(spec, targets.load("host"))


@pytest.mark.parametrize("momentum", [0.0, 1.0, -0.5, float("nan")])
def test_momentum_that_would_not_decay_is_refused(momentum: float) -> None:
    with pytest.raises(SpecError, match="from 0 to 1"):
        UpdateChoice("momentum", momentum)
