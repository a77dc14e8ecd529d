"""Rules that settle do what their equations say, and keep what they promise: float64
oracles, finite differences, and backpropagation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import targets
from codegen import rules
from codegen.errors import SpecError
from codegen.planning.checkpoint import identity
from codegen.planning.plan import plan
from codegen.reference import Learner, NonFinite
from codegen.reference.certificate import certify
from codegen.reference.health import health
from codegen.spec import Gate, Inputs, Network, RuleChoice, Spec, UpdateChoice
from hil.data.datasets import load
from tests.reference.bounds import Kinase

LAYERS = (9, 12, 11, 5)
LABEL = 2
X = np.random.default_rng(2).random(LAYERS[0]).astype(np.float32)
T = np.eye(LAYERS[-1])[LABEL]
PHASES = {"minus": 6, "plus": 4, "dt": 0.6, "strength": 0.8}
State = dict[str, np.ndarray]
States = list[np.ndarray]


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def learner_of(
    rule: str, layers: tuple[int, ...] = LAYERS, **parameters: object
) -> Learner:
    network = rules.declaration(rule).suited(Network(layers))
    made = Learner(Spec(network, RuleChoice(rule, parameters), Inputs("f32", 1.0), 3))
    rng = np.random.default_rng(5)
    for name, tensor in made.state.items():
        if name.startswith("b"):
            tensor[...] = rng.uniform(-0.3, 0.3, tensor.shape)
    return made


def widened(learner: Learner) -> State:
    return {name: t.astype(np.float64) for name, t in learner.snapshot().items()}


def cycle(state: State, units: States, dt: float, f: float, moving: int) -> None:
    """One cycle in place, as a textbook writes it: units[0] is x."""
    last = len(units) - 1
    for n in range(1, moving + 1):
        v = units[n - 1] @ state[f"W{n}"] + state[f"b{n}"]
        if n < last:
            v = v + f * (state[f"W{n + 1}"] @ units[n + 1])
        units[n] = units[n] + dt * (sigmoid(v) - units[n])


def both_phases(
    state: State, minus: int, plus: int, dt: float, f: float
) -> tuple[States, States]:
    units = [X.astype(np.float64), *(np.full(n, 0.5) for n in LAYERS[1:])]
    for _ in range(minus):
        cycle(state, units, dt, f, len(units) - 1)
    answered = list(units)
    units[-1] = T
    for _ in range(plus):
        cycle(state, units, dt, f, len(units) - 2)
    return answered, units


def sent(rule: str, minus: np.ndarray, plus: np.ndarray, d: np.ndarray) -> np.ndarray:
    """What each rule makes of the two states of a layer below, and of d above."""
    pre = minus if rule == "generec" else (minus + plus) / 2
    return np.outer(pre, d)


@pytest.mark.parametrize("rule", ["generec", "midpoint", "chl"])
def test_two_phases_move_weights_as_their_equations_say(rule: str) -> None:
    made, eta = learner_of(rule, **PHASES), 0.5
    before = widened(made)
    made.step(X, LABEL, eta)
    minus, plus = both_phases(before, 6, 4, 0.6, 0.8)
    np.testing.assert_allclose(made.trace["p"], minus[-1], atol=1e-6)
    for n in range(1, len(LAYERS)):
        d = minus[n] - plus[n]
        moved = sent(rule, minus[n - 1], plus[n - 1], d)
        if rule == "chl":
            moved = np.outer(minus[n - 1], minus[n]) - np.outer(plus[n - 1], plus[n])
        np.testing.assert_allclose(
            made.state[f"W{n}"], before[f"W{n}"] - eta * moved, atol=2e-6
        )
        np.testing.assert_allclose(
            made.state[f"b{n}"], before[f"b{n}"] - eta * d, atol=2e-6
        )


def test_the_kinase_rule_learns_from_the_cascade_of_each_unit() -> None:
    made = learner_of(
        "kinase", minus=5, cycles=80, tau_m=2, tau_p=8, tau_d=12, dt=0.6, strength=0.8
    )
    before, eta = widened(made), 0.5
    made.step(X, LABEL, eta)
    units, _ = both_phases(before, 5, 0, 0.6, 0.8)
    cam, cap, cad = list(units), list(units), list(units)
    for now in range(80):
        if now >= 60:
            units[-1] = T
        cycle(before, units, 0.6, 0.8, len(units) - (2 if now >= 60 else 1))
        for n in range(1, len(units)):  # time constants of 40 cycles, twice as long
            cam[n] = cam[n] + (units[n] - cam[n]) / 4
            cap[n] = cap[n] + (cam[n] - cap[n]) / 16
            cad[n] = cad[n] + (cap[n] - cad[n]) / 24
    for n in range(1, len(units)):
        d, pre = cap[n] - cad[n], cad[n - 1] if n > 1 else units[0]
        np.testing.assert_allclose(
            made.state[f"W{n}"], before[f"W{n}"] + eta * np.outer(pre, d), atol=2e-6
        )
        np.testing.assert_allclose(
            made.state[f"b{n}"], before[f"b{n}"] + eta * d, atol=2e-6
        )


@pytest.mark.parametrize("rule", ["generec", "midpoint", "chl"])
@pytest.mark.parametrize("strength, least", [(1.0, 0.99), (0.3, 0.999)])
def test_a_unit_learns_from_nearly_its_share_of_the_gradient(
    rule: str, strength: float, least: float
) -> None:
    """The difference of phases beside bp's delta, on a real digit, before learning
    (O'Reilly 1996)."""
    digits = load("digits")
    network = Network((64, 64, 10), "sigmoid", "identity")
    parameters = {"strength": strength, "minus": 30, "plus": 30, "dt": 0.5}
    made = Learner(Spec(network, RuleChoice(rule, parameters), digits.inputs, 1))
    before = widened(made)
    made.step(digits.train_x[0], int(digits.train_y[0]), 0.1)
    x = digits.train_x[0] / 16.0
    h = sigmoid(x @ before["W1"] + before["b1"])
    e = sigmoid(h @ before["W2"] + before["b2"]) - np.eye(10)[digits.train_y[0]]
    wanted, d = (before["W2"] @ e) * h * (1 - h), made.trace["d1"].astype(np.float64)
    assert d @ wanted / np.linalg.norm(d) / np.linalg.norm(wanted) > least


def fixed_point(state: State, x: np.ndarray) -> np.ndarray:
    """Outputs that have settled, their units all within 0 and 1."""
    h, o = np.zeros(state["b1"].size), np.zeros(state["b2"].size)
    for _ in range(400):
        driven = x @ state["W1"] + state["b1"] + state["W2"] @ o
        h, o = h + 0.5 * (driven - h), o + 0.5 * (h @ state["W2"] + state["b2"] - o)
    assert (h > 0).all() and (h < 1).all() and (o > 0).all() and (o < 1).all()
    return o


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_equilibrium_propagation_is_the_gradient_of_the_fixed_points_cost(
    name: str,
) -> None:
    """Within a hundredth at beta = 0.01 (Scellier and Bengio 2017, theorem 1)."""
    network = Network((6, 5, 3), "identity", "identity")
    parameters = {"free": 200, "nudged": 200, "beta": 0.01, "ratio": 1.0}
    spec = Spec(
        network, RuleChoice("eqprop", parameters), Inputs("f32", 1.0), 3, goal="vector"
    )
    made, x = Learner(spec), X[:6]
    t = np.float32([0.2, 0.7, 0.4])
    for key, tensor in made.state.items():
        tensor[...] = 0.45 if key.startswith("b") else tensor * np.float32(0.2)
    before = widened(made)
    made.step(x, t, 1.0)
    learned = made.state[name].astype(np.float64) - before[name]

    gradient, tensor = np.empty_like(before[name]), before[name]
    for index in np.ndindex(tensor.shape):
        costs = []
        for step in (1e-5, -1e-5):
            tensor[index] += step
            costs.append(((fixed_point(before, x.astype(np.float64)) - t) ** 2).sum())
            tensor[index] -= step
        gradient[index] = (costs[0] - costs[1]) / 2e-5
    error = np.linalg.norm(learned + gradient) / np.linalg.norm(gradient)
    assert error < 0.01


def test_health_tells_what_settling_promises() -> None:
    short, long = (learner_of("generec", **{**PHASES, "minus": n}) for n in (2, 40))
    found = []
    for made in (short, long):
        before = made.snapshot()
        made.step(X, LABEL, np.float32(0.1))
        found.append(health(made, before, X, LABEL).table())
    (near, far), apart = (table["unsettled"] for table in found), found[1]["phases"]
    assert len(near) == len(far) == 3 and len(apart) == 2
    assert max(far) < 1e-5 < max(near), "forty cycles have come to rest, two have not"
    plus = long.trace["plus1"] - long.trace["h1"]
    assert apart[0] == pytest.approx(float(np.sqrt((plus**2).mean())), rel=1e-4)


@pytest.mark.parametrize("rule", ["generec", "midpoint", "chl", "kinase", "eqprop"])
def test_a_drive_that_overflows_ends_the_step_and_changes_nothing(rule: str) -> None:
    made = learner_of(rule, (9, 5))
    made.state["W1"][...] = np.float32(3e38)
    before = made.digest()
    with pytest.raises(NonFinite) as caught:
        made.step(X, LABEL, 0.1)
    assert caught.value.tensor == "p" and made.digest() == before


@pytest.mark.parametrize(
    "rule, network, words",
    [
        ("generec", Network((6, 5, 4), "tanh", "identity"), "activation 'tanh' .*expected sigmoid"),
        ("chl", Network((6, 5, 4), "sigmoid", "softmax"), "output 'softmax' .*expected identity"),
        ("eqprop", Network((6, 5, 5, 4), "identity", "identity"), "2 hidden layers: expected 1 at most .*saturate"),
    ],
)  # fmt: skip
def test_a_network_that_a_rule_cannot_teach_is_refused(
    rule: str, network: Network, words: str
) -> None:
    with pytest.raises(SpecError, match=words):
        Learner(Spec(network, RuleChoice(rule)))


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({"cycles": 3}, "cycles = 3, .*expected 4 or more"),
        ({"cycles": 8}, "tau_m = 2 with cycles = 8, .*expected tau_m of 5 or more"),
    ],
)
def test_a_cascade_that_would_overshoot_is_refused(
    parameters: dict[str, object], words: str
) -> None:
    """The bounds of a leak hold for rates up to 1 alone."""
    with pytest.raises(SpecError, match=words):
        learner_of("kinase", **parameters)
    learner_of("kinase", cycles=8, tau_m=5.0)


