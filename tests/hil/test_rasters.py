"""Data that are spikes in time: what an .npz may say, how it travels, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.raster import UNUSED, Events, Spikes
from codegen.reference.fronts import raster
from hil.data import datasets, rasters, summary, taken
from hil.errors import DataError, HilError
from hil.experiment import Experiment
from hil.lesson.preparing import prepare

SEEN = np.random.default_rng(5).random((20, 6, 40)) < 0.15
Y = np.arange(20) % 3


def saved(path: Path, **arrays: Any) -> str:
    np.savez(path / "mine.npz", **({"y": Y} | arrays))
    return str(path / "mine.npz")


def listed(seen: np.ndarray, capacity: int = 60) -> np.ndarray:
    """Events [n, capacity, 2] of rasters, -1 where there is none."""
    made = np.full((len(seen), capacity, 2), -1)
    for n, one in enumerate(seen):
        found = np.argwhere(one)
        made[n, : len(found)] = found
    return made


FORMS: dict[str, dict[str, Any]] = {
    "bits": {"x": SEEN, "raster": [6, 40]},
    "flat bits": {"x": SEEN.reshape(20, 240).astype(int), "raster": [6, 40]},
    "events": {"x": listed(SEEN), "events": [6, 40]},
    "events of 16 bits": {"x": listed(SEEN).astype(np.uint16), "events": [6, 40]},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("encoding", [None, "spikes", "events"])
def test_a_file_travels_as_its_rule_hears_it(
    tmp_path: Path, form: dict[str, Any], encoding: str | None
) -> None:
    said = {} if encoding is None else {"encoding": encoding}
    asked = Experiment(
        data=saved(tmp_path, **form), rule="ottt", parameters=said, target="host",
        network="40-8-3",
    )  # fmt: skip
    lesson = prepare(asked)
    own = "events" if "events" in form else "spikes"
    front = lesson.spec.inputs.raster
    assert front is not None and front.made_by == (encoding or own)
    assert lesson.experiment.parameters["ticks"] == 6
    parts = (lesson.dataset.train_x, lesson.dataset.test_x)
    told = np.concatenate([raster.network_input(lesson.spec.inputs, x) for x in parts])
    order = [SEEN.tolist().index(one.tolist()) for one in told.astype(bool)]
    assert sorted(order) == list(range(20))
    kept = taken.as_arrays(lesson.dataset)
    again = taken.from_arrays("again", taken.Given("again", kept))
    assert again.inputs == lesson.spec.inputs
    assert again.train_x.tobytes() == parts[0].tobytes()
    assert again.train_x.dtype == parts[0].dtype


def test_events_have_as_much_room_as_the_longest_list_needs() -> None:
    digits = datasets.load("digits")
    made = rasters.by_latency(digits, "events", 4, whole=False)
    front, bits = (
        made.inputs.raster,
        rasters.by_latency(digits, "spikes", 4, whole=False),
    )
    assert isinstance(front, Events) and bits.inputs.raster == Spikes(4, 64)
    most = max(
        np.count_nonzero(x, axis=1).max() for x in (digits.train_x, digits.test_x)
    )
    assert front.capacity == most
    assert (
        rasters.travelling(bits, "events").train_x.tobytes() == made.train_x.tobytes()
    )
    back = rasters.travelling(made, "spikes")
    assert back.train_x.tobytes() == bits.train_x.tobytes()
    assert "one spike an input in 4 ticks" in made.said[-1]


def test_what_is_said_of_spikes_is_how_often_inputs_spike(tmp_path: Path) -> None:
    found = datasets.load(saved(tmp_path, **FORMS["bits"]))
    told = summary.of(found)
    rates = np.concatenate([
        raster.network_input(found.inputs, x).mean(axis=1) for x in (found.train_x,)
    ])  # fmt: skip
    assert told.high == pytest.approx(rates.max()) and told.mean == pytest.approx(
        rates.mean()
    )
    assert found.density == pytest.approx(rates.mean(), abs=0.01)


def changed(place: tuple[int, ...], value: int) -> np.ndarray:
    made = listed(SEEN)
    made[place] = value
    return made


@pytest.mark.parametrize("arrays, words", [
    ({"x": SEEN * 2, "raster": [6, 40]}, "x holds 2 in sample 0: expected 0 and 1"),
    ({"x": SEEN, "raster": [5, 40]}, r"x is bool \[20, 6, 40\]: expected \[samples, 5, 40\]"),
    ({"x": SEEN.astype(float), "raster": [6, 40]}, "x is float64: expected integers"),
    ({"x": SEEN, "raster": [6]}, "raster is int64 .*expected two integers, ticks and inputs"),
    ({"x": SEEN, "raster": [6, 40], "scale": 2.0}, "raster, and scale: expected one of them"),
    ({"x": SEEN, "raster": [6, 40], "events": [6, 40]}, "raster, and events: expected one"),
    ({"x": SEEN, "raster": [0, 40]}, "spikes of 0 ticks a sample: expected 1 to 1,024"),
    ({"x": changed((3, 0, 0), 6), "events": [6, 40]},
     "event 0 of sample 3 has tick 6: expected 0 to 5"),
    ({"x": changed((4, 1, 1), 40), "events": [6, 40]},
     "event 1 of sample 4 has address 40: expected 0 to 39"),
    ({"x": changed((5, 0, 0), 5), "events": [6, 40]},
     "event 1 of sample 5 has tick 0 behind a later one: expected ticks that ascend"),
    ({"x": changed((6, 0, slice(None)), -1), "events": [6, 40]},
     "event 1 of sample 6 has tick 0 behind a place without an event"),
    ({"x": listed(SEEN)[..., 0], "events": [6, 40]}, r"expected \[samples, events, 2\]"),
])  # fmt: skip
def test_what_is_no_spikes_in_time_is_refused(
    tmp_path: Path, arrays: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        datasets.load(saved(tmp_path, **arrays))


@pytest.mark.parametrize("keys, words", [
    ({"front": "echo"}, "and there is a front 'echo': expected neither front nor scaler"),
    ({"scaler": "minmax"}, "and there is a scaler 'minmax': expected neither front nor scaler"),
    ({"parameters": {"ticks": 8}}, "ticks = 8: expected 6"),
    ({"parameters": {"encoding": "bernoulli"}}, "encoding = bernoulli: expected spikes"),
    ({"rule": "dfa"}, "expected samples of numbers"),
    ({"rule": "stdp-wta", "network": "40-9-3", "parameters": {"encoding": "bernoulli"}},
     "encoding = bernoulli: expected spikes"),
    ({"rule": "stdp-detector", "format": "spikes"}, "expected one tick, for a pattern"),
    ({"data": "friedman", "parameters": {"encoding": "events"}, "scaler": "minmax"},
     "expected spikes in time, or numbers that are divided by one scale"),
])  # fmt: skip
def test_what_hears_no_spikes_in_time_is_refused(
    tmp_path: Path, keys: dict[str, Any], words: str
) -> None:
    asked = {"data": saved(tmp_path, **FORMS["bits"]), "rule": "ottt", "target": "host"}
    with pytest.raises(HilError, match=words):
        prepare(Experiment(**{**asked, **keys}))


def test_later_samples_are_taken_in_the_same_form() -> None:
    front = Events(6, 40, 60)
    inputs = rasters._inputs(front)
    told = taken.samples_of(listed(SEEN[:2], 50), inputs)
    assert told.shape == (2, 120) and told[0, -1] == UNUSED
    assert raster.network_input(inputs, told).tolist() == SEEN[:2].tolist()
    with pytest.raises(DataError, match=r"expected \[samples, 60, 2\]"):
        taken.samples_of(listed(SEEN[:2], 61), inputs)
