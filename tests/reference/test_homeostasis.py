"""Homeostasis in the reference: thresholds follow how often their cells spike, by the
equation once more in fractions, and rates come to be what is asked for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest

from codegen import homeostasis as built
from codegen.delays import Delays
from codegen.errors import SpecError
from codegen.homeostat import Homeostat
from codegen.planning.checkpoint import identity
from codegen.reference import Learner, homeostasis
from codegen.reference.fronts import liquid
from codegen.reservoir import Liquid
from codegen.rules import declaration, get
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil.data.dataset import Dataset
from hil.data.reservoirs import with_front
from hil.errors import DataError

RNG = np.random.default_rng(8)


def learner_of(rule: str, layers: tuple[int, ...], **parameters: Any) -> Learner:
    network = declaration(rule).suited(Network(layers))
    format, scale = declaration(rule).format or "f32", 16.0
    choice = RuleChoice(rule, parameters)
    return Learner(Spec(network, choice, Inputs("u8", scale), 3, format=format))


def sample(n: int) -> np.ndarray:
    return RNG.integers(0, 17, n).astype(np.uint8)


@pytest.mark.parametrize("pace", [1, 5, 12])
@pytest.mark.parametrize(
    "wanted, gain", [(0.05, 0.02), (0.0008, 1.0), (0.5, 0.001), (0.1, 0.0)]
)
def test_whole_numbers_move_by_the_equation(
    pace: int, wanted: float, gain: float
) -> None:
    """In exact fractions, but for the factor, of which 7 bits are kept."""
    parameters = {"homeostasis": wanted, "gain": gain, "astrocyte": pace}
    count, theta_0 = RNG.integers(0, 40, 50), 6000
    rate, rise = RNG.integers(0, 1 << 23, 50), RNG.integers(-4000, 80_000, 50)
    factor, shift = built.moved_by(gain * theta_0, wanted)
    assert factor <= 128 and (factor >= 64 or shift == 31 or not gain)
    if gain:
        exact = 2 * gain * theta_0 / (wanted * 2**24)
        assert factor / 2**shift == pytest.approx(exact, rel=2**-7, abs=2**-32)
    now, moved = homeostasis.whole(parameters, count, 100, theta_0, rate, rise)
    for n, a, theta, a_now, theta_now in zip(
        count, rate, rise, now, moved, strict=True
    ):
        share = min(int(n) * (2**24 // 100), 2**24)
        assert a_now == a + floor(Fraction(share - int(a), 2**pace))
        off = floor(Fraction(int(a_now) - floor(wanted * 2**24 + 0.5), 2))
        want = int(theta) + floor(Fraction(off * factor, 2**shift))
        assert theta_now == min(max(want, -4500), 90_000)


def test_thresholds_of_a_network_follow_its_cells() -> None:
    made = learner_of("ottt", (9, 12, 5), homeostasis=0.1, astrocyte=3, trace="on")
    rate, rise = np.zeros(12), np.zeros(12)
    for _ in range(20):
        made.step(sample(9), 2, 0.1)
        spiked = made.trace["trace1"].mean(axis=0, dtype=np.float64)
        rate += (spiked - rate) / 8
        rise = np.clip(rise + 0.02 / 0.1 * (rate - 0.1), -0.75, 15)
        assert made.state["rate1"] == pytest.approx(rate, abs=1e-6)
        assert made.state["theta1"] == pytest.approx(rise, abs=1e-6)
    assert (made.state["theta1"] > 0).any() and (made.state["theta1"] < 0).any()
    before = made.digest()
    made.infer(sample(9))
    assert made.digest() == before


def test_a_raised_threshold_is_what_a_cell_must_reach() -> None:
    """Also for the slope that stands for its spike's."""
    made = learner_of("ottt", (9, 6, 3), homeostasis=0.1, feedback="none")
    made.state["theta1"][:3] = 15
    made.step(sample(9) | 8, 1, 0.1)
    assert not made.trace["h1"][:3].any()
    less = made.trace["u1"] - np.float32([15, 15, 15, 0, 0, 0])
    assert made.trace["v1"] == pytest.approx(less, abs=1e-5)


