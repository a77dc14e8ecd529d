"""The demo of cells that spike, and the picture of who does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.reference import Learner
from codegen.reference.health import health
from hil import Experiment
from hil import demo as demos
from hil.demo import Outcome
from hil.errors import UsageError
from hil.experiment import from_toml
from hil.learning.progress import Progress
from hil.lesson.preparing import prepare
from hil.records.record import CYCLES, FIRST_LAYER
from hil.reports import cycles, membranes, raster, runs

pytestmark = pytest.mark.usefixtures("host_cc")
ASKED = {"target": "host", "steps": 40, "test": 20,
         "parameters": {"ticks": 40, "trace": "membranes"}}  # fmt: skip
CELLS = 48


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Outcome:
    """The first steps of the demo that ships."""
    out = tmp_path_factory.mktemp("spikes")
    return demos.run(demos.find("spikes"), ASKED, out, Progress())


def kept(outcome: Outcome, arm: str, name: str = CYCLES) -> dict[str, np.ndarray]:
    with np.load(outcome.arms[arm].folder / name) as found:
        return dict(found)


def altered(outcome: Outcome, folder: Path, cycles: dict[str, np.ndarray],
            layer: dict[str, np.ndarray]) -> runs.Run:  # fmt: skip
    """The learning arm's run with other files."""
    np.savez(folder / CYCLES, **cycles)
    np.savez(folder / FIRST_LAYER, **layer)
    (told,) = runs.load([outcome.arms["learning"].folder]).runs
    return runs.Run(folder, told.document)


def watching(run: runs.Run, *cells: int) -> runs.Run:
    """The run, as if it had been told to watch these."""
    asked = {**run.document["experiment"], "watch_cells": list(cells)}
    return runs.Run(run.folder, {**run.document, "experiment": asked})


def test_the_first_digit_is_presented_from_both_ends_of_learning(
    outcome: Outcome,
) -> None:
    """Who spikes then is the reference's; the control's cells stay as they were."""
    assert all(run.compared == 40 for run in outcome.arms.values())
    found = kept(outcome, "learning")
    lesson = demos.check(outcome.demo, ASKED).lessons["learning"]
    learner = Learner(lesson.spec)
    learner.step(*lesson.sample(0), lesson.eta(0))
    for name in ("raster", "trace_u1", "trace_a1"):
        assert np.array_equal(found[f"before_{name}"], learner.trace[name])
    spikes = int((found["before_raster"] < CELLS).sum())
    assert outcome.metrics["spiking_before"] == spikes / 40 > 0
    moved = {
        arm: np.any(layer["before"] != layer["after"])
        for arm in outcome.arms
        for layer in [kept(outcome, arm, FIRST_LAYER)]
    }
    assert moved == {"learning": True, "still": False}


def test_cells_that_spike_most_are_drawn_with_their_weights(outcome: Outcome) -> None:
    found = kept(outcome, "learning")
    fired = [found[f"{when}_raster"][:, 0] for when in ("before", "after")]
    before, after = (np.bincount(f, minlength=CELLS + 1)[:CELLS] for f in fired)
    first = int(np.lexsort((-before, -after))[0])
    collected = runs.load([outcome.folder])
    (picture,) = raster.of_run(collected.runs[0])
    assert (picture.name, picture.kinds) == ("raster-1", ("emulated",))
    tiles, bars, *_ = picture.figure.axes
    assert tiles.get_yticklabels()[0].get_text() == f"cell {first}"
    assert bars.texts[0].get_text() == str(before[first])
    assert sum(int(text.get_text()) for text in bars.texts) == before.sum()
    shown = np.asarray(tiles.images[0].get_array())[:8]
    own = kept(outcome, "learning", FIRST_LAYER)["before"][:, first]
    assert np.array_equal(shown, own.reshape(8, 8))
    assert f"before learning {before.sum()} spikes" in picture.note
    assert f"after it {after.sum()} spikes" in picture.note
    assert outcome.report is not None
    page = outcome.report.read_text("utf-8")
    assert 'id="raster-1"' in page and 'id="raster-2"' in page


def test_cells_that_see_no_image_are_drawn_without(
    outcome: Outcome, tmp_path: Path
) -> None:
    layer = {k: w[:63] for k, w in kept(outcome, "learning", FIRST_LAYER).items()}
    run = altered(outcome, tmp_path, kept(outcome, "learning"), layer)
    (picture,) = raster.of_run(run)
    assert "Beside it" not in picture.note
    assert len(picture.figure.axes) == 2


def test_silence_is_drawn_and_half_a_file_is_not(
    outcome: Outcome, tmp_path: Path
) -> None:
    found, layer = (kept(outcome, "learning", name) for name in (CYCLES, FIRST_LAYER))
    silent = np.full((40, 1), CELLS, np.uint16)
    told = {**found, "before_raster": silent, "after_raster": silent}
    (picture,) = raster.of_run(altered(outcome, tmp_path, told, layer))
    assert "after it 0 spikes" in picture.note and picture.svg()
    del found["after_raster"]
    assert not list(raster.of_run(altered(outcome, tmp_path, found, layer)))


