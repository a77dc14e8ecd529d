"""Symmetric STDP with winner take all is what its order of a step says: the same once more
in plain integers, element by element."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from codegen.delays import Delays
from codegen.errors import SpecError
from codegen.raster import Spikes
from codegen.reference import Learner
from codegen.reference.health import health
from codegen.rules import get, require
from codegen.spec import Clip, Gate, Inputs, Network, RuleChoice, Spec
from hil.data import rasters
from tests.reference.test_generator import u32

LAYERS = (20, 12, 4)
SAMPLES = np.random.default_rng(6).integers(0, 17, (40, LAYERS[0]), dtype=np.uint8)
SAMPLES[SAMPLES < 6] = 0
SAMPLES[3] //= 5  # so faint that it is presented three times
LABELS = [int(x.argmax()) % LAYERS[-1] for x in SAMPLES]


def spec_of(**given: Any) -> Spec:
    parameters = {"ticks": 40, "threshold": 3000} | given
    network = Network(LAYERS, "identity", "identity")
    return Spec(network, RuleChoice("stdp-wta", parameters), format="spikes")


class Study:
    """RULES 2.13 in the order of 2.32, in lists of Python's integers."""

    def __init__(self, made: Learner) -> None:
        self.w = made.state["W1"].tolist()
        self.r = made.state["W2"].tolist()
        self.theta, self.counter, self.samples = [0] * LAYERS[1], 0, 0
        self.played = 0
        self.ticks = int(made.parameters["ticks"])
        self.threshold = int(made.parameters["threshold"])
        self.rest = int(made.parameters["rest"])

    def word(self) -> int:
        self.counter += 1
        return u32(1, 97, self.counter - 1) & 255

    def begin(self) -> None:
        """Cells at rest, and nobody heard."""
        n_in, cells, classes = LAYERS
        self.v, self.tr, self.te = [0] * cells, [0] * n_in, [0] * cells
        self.tc, self.currents = [0] * classes, [0] * classes
        self.resting = self.spikes = 0

    def step(self, x: list[int], y: int) -> list[int]:
        """The currents of the last presentation."""
        self.fired, p = set[int](), 8
        while True:
            self.begin()
            for _ in range(self.ticks):
                self.tick([i for i in range(LAYERS[0]) if self.word() < x[i] * p], y)
            if self.spikes >= 5 or p >= 16:
                break
            p += 4
        self.settle(self.fired, y)
        return self.currents

    def step_of(self, raster: list[list[int]], y: int, plays: int) -> list[int]:
        """The currents after spikes [ticks][inputs] were played so often at most."""
        self.fired = set()
        self.begin()
        for play in range(plays):
            if play == 0 or self.spikes < 5:
                for row in raster:
                    self.tick([i for i, spike in enumerate(row) if spike], y)
                self.played += 1
        self.settle(self.fired, y)
        return self.currents

    def tick(self, came: list[int], y: int) -> None:
        n_in, cells, classes = LAYERS
        self.v = [a - (a >> 6) for a in self.v]
        self.tr, self.te = ([a - (a >> 4) for a in t] for t in (self.tr, self.te))
        for i in came:
            self.v = [a + b for a, b in zip(self.v, self.w[i], strict=True)]
            self.tr[i] = min(self.tr[i] + 128, 255)
        taught = self.word() < 51
        self.tc = [a - (a >> 4) for a in self.tc]
        above = [
            a - self.threshold - b for a, b in zip(self.v, self.theta, strict=True)
        ]
        j = above.index(max(above))
        if self.resting > 0:
            self.resting -= 1
        elif above[j] >= 0:
            self.spikes, self.v, self.resting = self.spikes + 1, [0] * cells, self.rest
            self.theta[j] += 100
            for i in range(n_in):
                self.w[i][j] = min(self.w[i][j] + ((8 * self.tr[i]) >> 8), 4095)
            self.te[j] = 255
            self.fired.add(j)
            for c in range(classes):
                self.currents[c] += self.r[j][c]
                self.r[j][c] += (64 * self.tc[c]) >> 8
        if taught:
            self.tc[y] = 255
            for j in range(cells):
                self.r[j][y] += (64 * self.te[j]) >> 8

    def settle(self, fired: set[int], y: int) -> None:
        for j in fired:
            total = sum(row[j] for row in self.w)
            for row in self.w:
                row[j] = row[j] * 16384 // total
        total = sum(row[y] for row in self.r)
        if total > 65536:
            for row in self.r:
                row[y] = row[y] * 65536 // total
        self.samples += 1
        if self.samples % 16 == 0:
            self.theta = [a - (a >> 10) for a in self.theta]


