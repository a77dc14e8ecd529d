"""Gates: what passes, the controllers, limits, and what health says of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codegen import rules
from codegen.errors import SpecError
from codegen.reference import Learner, gates
from codegen.reference.arithmetic import F32
from codegen.reference.health import health
from codegen.spec import Clip, Gate, Network, RuleChoice, Spec
from hil.data.datasets import load

ETA = np.float32(0.03)
floats = st.floats(-100, 100, width=32)


def vectors(n: int) -> st.SearchStrategy[F32]:
    return arrays(np.float32, n, elements=floats)


@given(vectors(6), vectors(19), st.floats(2**-30, 10, width=32))
def test_no_element_of_a_row_that_is_left_out_could_have_passed(
    x: F32, d: F32, tau: float
) -> None:
    alone = np.abs(-(ETA * x))[:, None] * np.abs(d) >= np.float32(tau)
    w, b = np.zeros((6, 19), np.float32), np.zeros(19, np.float32)
    part, _ = gates.update(w, b, x, d, ETA, np.float32(tau), Gate("row"))
    rows = np.abs(-(ETA * x)) * np.abs(d).max() >= np.float32(tau)
    rows &= x != 0
    assert not alone[~rows & (x != 0)].any()
    assert part == np.count_nonzero(rows)


@pytest.mark.parametrize("kind", ["element", "block"])
@given(vectors(6), vectors(19), st.floats(2**-20, 1, width=32))
def test_a_mask_is_what_a_loop_over_elements_would_do(
    kind: str, x: F32, d: F32, tau: float
) -> None:
    w = np.random.default_rng(1).normal(size=(6, 19)).astype(np.float32)
    b = np.zeros(19, np.float32)
    right, passed = w.astype(np.float64), 0
    for i in range(6):
        for j in range(19):
            block = (
                slice(j - j % 8, j - j % 8 + 8) if kind == "block" else slice(j, j + 1)
            )
            size = np.float32(np.abs(-(ETA * x[i])) * np.abs(d[block]).max())
            if x[i] != 0 and size >= np.float32(tau):
                right[i, j] -= float(ETA * x[i]) * float(d[j])
                passed += 1
    part, whole = gates.update(w, b, x, d, ETA, np.float32(tau), Gate(kind))
    np.testing.assert_allclose(w, right, rtol=1e-5, atol=1e-5)
    assert (part, whole) == (passed, 6 * 19)


def test_biases_are_never_gated() -> None:
    w, b = np.ones((3, 4), np.float32), np.zeros(4, np.float32)
    x, d = np.ones(3, np.float32), np.ones(4, np.float32)
    for kind in ("row", "element", "block"):
        gates.update(w, b, x, d, ETA, np.float32(1e3), Gate(kind))
    assert (w == 1).all() and (b < 0).all()


def test_a_controller_raises_tau_when_too_much_passes() -> None:
    tau, quarter = np.float32(0.01), np.float32(0.25)
    assert gates.controlled(tau, 9, 10, quarter) > tau
    assert gates.controlled(tau, 1, 10, quarter) < tau
    assert gates.controlled(tau, 1, 4, quarter) == tau
    assert gates.controlled(np.float32(1e-9), 0, 10, quarter) == np.float32(1e-9)
    assert gates.controlled(np.float32(1e3), 10, 10, quarter) == np.float32(1e3)


def learner(**keys: object) -> Learner:
    return Learner(Spec(Network((64, 32, 10)), RuleChoice("dfa"), seed=1, **keys))


def test_a_budget_moves_every_layers_threshold_alike() -> None:
    """tau exp(0.4 (signal / budget - 1)), of the signal and nothing else."""
    gate = Gate("row", threshold=0.001, budget=1000)
    made = Learner(Spec(Network((6, 7, 8, 9, 3)), RuleChoice("dfa"), gate=gate))
    tau = 0.001
    for signal in (1500, 700, 1000):
        made.step(np.arange(6, dtype=np.uint8), 1, ETA, signal)
        tau *= math.exp(0.4 * (signal / 1000 - 1))
        assert made.state["tau"] == pytest.approx([tau] * 3, rel=1e-6)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    data = load("digits")
    return data.train_x, data.train_y


@pytest.mark.parametrize("kind", ["row", "element"])
def test_the_active_fraction_is_held(
    kind: str, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    made = learner(gate=Gate(kind, active=0.25))
    shares = []
    for sample, label in zip(*digits, strict=True):
        made.step(sample, int(label), ETA)
        written = [made.changed[n] / made.state[f"W{n}"].size for n in (1, 2)]
        shares.append(written)
    hidden, top = np.mean(shares[-500:], axis=0)
    assert 0.2 < hidden < 0.3
    assert top == 1.0, "the output layer is not gated"


def test_the_error_gate_leaves_every_bit(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    made = learner(gate=Gate("row", active=0.5, error=2.0))
    before = made.digest()
    made.step(digits[0][0], int(digits[1][0]), ETA)
    assert made.digest() == before
    assert made.changed == {} and made.step_number == 1


@pytest.mark.parametrize(
    "rule", [n for n in rules.names() if "error" in rules.declaration(n).gates]
)
def test_behind_an_error_gate_no_rule_changes_a_bit(
    rule: str, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    made = Learner(
        Spec(
            rules.declaration(rule).suited(Network((64, 17, 10))),
            RuleChoice(rule),
            gate=Gate(error=100.0),
            seed=1,
        )
    )
    before = made.snapshot()
    made.step(digits[0][0], int(digits[1][0]), ETA)
    for name, tensor in before.items():
        np.testing.assert_array_equal(
            made.state[name].view(np.uint32), tensor.view(np.uint32), name
        )


@pytest.mark.parametrize("rule", ["local", "fg-local"])
def test_a_local_error_gates_its_own_layer_alone(
    rule: str, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    """The threshold is between the two layers' largest errors."""
    sample, label = digits[0][0], int(digits[1][0])
    spec = Spec(Network((64, 17, 18, 10)), RuleChoice(rule), seed=1)
    free = Learner(spec)
    free.step(sample, label, ETA)
    largest = {n: float(np.abs(free.trace[f"e{n}"]).max()) for n in (1, 2)}
    small, large = sorted(largest, key=lambda n: largest[n])
    between = (largest[1] + largest[2]) / 2
    made = Learner(replace(spec, gate=Gate(error=between)))
    before = made.snapshot()
    made.step(sample, label, ETA)
    for name in ("W", "b", "R"):
        np.testing.assert_array_equal(
            made.state[f"{name}{small}"], before[f"{name}{small}"]
        )
        assert (made.state[f"{name}{large}"] != before[f"{name}{large}"]).any()


