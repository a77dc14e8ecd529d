"""The demo of cells that spike, and the picture of who does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.reference import Learner
from hil import demo as demos
from hil.demo import Outcome
from hil.learning.progress import Progress
from hil.records.record import CYCLES, FIRST_LAYER
from hil.reports import cycles, raster, runs

pytestmark = pytest.mark.usefixtures("host_cc")
ASKED = {"target": "host", "steps": 40, "test": 20, "parameters": {"ticks": 40}}
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


def test_the_first_digit_is_presented_from_both_ends_of_learning(
    outcome: Outcome,
) -> None:
    """Who spikes then is the reference's; the control's cells stay as they were."""
    assert all(run.compared == 40 for run in outcome.arms.values())
    found = kept(outcome, "learning")
    lesson = demos.check(outcome.demo, ASKED).lessons["learning"]
    learner = Learner(lesson.spec)
    learner.step(*lesson.sample(0), lesson.eta(0))
    assert np.array_equal(found["before_raster"], learner.trace["raster"])
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