@pytest.mark.parametrize("settings", [{}, {"rest": 5, "threshold": 1500}], ids=str)
def test_a_step_is_that_of_plain_integers(settings: dict[str, Any]) -> None:
    """Also where a sample is shown again, sums are scaled and thresholds fade."""
    made = Learner(spec_of(**settings))
    made.state["W2"][...] = 5400  # of twelve cells: nearly what is too loud
    study, again, loud = Study(made), 0, 0
    for x, y in zip(SAMPLES, LABELS, strict=True):
        before = study.counter
        currents = study.step(x.tolist(), y)
        loud += 65500 < sum(row[y] for row in study.r) <= 65536
        again += study.counter - before > study.ticks * (LAYERS[0] + 1)
        assert made.step(x, y, 1.0).p.tolist() == currents
        assert made.loss == (currents.index(max(currents)) != y)
        assert made.state["W1"].tolist() == study.w
        assert made.state["W2"].tolist() == study.r
        assert made.state["theta"].tolist() == study.theta
        assert made.state["counter"].tolist() == [study.counter]
    assert again and max(study.theta) > 1024
    assert loud


def test_spikes_that_are_given_go_on_until_cells_have_spiked() -> None:
    """A sample that is played again goes on from where its cells are; of these some are
    played once, and some as often as they may."""
    ticks, plays, dice = 16, 4, np.random.default_rng(9)
    front = Spikes(ticks, LAYERS[0])
    inputs = Inputs("bits", 1.0, front=front)
    given = {"encoding": "spikes", "ticks": ticks, "plays": plays, "threshold": 800}
    made = Learner(replace(spec_of(**given), inputs=inputs))
    made.state["W2"][...] = 300
    study, played = Study(made), set()
    for number in range(40):
        seen = dice.random((1, ticks, LAYERS[0])) < dice.choice([0.01, 0.1, 0.8])
        x, before = rasters.of(seen, front, "x")[0], study.played
        currents = study.step_of(seen[0].tolist(), number % 4, plays)
        played.add(study.played - before)
        assert made.step(x, number % 4, 1.0).p.tolist() == currents
        assert made.state["W1"].tolist() == study.w
        assert made.state["W2"].tolist() == study.r
        assert made.state["theta"].tolist() == study.theta
        assert made.state["counter"].tolist() == [study.counter]
    assert played >= {1, 2, plays}


def test_an_answer_changes_nothing_and_hears_no_teacher() -> None:
    made = Learner(spec_of())
    for x, y in zip(SAMPLES, LABELS, strict=True):
        made.step(x, y, 1.0)
    before = made.digest()
    first = made.infer(SAMPLES[0])
    assert made.infer(SAMPLES[0]).tolist() == first.tolist()
    assert made.digest() == before


def test_votes_are_labels_that_cells_did_not_learn_from() -> None:
    """With other labels the same cells spike and their synapses are the same."""
    made, other = (Learner(spec_of(labels="votes")) for _ in range(2))
    for x, y in zip(SAMPLES, LABELS, strict=True):
        made.step(x, y, 1.0)
        other.step(x, (y + 1) % 4, 1.0)
    assert np.array_equal(made.state["W1"], other.state["W1"])
    assert np.array_equal(made.state["W2"], np.roll(other.state["W2"], -1, axis=1))
    again = Learner(spec_of(labels="votes", trace="on"))
    again.load(made.snapshot())
    votes, p = made.state["W2"], again.infer(SAMPLES[0])
    spiked = again.trace["raster"][again.trace["raster"] < LAYERS[1]]
    counted = np.bincount(votes[spiked].argmax(axis=1), minlength=4)
    assert p.sum() > 5 and p.tolist() == counted.tolist()


def test_the_first_of_equals_wins() -> None:
    """All cells have the same synapses: the first spikes, until its threshold has risen."""
    made = Learner(spec_of(trace="on"))
    made.state["W1"][...] = 256
    made.infer(SAMPLES[0])
    raster = made.trace["raster"]
    assert set(raster[raster < LAYERS[1]].tolist()) == {0}