@pytest.mark.parametrize("rule, layers, asked", [
    ("ottt", (64, 24, 10), {"homeostasis": 0.1, "ticks": 4, "theta": 8.0,
             "feedback": "none"}),
    ("stdp-wta", (64, 16, 10), {"homeostasis": 0.02, "ticks": 20}),
    ("stdp-detector", (64, 5), {"homeostasis": 0.1, "threshold": 800}),
])  # fmt: skip
def test_rates_come_to_be_what_is_asked_for(
    rule: str, layers: tuple[int, ...], asked: dict[str, Any]
) -> None:
    """Of cells that an input excites: one that it silences has no threshold low enough."""
    made = learner_of(rule, layers, **asked)
    made.state["W1"] = abs(made.state["W1"])
    name, one = ("rate1", 1.0) if rule == "ottt" else ("rate", 2.0**24)
    rates = []
    for step in range(220):
        made.step(sample(64), step % layers[-1], 0.01)
        rates.append(made.state[name] / one)
    found, wanted = np.mean(rates[120:], axis=0), asked["homeostasis"]
    assert found.mean() == pytest.approx(wanted, rel=0.25)
    assert ((found >= wanted / 2) & (found <= 2 * wanted)).all()


def test_a_detector_answers_by_what_is_above_its_thresholds() -> None:
    made = learner_of("stdp-detector", (20, 3), homeostasis=0.2, threshold=100)
    made.state["theta"][:] = 0, 5, -7
    x = np.uint8([1] * 7 + [0] * 13)
    assert made.infer(x).tolist() == [12, 7, 19]
    assert set(made.held()) == {"rate", "theta"}
    assert made.held()["theta"] == (np.float32(-75), np.float32(1500))


def test_a_rate_that_is_too_small_is_refused_in_a_sentence() -> None:
    with pytest.raises(
        SpecError, match=r"homeostasis = 1e-05: expected 0, or a share from 2\^-13"
    ):
        get(RuleChoice("stdp-wta", {"homeostasis": 1e-5}))
    with pytest.raises(
        SpecError, match=r"homeostasis = 0.7: expected a number from 0 to 0.5"
    ):
        get(RuleChoice("ottt", {"homeostasis": 0.7}))


@pytest.mark.parametrize("rule, said, why", [
    ("ottt", {"gain": 0.5}, "gain = 0.5 without"),
    ("stdp-wta", {"homeostasis": 0.0, "astrocyte": 9}, "astrocyte = 9 without"),
    ("stdp-detector", {"threshold": 100}, "threshold = 100 without"),
])  # fmt: skip
def test_what_says_nothing_without_homeostasis_is_refused(
    rule: str, said: dict[str, Any], why: str
) -> None:
    with pytest.raises(SpecError, match=f"{rule}' has {why} homeostasis, and so .* no"):
        get(RuleChoice(rule, said))
    get(RuleChoice(rule, said | {"homeostasis": 0.1}))


def of_front(front: Liquid | Delays, cells: int) -> Learner:
    network, inputs = (
        Network((cells, 2), "tanh", "sigmoid"),
        Inputs("u8", 1.0, front=front),
    )
    return Learner(Spec(network, RuleChoice("bp"), inputs, 3))


LIQUID = Liquid(
    6, 3, 9, ((0.0, 16.0),) * 3, ((0.0, 1.0),) * 22, cells=11, sources=4, segments=2, hold=4
)  # fmt: skip
DELAYS = Delays(2, 7, 20)