def test_the_only_layer_of_a_network_is_gated(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    spec = Spec(Network((64, 10)), RuleChoice("bp"), gate=Gate("row", 1e3), seed=1)
    made = Learner(spec)
    before = made.snapshot()
    made.step(digits[0][0], int(digits[1][0]), ETA)
    np.testing.assert_array_equal(made.state["W1"], before["W1"])
    assert (made.state["b1"] != before["b1"]).all() and made.state["tau"].shape == (1,)


@pytest.mark.parametrize("kind", ["row", "element", "block"])
def test_just_the_threshold_passes_and_just_less_does_not(kind: str) -> None:
    x, d = np.float32([0.5, -0.25]), np.float32([1.0, -0.75, 0.1])
    tie = np.abs(ETA * x[1]) * np.float32(1.0)
    for tau, passes in ((tie, True), (np.nextafter(tie, np.float32(1)), False)):
        w, b = np.zeros((2, 3), np.float32), np.zeros(3, np.float32)
        gates.update(w, b, x, d, ETA, tau, Gate(kind))
        assert (w[1, 0] != 0) == passes


def test_no_weight_and_no_error_exceeds_its_limit(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    made = learner(clip=Clip(weights=0.2, error=0.5))
    assert max(np.abs(t).max() for t in made.state.values()) == np.float32(0.2)
    for sample, label in zip(digits[0][:100], digits[1][:100], strict=True):
        made.step(sample, int(label), np.float32(1.0))
        assert np.abs(made.trace["e"]).max() <= 0.5
        assert max(np.abs(t).max() for t in made.state.values()) == np.float32(0.2)


@pytest.mark.parametrize(
    ("rule", "gate", "sentence"),
    [
        ("fg-weight", Gate("row", active=0.5), "no rank-1 update"),
        ("drtp", Gate(error=0.1), "before there is an error"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(
    rule: str, gate: Gate, sentence: str
) -> None:
    with pytest.raises(SpecError, match=sentence):
        Learner(Spec(Network((4, 3, 2)), RuleChoice(rule), gate=gate))


# -- health


def healthy(rule: str, digits: tuple[np.ndarray, np.ndarray], steps: int = 1):
    made = Learner(Spec(Network((64, 48, 32, 10)), RuleChoice(rule), seed=1))
    for sample, label in zip(
        digits[0][: steps - 1], digits[1][: steps - 1], strict=True
    ):
        made.step(sample, int(label), ETA)
    before = made.snapshot()
    sample, label = digits[0][steps - 1], int(digits[1][steps - 1])
    made.step(sample, label, ETA)
    return made, before, health(made, before, sample, label)


def test_backpropagation_goes_down_the_gradient(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    made, before, found = healthy("bp", digits)
    assert all(angle is not None and angle < 0.1 for angle in found.angle)
    moved = made.state["W2"].astype(np.float64) - before["W2"]
    assert found.update_norm[1] == pytest.approx(np.sqrt((moved**2).sum()))
    whole = made.state["W2"].astype(np.float64)
    assert found.weight_norm[1] == pytest.approx(np.sqrt((whole**2).sum()))
    zeros = np.count_nonzero(digits[0][0]) / 64
    assert found.active == pytest.approx([zeros, 1.0, 1.0])
    slopes = 1 - made.trace["h1"].astype(np.float64) ** 2
    assert found.saturation[0] == pytest.approx(np.mean(slopes < 0.1), abs=0.03)


def test_feedback_alignment_starts_across_the_gradient_and_turns_to_it(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    first = healthy("dfa", digits)[2].angle
    assert all(angle is not None and 60 < angle < 120 for angle in first[:-1])
    later = [healthy("dfa", digits, steps)[2].angle for steps in (1200, 1300, 1400)]
    for layer in (0, 1):
        angles = [angle[layer] for angle in later]
        assert np.mean([a for a in angles if a is not None]) < 75


def test_layers_that_do_not_learn_have_no_angle(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    found = healthy("readout", digits)[2]
    assert found.angle[:2] == [None, None] and found.angle[2] is not None
    assert found.active[:2] == [0.0, 0.0]