def test_cells_that_are_still_leave_all_learning_to_outputs() -> None:
    made = Learner(spec_of(cells="still"))
    before = made.snapshot()
    for x, y in zip(SAMPLES, LABELS, strict=True):
        made.step(x, y, 1.0)
    same = {name for name, t in made.state.items() if np.array_equal(t, before[name])}
    assert same == {"W1"}


def test_health_tells_spikes_and_synaptic_operations() -> None:
    made = Learner(spec_of(trace="on"))
    before = made.snapshot()
    made.step(SAMPLES[0], LABELS[0], 1.0)
    found = health(made, before, SAMPLES[0], LABELS[0]).table()
    again = Learner(made.spec)
    again.infer(SAMPLES[0])
    spikes = int((again.trace["raster"] < LAYERS[1]).sum())
    assert found["rate"] == [spikes / (40 * LAYERS[1])] and found["presented"] == [1.0]
    assert found["synaptic"][1] == spikes * 4 and found["synaptic"][0] % 12 == 0
    assert found["angle"] == [None, None]


def test_a_detector_takes_in_turn_what_its_synapses_have_grown_by() -> None:
    """As a list of integers does; weights that are zero and full are met, and the sum
    stays."""
    network, choice = (
        Network((20, 3), "identity", "identity"),
        RuleChoice("stdp-detector"),
    )
    made = Learner(Spec(network, choice, format="spikes"))
    w, places, met = [[16] * 20 for _ in range(3)], [0] * 3, set[int]()
    for number in range(300):
        x, y = SAMPLES[number % 2], number % 3
        heard = [sum(a for a, v in zip(one, x, strict=True) if v) for one in w]
        assert made.step(x, y, 1.0).p.tolist() == heard
        assert made.loss == (heard.index(max(heard)) != y)
        for i in np.flatnonzero(x):
            w[y][i] = min(w[y][i] + 4, 255)
        while sum(w[y]) > 16 * 20:
            if w[y][places[y]] > 0:
                w[y][places[y]] -= 1
            places[y] = (places[y] + 1) % 20
        met |= set(w[y])
        assert made.state["W1"].T.tolist() == w
        assert made.state["place"].tolist() == places
    assert 0 in met


@pytest.mark.parametrize("spec, words", [
    (Spec(Network((20, 4), "identity", "identity"), RuleChoice("stdp-wta"), format="spikes"),
     "network 20-4 has 0 hidden layers: expected 1 with rule 'stdp-wta'"),
    (Spec(Network(LAYERS), RuleChoice("stdp-wta")),
     "rule 'stdp-wta' makes no sense in f32: .* expected format spikes"),
    (Spec(Network(LAYERS), RuleChoice("dfa"), format="spikes"),
     "format 'spikes' is that of rules which know no other: expected rule stdp-detector, stdp-wta"),
    (Spec(Network(LAYERS, "identity", "identity"), RuleChoice("stdp-wta"),
          Inputs("i16", 16.0), format="spikes"),
     "samples that come as i16 in spikes: .* expected u8 samples"),
    (Spec(Network((8, 4), "identity", "identity"), RuleChoice("stdp-detector"),
          Inputs("u8", 1.0, front=Delays(2, 1, 8)), format="spikes"),
     "u8 samples by delays of 8 cells in spikes: .* expected u8 samples"),
    (Spec(Network(LAYERS, "identity", "identity"), RuleChoice("stdp-wta"),
          gate=Gate(error=0.1), format="spikes"), "an error gate makes no sense"),
    (Spec(Network(LAYERS, "identity", "identity"), RuleChoice("stdp-wta"),
          clip=Clip(1.0), format="spikes"), "expected neither clip_weights nor clip_error"),
    (Spec(Network(LAYERS, "identity", "identity"), RuleChoice("stdp-wta", {"rest": 0}),
          format="spikes"), "rest = 0: expected a whole number from 1 to 255"),
    (Spec(Network(LAYERS, "identity", "identity"), RuleChoice("stdp-wta", {"plays": 3}),
          format="spikes"), "samples of numbers, and plays = 3: expected spikes in time, or no plays"),
    (Spec(Network(LAYERS, "identity", "identity"), RuleChoice("stdp-wta", {"ticks": 6}),
          Inputs("bits", 1.0, front=Spikes(6, 20)), format="spikes"),
     "encoding = bernoulli: expected spikes"),
])  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(spec: Spec, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        require(get(spec.rule), spec)