def test_cells_that_may_spike_together_are_drawn_too(
    outcome: Outcome, tmp_path: Path
) -> None:
    """A trace of ottt has a one for each cell that spikes, and is none of settling."""
    layer = kept(outcome, "learning", FIRST_LAYER)
    fired = np.zeros((40, CELLS), np.float32)
    fired[::4, 1:12] = 1  # eleven cells, of which eight have rows
    told = {f"{when}_trace1": fired for when in ("before", "after")}
    told |= {f"{when}_moved": np.ones((CELLS, 10), np.float32) for when in cycles.TIMES}
    told |= {f"{when}_trace2": np.zeros((40, 10), np.float32) for when in cycles.TIMES}
    run = altered(
        outcome, tmp_path, {**told, "target": np.eye(1, 10, dtype=np.float32)}, layer
    )
    ottt = {"rule": "ottt", "parameters": {"ticks": 40, "trace": "on"}}
    run = runs.Run(run.folder, {**run.document, **ottt})
    (picture,) = raster.of_run(run)
    rows = [text.get_text() for text in picture.figure.axes[1].texts]
    assert rows == [*["10"] * 8, "30"]
    assert "after it 110 spikes" in picture.note and "random" not in picture.note
    assert not list(cycles.of_run(run))


def test_potentials_and_traces_of_watched_cells_are_drawn(outcome: Outcome) -> None:
    """Each cell has a row, with the numbers that the device has kept, and a dot a spike."""
    found = kept(outcome, "learning")
    (told,) = runs.load([outcome.arms["learning"].folder]).runs
    fired = found["after_raster"][:, 0]
    cell = int(fired[fired < CELLS][0])
    run = watching(told, 5, cell) if cell != 5 else watching(told, 6, 5)
    (picture,) = membranes.of_run(run)
    assert (picture.name, picture.kinds) == ("membranes-1", ("emulated",))
    potential, trace = picture.figure.axes[2:]
    assert potential.get_ylabel() == f"cell {cell}"
    before, after, _, dots = potential.get_lines()
    assert np.array_equal(before.get_ydata(), found["before_trace_u1"][:, cell])
    assert np.array_equal(after.get_ydata(), found["after_trace_u1"][:, cell])
    assert np.array_equal(dots.get_xdata(), np.nonzero(fired == cell)[0] + 1)
    assert np.array_equal(
        trace.get_lines()[1].get_ydata(), found["after_trace_a1"][:, cell]
    )
    assert "Of 48 cells 2 that are watched" in picture.note and picture.svg()
    (who,) = raster.of_run(run)
    assert "the 2 that are watched" in who.note


def test_the_trace_of_a_silent_cell_lies_at_the_bottom_of_its_scale(
    outcome: Outcome,
) -> None:
    """For a trace is never less than 0."""
    found = kept(outcome, "learning")
    traces = found["before_trace_a1"] + found["after_trace_a1"]
    silent = int(np.flatnonzero(traces.max(axis=0) == 0)[0])
    (told,) = runs.load([outcome.arms["learning"].folder]).runs
    (picture,) = membranes.of_run(watching(told, silent))
    low, high = picture.figure.axes[1].get_ylim()
    assert -0.1 < low < 0 and high == 1


def test_a_run_that_kept_who_spikes_alone_has_no_potentials(
    outcome: Outcome, tmp_path: Path
) -> None:
    found, layer = (kept(outcome, "learning", name) for name in (CYCLES, FIRST_LAYER))
    less = {name: one for name, one in found.items() if not name.endswith("_u1")}
    (picture,) = membranes.of_run(altered(outcome, tmp_path, less, layer))
    assert (
        len(picture.figure.axes[0].get_lines()) == 2
    )  # traces, as with labels by votes
    less = {name: one for name, one in less.items() if not name.endswith("_a1")}
    assert not list(membranes.of_run(altered(outcome, tmp_path, less, layer)))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "rule 'dfa' keeps no membranes here: expected ottt or stdp-wta"),
        ({"rule": "ottt", "parameters": {"trace": "on"}}, "rule 'ottt' keeps no"),
        ({"rule": "ottt", "parameters": {"trace": "membranes"}}, "has cell 17, but the "
         "first hidden layer has 16 cells"),
    ],
)  # fmt: skip
def test_cells_that_cannot_be_watched_are_refused(
    asked: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        prepare(Experiment(network=(64, 16, 10), watch_cells="0,17", **asked))


def test_cells_are_numbers_once_each() -> None:
    asked = Experiment(watch_cells="3,0,3")
    assert asked.watch_cells == (3, 0)
    assert from_toml(asked.to_toml(), "it").watch_cells == (3, 0)
    for wrong in ("", "1,", [], [True], [-1]):
        with pytest.raises(
            UsageError, match=r"watch_cells is .*: expected cells such as"
        ):
            Experiment(watch_cells=wrong)


def test_what_watched_cells_do_in_a_step_is_told_with_health() -> None:
    """The reference's numbers, by which the live view draws them."""
    parameters = {"ticks": 40, "trace": "membranes"}
    lesson = prepare(
        Experiment(rule="stdp-wta", network=(64, 16, 10), parameters=parameters)
    )
    learner = Learner(lesson.spec)
    before, (sample, label) = learner.snapshot(), lesson.sample(0)
    learner.step(sample, label, lesson.eta(0))
    told = health(learner, before, sample, label, (3,)).table()
    for short in ("u1", "a1"):
        kept = learner.trace[f"trace_{short}"]
        assert told[f"{short}[3]"] == kept[:, 3].tolist() and kept.any()
    cells = learner.trace["raster"][:, 0]
    told = health(learner, before, sample, label, tuple(range(16))).table()
    for cell in range(16):
        assert told[f"s1[{cell}]"] == (cells == cell).astype(int).tolist()
    assert (cells < 16).any()
    told = {n: v for n, v in told.items() if "[3]" in n or not n.endswith("]")}
    assert not [n for n in told if n.endswith("]") and "[3]" not in n]