@pytest.mark.parametrize(
    "name, value", [("dt", 0.0), ("dt", 1.5), ("strength", -1), ("minus", 0)]
)
def test_a_parameter_beyond_its_limits_is_refused(name: str, value: float) -> None:
    with pytest.raises(SpecError, match=f"{name} = {value}"):
        learner_of("generec", **{name: value})


@pytest.mark.parametrize("rule", ["generec", "midpoint", "chl", "kinase", "eqprop"])
def test_cycles_that_are_kept_change_nothing_that_is_learned(rule: str) -> None:
    """A state may go from a device that keeps them to one that does not."""
    layers = (9, 12, 5)
    plain, kept = (learner_of(rule, layers, trace=t) for t in ("off", "on"))
    for learner in (plain, kept):
        learner.step(X, LABEL, 0.1)
    assert plain.digest() == kept.digest()
    assert set(kept.trace) - set(plain.trace) >= {"trace1", "trace2"}
    assert not [name for name in plain.trace if name.startswith("trace")]
    assert identity(plain.spec) == identity(kept.spec)


def test_a_step_that_the_error_gate_ends_has_no_cycles_to_tell() -> None:
    """Its plus phase has none: what lies there is not this step's."""
    learner = learner_of("generec", (9, 12, 5), trace="on")
    gated = Learner(replace(learner.spec, gate=Gate("none", error=9.0)))
    gated.step(X, LABEL, 0.1)
    assert "trace1" not in gated.trace


