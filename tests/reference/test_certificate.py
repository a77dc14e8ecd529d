"""Certificates hold against attacks, and are not far from what attacks reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codegen import rules
from codegen.numbers import Numbers
from codegen.raster import Spikes
from codegen.reference import Learner, arithmetic, intervals
from codegen.reference.certificate import admissible, certify
from codegen.reference.fronts.scaler import network_input
from codegen.reference.fronts.window import features
from codegen.reference.intervals import Interval, chain, dot
from codegen.scaler import Scaler
from codegen.spec import (
    ACTIVATIONS,
    OUTPUTS,
    Clip,
    Gate,
    Inputs,
    Network,
    RuleChoice,
    Spec,
)
from codegen.window import Window
from tests.kinds import OF_LAYERS

LAYERS = (12, 20, 18, 5)
ETA = np.float32(0.05)
WIDE = 0.8
FG = {"fg-weight", "fg-activity", "fg-local"}


def spec_of(rule: str, activation: str = "tanh", output: str = "sigmoid") -> Spec:
    parameters = {"k": 2, "perturbation": "gaussian"} if rule in FG else {}
    network = rules.declaration(rule).suited(Network(LAYERS, activation, output))
    return Spec(
        network, RuleChoice(rule, parameters),
        Inputs("u8", 255.0), seed=3, clip=Clip(weights=WIDE, error=0.9),
    )  # fmt: skip


def attack(learner: Learner, rng: np.random.Generator, kind: int) -> np.ndarray:
    """A state and a sample that are random, at their ends, or aligned."""
    for name, (least, most) in learner.held().items():
        shape = learner.state[name].shape
        ends = rng.choice([least, most], shape)
        learner.state[name][...] = ends if kind else rng.uniform(least, most, shape)
    for name, tensor in learner.state.items():
        if name in learner.held():
            continue
        if kind == 0:
            tensor[...] = rng.uniform(-WIDE, WIDE, tensor.shape)
        elif kind == 1:
            tensor[...] = rng.choice([-WIDE, WIDE], tensor.shape)
        else:
            tensor[...] = WIDE * (1 if rng.random() < 0.5 or name == "b1" else -1)
    if kind == 0:
        return rng.integers(0, 256, LAYERS[0], dtype=np.uint8)
    return np.full(LAYERS[0], 255, np.uint8)


def worst(spec: Spec, attacks: int = 60) -> dict[str, tuple[float, float]]:
    """The least and largest of each tensor that attacks find."""
    found: dict[str, tuple[float, float]] = {}
    rng, learner = np.random.default_rng(1), Learner(spec)
    for number in range(attacks):
        sample = attack(learner, rng, number % 3)
        learner.step(sample, int(rng.integers(LAYERS[-1])), ETA)
        for name, tensor in {**learner.trace, **learner.state}.items():
            lo, hi = found.get(name, (np.inf, -np.inf))
            found[name] = min(lo, float(tensor.min())), max(hi, float(tensor.max()))
    return found


def bounds(spec: Spec) -> dict[str, tuple[float, float]]:
    certificate = certify(spec, ETA)
    assert certificate.failure is None
    return {entry.tensor: (entry.lo, entry.hi) for entry in certificate.entries}


def leaves(spec: Spec) -> list[str]:
    """Tensors that an attack takes out of their bounds."""
    proved = bounds(spec)
    return [
        name
        for name, (lo, hi) in worst(spec).items()
        if name in proved and not proved[name][0] <= lo <= hi <= proved[name][1]
    ]


@pytest.mark.parametrize("rule", OF_LAYERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_attack_leaves_the_bounds(rule: str, activation: str) -> None:
    assert not leaves(spec_of(rule, activation))


@pytest.mark.parametrize(
    "parameters",
    [
        {"inference": "z-il"},
        {"precision": "learned", "least_variance": 0.5, "precision_rate": 0.3},
        {"iterations": 6, "gamma": 1.0, "variance": 2.0},
    ],
)
def test_no_attack_leaves_the_bounds_of_values_that_settle(
    parameters: dict[str, object],
) -> None:
    for activation in ACTIVATIONS:
        spec = spec_of("pc", activation)
        assert not leaves(replace(spec, rule=RuleChoice("pc", parameters)))


def test_values_that_settle_long_enough_have_no_bound() -> None:
    """Their bounds grow with every iteration; the certificate names where it stops."""
    choice = RuleChoice("pc", {"iterations": 200})
    failure = certify(replace(spec_of("pc", "relu"), rule=choice), ETA).failure
    assert failure is not None and "may overflow" in failure.why


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_attack_leaves_the_bounds_of_other_outputs(output: str) -> None:
    assert not leaves(spec_of("bp", "relu", output))


def test_every_tensor_of_a_step_has_bounds() -> None:
    for rule in OF_LAYERS:
        spec = spec_of(rule)
        assert set(worst(spec, 1)) <= set(bounds(spec)), rule


def test_forward_bounds_are_reached() -> None:
    """All weights at the limit, all inputs at theirs: nothing to spare."""
    spec = spec_of("bp", "relu")
    learner = Learner(spec)
    for tensor in learner.state.values():
        tensor[...] = np.float32(WIDE)
    learner.forward(np.ones(LAYERS[0], np.float32))
    proved = bounds(spec)
    for name in ("h1", "h2"):
        assert learner.trace[name].max() > 0.999 * proved[name][1]


def test_bounds_that_are_too_tight_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    real = intervals.chain
    monkeypatch.setattr(
        intervals, "chain",
        lambda start, terms: replace(c := real(start, terms), hi=c.hi / 2),
    )  # fmt: skip
    assert leaves(spec_of("bp", "relu"))


@pytest.mark.parametrize("kind", ["row", "element", "block", "error"])
def test_gated_steps_have_the_same_bounds(kind: str) -> None:
    gate = Gate(error=0.4) if kind == "error" else Gate(kind, active=0.3)
    spec = replace(spec_of("dfa"), gate=gate)
    assert bounds(spec) == bounds(spec_of("dfa"))
    assert not leaves(spec)


def test_without_a_limit_weights_have_no_bound() -> None:
    spec = replace(spec_of("bp"), clip=Clip())
    failure = certify(spec, ETA).failure
    assert failure is not None and failure.where == "W3"
    assert "a step may add up to 0.05" in failure.why


def test_floats_want_a_promise() -> None:
    spec = replace(spec_of("bp"), inputs=Inputs("f32", 1.0))
    failure = certify(spec, ETA).failure
    assert failure is not None and failure.where == "a1"
    assert certify(spec, ETA, (-3.0, 3.0)).failure is None


ends = st.floats(-1e6, 1e6, width=32)


@st.composite
def an_interval(draw: st.DrawFn) -> Interval:
    a, b = draw(ends), draw(ends)
    return Interval(min(a, b), max(a, b))


def inside(interval: Interval, rng: np.random.Generator, n: int) -> np.ndarray:
    picked = rng.uniform(interval.lo, interval.hi, n).astype(np.float32)
    picked[rng.random(n) < 0.3] = interval.lo
    picked[rng.random(n) < 0.3] = interval.hi
    return np.clip(picked, np.float32(interval.lo), np.float32(interval.hi))


@given(
    an_interval(), an_interval(), an_interval(), st.integers(1, 40), st.integers(0, 99)
)
def test_sums_stay_within_their_intervals(
    a: Interval, b: Interval, start: Interval, n: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = inside(a, rng, n), inside(b, rng, n)
    first = inside(start, rng, 1)
    summed = arithmetic.fma_chain(x[:, None], y[:, None], first)[0]
    proved = chain(start, [(a, b)] * n)
    assert proved.lo <= summed <= proved.hi
    product, proved = arithmetic.dot16(x, y), dot(a, b, n)
    assert proved.lo <= product <= proved.hi


@pytest.mark.parametrize("sign", [1, -1])
def test_a_sum_that_is_rounded_away_from_zero_stays_within(sign: int) -> None:
    """1 + 0.75 of a unit in the last place is rounded to the next number, outside of
    what the exact sum would allow."""
    small = np.float32(sign * 0.75 * 2.0**-23)
    first, one = np.full(1, sign, np.float32), np.ones((1, 1), np.float32)
    (summed,) = arithmetic.fma_chain(np.full((1, 1), small), one, first)
    assert abs(summed) > 1 + abs(float(small))
    exact = float(small), float(sign)
    term, start = (Interval(end, end) for end in exact)
    proved = chain(start, [(term, Interval(1.0, 1.0))])
    assert proved.lo <= summed <= proved.hi


@settings(max_examples=60)
@given(v=arrays(np.float32, 3, elements=st.floats(-(2.0**90), 2.0**90, width=32)))
def test_a_scaled_sample_is_within_its_bounds(v: np.ndarray) -> None:
    scaler = Scaler((0.1, -3e4, 0.0), (0.1, 7e5, 3.0))
    spec = Spec(Network((3, 2)), inputs=Inputs("f32", 1.0, scaler=scaler))
    x, promised = network_input(spec.inputs, v), (float(v.min()), float(v.max()))
    for bound in (admissible(spec, None), admissible(spec, promised)):
        assert bound.lo <= x.min() and x.max() <= bound.hi
        assert bound.shape == x.shape


@settings(max_examples=60)
@given(v=arrays(np.int16, (9, 2), elements=st.integers(-32768, 32767)))
def test_features_of_any_window_are_within_their_bounds(v: np.ndarray) -> None:
    window = Window(9, 2, (500.0, -3.0, 0.0) * 2, (700.0, 0.25, 9.0) * 2)
    spec = Spec(Network((6, 3)), inputs=Inputs("i16", 1.0, window))
    x, promised = features(v.ravel(), window), (float(v.min()), float(v.max()))
    for bound in (admissible(spec, None), admissible(spec, promised)):
        assert bound.lo <= x.min() and x.max() <= bound.hi
        assert bound.shape == x.shape


@pytest.mark.parametrize("rule", ["dfa", "bp", "fa", "local", "drtp", "readout"])
@pytest.mark.parametrize("number_format", ["i16", "i8"])
def test_integers_are_certified_and_no_attack_leaves_the_bounds(
    rule: str, number_format: str
) -> None:
    spec = Spec(
        Network((600, 21, 17, 5)), RuleChoice(rule), Inputs("i16", 1000.0),
        format=number_format,
    )  # fmt: skip
    found = certify(spec, np.float32(1))
    assert found.failure is None
    bounds = {entry.tensor: entry for entry in found.entries}
    made, attacks = Learner(spec), np.random.default_rng(3)
    for number in range(40):
        state = {
            name: attacks.choice([-t.most, t.most], t.shape).astype(t.dtype)
            for name, t in made.state.items()
        }
        made.load(state)
        x = attacks.choice([-32768, 32767], 600)
        if number % 2:  # every product of the first column has one sign
            x = np.where(state["W1"][:, 0] > 0, 32767, -32768)
        made.step(x.astype(np.int16), int(attacks.integers(5)), 1.0)
        for name, tensor in {**made.trace, **made.state}.items():
            told = np.asarray(tensor) * 2.0 ** -getattr(tensor, "fraction", 0)
            entry = bounds["a3" if name == "p" else name.replace("p", "r")]
            assert entry.lo <= told.min() <= told.max() <= entry.hi, name


def test_a_sum_that_could_overflow_is_not_certified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wide = Spec(Network((784, 20, 10)), RuleChoice("dfa"), format="i16")
    assert certify(wide, np.float32(0.02)).failure is None
    monkeypatch.setattr(Numbers, "most", lambda *_: 32767)
    failure = certify(wide, np.float32(0.02)).failure
    assert failure is not None and "a sum of 784 products" in str(failure)


@pytest.mark.parametrize(
    "rule, layers, parameters",
    [
        ("stdp-wta", (9, 5, 3), {"ticks": 256}),
        ("stdp-wta", (9, 5, 3), {"ticks": 30, "rest": 1, "threshold": 1}),
        ("stdp-wta", (9, 5, 3), {"labels": "votes", "homeostasis": 0.01}),
        ("stdp-wta", (9, 5, 3), {"ticks": 30, "encoding": "spikes", "plays": 16}),
        ("stdp-detector", (9, 5), {"homeostasis": 0.01}),
    ],
)
def test_whole_numbers_are_certified_and_no_attack_leaves_the_bounds(
    rule: str, layers: tuple[int, ...], parameters: dict[str, Any]
) -> None:
    """From the ends of what learning keeps; the highest potential is nearly reached."""
    seen = {"trace": "membranes"} if rule == "stdp-wta" else {}
    network = Network(layers, "identity", "identity")
    inputs, sample = Inputs(), np.full(9, 255, np.uint8)
    if "encoding" in parameters:
        inputs = Inputs("bits", 1.0, front=Spikes(parameters["ticks"], 9))
        sample = np.full(parameters["ticks"], 511, np.uint32)
    spec = Spec(network, RuleChoice(rule, parameters | seen), inputs, format="spikes")
    certificate = certify(spec, np.float32(1))
    assert certificate.failure is None
    bounds = {entry.tensor: (entry.lo, entry.hi) for entry in certificate.entries}
    made, attacks, highest = Learner(spec), np.random.default_rng(3), 0
    held = {"W1": (0, 255)} | made.held()
    for number in range(24):
        for name, (least, most) in held.items():
            ends = [int(least), int(most)][number % 3 == 0 :]
            made.state[name][...] = attacks.choice(ends, made.state[name].shape)
        made.step(sample, int(attacks.integers(layers[-1])), 1.0)
        for name, tensor in {**made.trace, **made.state}.items():
            if (name := name.removeprefix("trace_")) in bounds:
                lo, hi = bounds[name]
                assert lo <= tensor.min() <= tensor.max() <= hi, name
        if "ticks" in parameters and rule == "stdp-wta":
            highest = max(highest, int(made.trace["trace_u1"].max()))
    assert parameters.get("ticks") != 256 or highest > 0.95 * bounds["u1"][1]


def test_potentials_of_many_inputs_are_not_certified() -> None:
    def failure(n_in: int) -> object:
        network = Network((n_in, 4, 3), "identity", "identity")
        return certify(
            Spec(network, RuleChoice("stdp-wta"), format="spikes"), ETA
        ).failure

    assert failure(2047) is None
    assert "u1: its magnitude may reach 2,147,483,711" in str(failure(2048))