@pytest.mark.parametrize("asked", [Homeostat(0.1), Homeostat(0.3, 2, 0.5)], ids=str)
def test_thresholds_of_a_liquid_follow_its_cells(asked: Homeostat) -> None:
    """By the equation in binary64, of which a step rounds down twice and keeps 7 bits of
    the factor; an answer changes nothing."""
    made = of_front(replace(LIQUID, homeostat=asked), 22)
    rate, rise = np.zeros(11), np.zeros(11)
    for step in range(40):
        made.infer(sample(18))
        x = sample(18)
        made.step(x, 0, 0.01)
        spikes = made.trace["x"].reshape(2, 11).sum(axis=0)
        rate += (spikes / 24 - rate) / 2**asked.astrocyte
        rise += 4096 * asked.follow / asked.homeostasis * (rate - asked.homeostasis)
        rise = np.clip(rise, -3072, 15 * 4096)
        assert made.state["rate0"] / 2**24 == pytest.approx(rate, abs=1e-5)
        near = 1 + step + 0.01 * abs(rise).max()
        assert made.state["theta0"] == pytest.approx(rise, abs=near)
    assert len(set(np.sign(rise))) > 1 or abs(rise).min() > 1000


@pytest.mark.parametrize("front, cells", [(LIQUID, 22), (DELAYS, 20)], ids=str)
def test_cells_of_a_front_come_to_spike_as_often_as_they_are_asked(
    front: Liquid | Delays, cells: int
) -> None:
    rng, asked = np.random.default_rng(5), Homeostat(0.1, 4, 0.04)
    made, rates = of_front(replace(front, homeostat=asked), cells), list[float]()
    for step in range(250):
        most = 17 if front is LIQUID else 1 + (step % 20 == 0)
        made.step(rng.integers(0, most, front.elements).astype(np.uint8), 0, 0.01)
        rates.append(made.state["rate0"].mean() / 2**24)
    assert np.mean(rates[150:]) == pytest.approx(0.1, rel=0.25)


def test_a_front_without_homeostasis_is_the_one_that_checkpoints_know() -> None:
    """Its identity is that of before there was any."""
    known = {"eb85f7c3b7487251e119d49917ba3164", "ab54a78eb7a8b45fd5ecea7e176976c8"}
    still = Liquid(4, 4, 1, ((0.0, 1.0),) * 4, ((0.0, 1.0),) * 128, cells=32)
    fronts = (still, 128), (Delays(2, 1, 8), 8)
    assert {
        identity(replace(of_front(*one).spec, seed=1)).hex() for one in fronts
    } == known
    moved = replace(still, homeostat=Homeostat(0.1))
    assert identity(of_front(moved, 128).spec).hex() not in known


@pytest.mark.parametrize("said, why", [
    ({"homeostasis": 0.6}, "homeostasis=0.6 of a front: expected 0, or 0.0001221 to 0.5"),
    ({"homeostasis": 0.1, "astrocyte": 13}, "astrocyte=13 of a front: expected 1 to 12"),
    ({"follow": 0.1}, "follow=0.1 of a front without homeostasis, and so .* or no follow"),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["liquid", "delays"])
def test_what_a_front_cannot_be_asked_for_is_refused(
    kind: str, said: dict[str, Any], why: str
) -> None:
    x, y = np.zeros((4, 16), np.uint8), np.arange(4) % 2
    data = Dataset("small", x, y, x, y, Inputs(), "none")
    with pytest.raises(DataError, match=why):
        with_front(data, kind, said, None, 1)


def test_features_are_standardised_as_they_are_once_thresholds_have_settled() -> None:
    x = RNG.integers(0, 16, (120, 64)).astype(np.uint8)
    data = Dataset("small", x, np.arange(120) % 2, x, x, Inputs(), "none")
    asked = {"cells": 16, "homeostasis": 0.05, "astrocyte": 3}
    still, moved = (
        with_front(data, "liquid", said, None, 1).inputs
        for said in ({"cells": 16}, asked)
    )
    state = liquid.initial(moved)
    for one in x:
        liquid.advance(moved, state, one)
    found = liquid.network_input(moved, x, state)
    assert abs(found.mean(axis=0)).max() < 1e-5
    assert isinstance(moved.front, Liquid) and isinstance(still.front, Liquid)
    assert moved.front.standards[0][0] < still.front.standards[0][0]