def test_a_checkpoint_knows_a_parameter_that_came_later_by_its_value_alone() -> None:
    """A state of kinase from before there was a share of cycles with the outcome is one
    that learned with the usual share."""
    usual, same, other = (
        identity(learner_of("kinase", (9, 12, 5), **given).spec)
        for given in ({}, {"outcome": 0.25}, {"outcome": 0.5})
    )
    assert usual == same != other
    later = [p for p in rules.declaration("kinase").parameters if p.later]
    assert [p.name for p in later] == ["outcome", "weights", "range"]
    assert not later[0].tells(0.25) and later[0].tells(0.5)


@pytest.mark.parametrize("weights, eta", [("plain", 3), ("soft", 3), ("contrast", 0.5)])
def test_weights_are_bounded_as_the_equations_say(weights: str, eta: float) -> None:
    """The float64 study learns as the reference does, but for the rounding."""
    data = load("digits")
    network = Network((64, 64, 10), "sigmoid", "identity")
    choice = RuleChoice("kinase", {"weights": weights})
    learner = Learner(Spec(network, choice, data.inputs, seed=3))
    studied = Kinase(weights, 3)
    for x, y in zip(data.train_x[:4], data.train_y[:4], strict=True):
        learner.step(x, int(y), eta)
        studied.step(x / 16, int(y), eta)
    for n in (1, 2):
        assert studied.w[n - 1] == pytest.approx(learner.state[f"W{n}"], abs=1e-5)
        assert studied.b[n - 1] == pytest.approx(learner.state[f"b{n}"], abs=1e-5)


