"""Samples that are spikes in time: bits and events of one raster are one lesson, and a list
that is none is played as far as it is one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.errors import SpecError
from codegen.raster import UNUSED, Events, Raster, Spikes
from codegen.reference.certificate import certify
from codegen.reference.fronts import raster
from codegen.reference.health import health
from codegen.reference.learner import Learner
from codegen.rules import declaration
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil.data import rasters
from hil.data.datasets import load

TICKS, WIDTH = 4, 37
FORMATS = ("f32", "i16", "i8")


def inputs_of(front: Raster) -> Inputs:
    return Inputs(front.format.name, 1.0, front=front)


def spec_of(front: Raster, numbers: str = "f32", **parameters: object) -> Spec:
    network = declaration("ottt").suited(Network((front.inputs, 12, 4)))
    said = {"encoding": front.made_by, "ticks": front.ticks, **parameters}
    return Spec(network, RuleChoice("ottt", said), inputs_of(front), 3, format=numbers)


def as_events(seen: np.ndarray, capacity: int) -> np.ndarray:
    """One list of a raster [ticks, inputs], an event after the other."""
    found = [(t, a) for t, row in enumerate(seen) for a in np.flatnonzero(row)]
    return np.uint16(found + [(UNUSED, UNUSED)] * (capacity - len(found))).reshape(-1)


def as_words(seen: np.ndarray) -> np.ndarray:
    """Its words, bit by bit."""
    words = [[0] * -(-seen.shape[1] // 32) for _ in seen]
    for t, a in np.argwhere(seen).tolist():
        words[t][a // 32] |= 1 << a % 32
    return np.uint32(words).reshape(-1)


@pytest.mark.parametrize("numbers", FORMATS)
@settings(max_examples=6)
@given(data=st.data())
def test_bits_and_events_of_a_raster_teach_the_same(
    numbers: str, data: st.DataObject
) -> None:
    share, seed = data.draw(st.floats(0, 0.6)), data.draw(st.integers(0, 99))
    seen = np.random.default_rng(seed).random((3, TICKS, WIDTH)) < share
    most = max(1, int(seen.sum(axis=(1, 2)).max()))
    bits = Learner(spec_of(Spikes(TICKS, WIDTH), numbers))
    events = Learner(spec_of(Events(TICKS, WIDTH, most), numbers))
    for label, one in enumerate(seen):
        told = bits.step(as_words(one), label, 0.1)
        also = events.step(as_events(one, most), label, 0.1)
        assert told.p.tobytes() == also.p.tobytes() and told.loss == also.loss
    assert bits.digest() == events.digest()


@pytest.mark.parametrize("numbers", FORMATS)
@pytest.mark.parametrize("encoding", ["spikes", "events"])
def test_numbers_as_spikes_in_time_teach_as_their_latency_does(
    numbers: str, encoding: str
) -> None:
    digits = load("digits")
    made = rasters.by_latency(digits, encoding, TICKS, numbers != "f32")
    assert made.inputs.raster is not None
    ours = Learner(spec_of(made.inputs.raster, numbers))
    said = {"encoding": "latency", "ticks": TICKS}
    timed = Learner(
        Spec(ours.spec.network, RuleChoice("ottt", said), digits.inputs, 3, format=numbers)
    )  # fmt: skip
    for n in range(3):
        ours.step(made.train_x[n], n, 0.1)
        timed.step(digits.train_x[n], n, 0.1)
        assert ours.trace["p"].tobytes() == timed.trace["p"].tobytes()
    assert ours.digest() == timed.digest()


def test_a_list_is_played_as_far_as_it_is_one() -> None:
    """Its ticks ascend and are there; an address that is none is nobody's."""
    front, dice = Events(TICKS, WIDTH, 12), np.random.default_rng(8)
    lists = dice.integers(0, (TICKS + 1, WIDTH + 3), (200, 12, 2))
    lists[:150, :, 0].sort(axis=1)
    for pairs in lists.astype(np.uint16):
        want, at = np.zeros((TICKS, WIDTH)), 0
        for tick in range(TICKS):
            while at < 12 and pairs[at, 0] == tick:
                if pairs[at, 1] < WIDTH:
                    want[tick, pairs[at, 1]] = 1
                at += 1
        found = raster.network_input(inputs_of(front), pairs.reshape(-1))
        assert found.tolist() == want.tolist()