@pytest.mark.parametrize("weights", ["soft", "contrast"])
def test_weights_stay_within_their_bounds_however_fast_they_learn(weights: str) -> None:
    """And the certificate needs no other limit."""
    learner = learner_of("kinase", (9, 12, 5), weights=weights, range=2.0)
    certificate = certify(learner.spec, np.float32(50), (0.0, 1.0))
    assert certificate.failure is None
    bounds = {
        e.tensor: (e.lo, e.hi)
        for e in certificate.entries
        if e.operation in ("update, within its bounds", "not changed")
    }
    assert set(bounds) == set(learner.state)
    for step in range(12):
        learner.step(X, step % 5, 50.0)
        for name, (lo, hi) in bounds.items():
            assert lo <= learner.state[name].min() and learner.state[name].max() <= hi


@pytest.mark.parametrize("weights", ["soft", "contrast"])
def test_a_device_has_the_state_that_weights_within_bounds_take(weights: str) -> None:
    learner = learner_of("kinase", (9, 12, 5), weights=weights)
    state = plan(learner.spec, targets.load("host")).state
    assert [(t.name, t.shape) for t in state] == [
        (name, tensor.shape) for name, tensor in learner.state.items()
    ]
    held = learner.held()
    assert {t.name: tuple(map(np.float32, t.limits or ())) for t in state} == held


@pytest.mark.parametrize(
    "more, words",
    [
        ({"gate": Gate("row")}, "gate 'row' .* weights = 'soft': expected gate none"),
        ({"update": UpdateChoice("momentum", 0.5)}, "expected update rank-1"),
    ],
)
def test_what_soft_bounds_leave_no_room_for_is_refused(
    more: dict[str, Any], words: str
) -> None:
    learner = learner_of("kinase", (9, 12, 5), weights="soft")
    with pytest.raises(SpecError, match=words):
        plan(replace(learner.spec, **more), targets.load("host"))