@pytest.mark.parametrize("front", [Spikes(TICKS, WIDTH), Events(TICKS, WIDTH, 120)])
def test_a_step_stays_within_its_certificate_and_has_a_gradient(front: Raster) -> None:
    for numbers in ("f32", "i16"):
        found = certify(spec_of(front, numbers, ticks=TICKS), np.float32(0.1))
        assert {"s0", "x"} <= {entry.tensor for entry in found.entries}
    made = Learner(spec_of(front))
    seen = np.random.default_rng(3).random((TICKS, WIDTH)) < 0.6
    sample = as_events(seen, 120) if isinstance(front, Events) else as_words(seen)
    before = made.snapshot()
    made.step(sample, 1, 0.1)
    told = health(made, before, sample, 1)
    heard = raster.network_input(made.spec.inputs, sample)
    assert told.promises["synaptic"][0] == 12 * heard.sum()
    assert all(angle is not None for angle in told.angle)


@pytest.mark.parametrize("front, rule, parameters, words", [
    (Spikes(4, 9), "dfa", {}, "is given spikes of 9 inputs in 4 ticks: expected samples of"),
    (Spikes(4, 9), "ottt", {"ticks": 4}, "encoding = current: expected spikes"),
    (Events(4, 9, 3), "ottt", {"encoding": "events"}, "ticks = 8: expected 4"),
    (None, "ottt", {"encoding": "events"}, "encoding = events: expected spikes in time"),
])  # fmt: skip
def test_what_hears_no_such_samples_is_refused(
    front: Raster | None, rule: str, parameters: dict[str, object], words: str
) -> None:
    inputs = Inputs() if front is None else inputs_of(front)
    network = declaration(rule).suited(Network((9, 5, 3)))
    with pytest.raises(SpecError, match=words):
        Learner(Spec(network, RuleChoice(rule, parameters), inputs))


@pytest.mark.parametrize("make, words", [
    (lambda: Spikes(0, 9), "0 ticks a sample: expected 1 to 1,024"),
    (lambda: Events(4, 9, 20000), "20,000 events a sample: expected 1 to 16,384"),
    (lambda: Inputs("u16", 1.0), "come as u16: expected a front that plays them"),
    (lambda: Inputs("u16", 1.0, front=Spikes(4, 9)), "come as u16: expected bits"),
])  # fmt: skip
def test_what_is_no_sample_is_refused(make: object, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        make()  # type: ignore[operator]


def test_no_outputs_are_spikes_in_time() -> None:
    said = {"encoding": "spikes", "ticks": 4}
    network = Network((9, 9), "identity")
    spec = Spec(
        network, RuleChoice("ottt", said), inputs_of(Spikes(4, 9)), goal="sample"
    )
    with pytest.raises(SpecError, match="goal = sample: expected outputs that are no"):
        Learner(spec)


@pytest.mark.parametrize("slow", [0.0, 0.1])
def test_a_detector_hears_bits_and_events_as_bytes_that_are_not_zero(
    slow: float,
) -> None:
    seen = np.random.default_rng(2).random((30, 1, WIDTH)) < 0.3
    network = declaration("stdp-detector").suited(Network((WIDTH, 4)))
    choice = RuleChoice("stdp-detector", {"homeostasis": slow} if slow else {})
    forms: dict[Inputs, Callable[[np.ndarray], np.ndarray]] = {
        Inputs("u8", 1.0): lambda one: one.reshape(-1).astype(np.uint8),
        inputs_of(Spikes(1, WIDTH)): as_words,
        inputs_of(Events(1, WIDTH, WIDTH)): lambda one: as_events(one, WIDTH),
    }
    digests = set()
    for inputs, made_of in forms.items():
        made = Learner(Spec(network, choice, inputs, format="spikes"))
        for n, one in enumerate(seen):
            made.step(made_of(one), n % 4, 1.0)
        digests.add((made.digest(), made.infer(made_of(seen[0])).tobytes()))
    assert len(digests) == 1
