"""Experience replay on a device: it learns what the reference learns, from samples
that lie in its own RAM."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.reference import Learner
from codegen.rendering import render
from hil import Experiment, RunRecord, run
from hil.cli import main
from hil.data import datasets, tasks
from hil.data.tasks import Task
from hil.device.device import Device
from hil.errors import HilError, Refused, UsageError
from hil.learning.session import Session
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare

pytestmark = pytest.mark.usefixtures("host_cc")
LIMIT = 20.0
ON_HOST = pytest.mark.parametrize("hil_target", ["host"], indirect=True)
ETA = np.float32(0.1)


@pytest.fixture
def rehearsing(small: Experiment) -> Experiment:
    """60 steps: 20 samples, and after each two from a buffer of 8."""
    return small.override({"rehearsal": 8, "rehearse": 2})


def metrics(record: RunRecord) -> list[dict[str, Any]]:
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def learned_by_hand(lesson: Lesson) -> tuple[int, list[int]]:
    """State digest after the lesson's steps, each sample fetched from the data by
    what the turns say, and the predictions of the stream's samples."""
    learner, predicted = Learner(lesson.spec), []
    order = datasets.order(lesson.spec.seed, 0, len(lesson.dataset.train_x))
    for step in range(lesson.steps):
        turn = lesson.turn(step)
        x, y = lesson.dataset.train_x, lesson.dataset.train_y
        place = order[turn.position]
        result = learner.step(x[place], int(y[place]), lesson.eta(step))
        if not turn.rehearsed:
            predicted.append(int(result.p.argmax()) == int(y[place]))
    return learner.digest(), predicted


def test_a_device_learns_from_what_it_kept(
    rehearsing: Experiment, folder: Path
) -> None:
    record = run(rehearsing, out=folder)
    assert (record.result, record.compared) == ("pass", 60)
    digest, right = learned_by_hand(prepare(rehearsing))
    assert record.digest == f"{digest:08x}"
    assert record.accuracy["prequential"] == sum(right) / 20
    lines = metrics(record)
    assert [line.get("rehearsed", False) for line in lines] == [False, True, True] * 20
    told = [line["correct"] for line in lines if "rehearsed" not in line]
    assert told == right and lines[-1]["prequential"] == sum(right) / 20


@pytest.mark.parametrize(
    "change",
    [
        {"rehearse": None, "steps": 61},
        {"rehearse": 7, "samples_per_frame": 3, "steps": 90},
        {"rehearsal": 1, "rehearse": 1, "window": 1, "compare": 16},
        {"gate": "row", "rule": "bp"},
    ],
)
def test_whatever_the_frames_are(
    rehearsing: Experiment, folder: Path, change: dict[str, Any]
) -> None:
    record = run(rehearsing.override(change), out=folder)
    assert (record.result, record.compared) == ("pass", record.steps)


def test_rehearsed_samples_do_not_cross_the_line_again(
    rehearsing: Experiment, folder: Path
) -> None:
    """Five rehearsed steps are one frame, of two bytes a step."""
    few = rehearsing.override({"rehearse": 5, "samples_per_frame": 5, "steps": 120})
    all_sent = few.override({"rehearsal": None, "rehearse": None})
    asked, sent = (run(e, out=folder).link["frames"] for e in (few, all_sent))
    assert asked - sent == pytest.approx(40 - 24, abs=4)  # the first ones are shorter


@pytest.mark.parametrize(
    ("faults", "counted"),
    [
        ("drop=0.1,flip=0.001,duplicate=0.05,reorder=0.05", "replayed"),
        ("drop=0.05,cut=0.06", "recovered"),
    ],
)
def test_whatever_the_line_does_the_buffer_holds_what_it_should(
    rehearsing: Experiment, folder: Path, faults: str, counted: str
) -> None:
    """A device that has lost its power fills it anew, from the start. When it is lost
    is the moment's affair: in one run of three it may come too late to matter."""
    digest, _ = learned_by_hand(prepare(rehearsing))
    met = 0
    for seed in (3, 5, 8):
        asked = rehearsing.override({"faults": f"{faults},seed={seed}"})
        record = run(asked, out=folder)
        assert (record.result, record.digest) == ("pass", f"{digest:08x}")
        met += record.link[counted]
    assert met > 0


def test_a_buffer_that_changes_what_it_holds_is_found(
    rehearsing: Experiment,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first step from it differs; done again with the sample sent it does not."""
    firmware = tmp_path / "firmware"
    shutil.copytree(render.FIRMWARE, firmware)
    monkeypatch.setattr(render, "FIRMWARE", firmware)
    path = firmware / "src" / "network" / "hil_rehearsal.c"
    right = "kept, sizeof hil_learner.rehearsal.kept[slot])"
    assert right in path.read_text()
    wrong = right.replace("slot])", "slot] / 2)")
    path.write_text(path.read_text().replace(right, wrong))
    record = run(rehearsing, out=folder)
    assert record.result == "fail" and record.divergence is not None
    assert (record.divergence["step"], record.divergence["tensor"]) == (1, "p")
    assert "sent and not taken from slot 0" in record.divergence["note"]


def test_a_rehearsed_step_can_be_replayed(
    rehearsing: Experiment, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = run(rehearsing, out=folder)
    capsys.readouterr()
    assert main(["replay", str(record.folder), "--step", "40"]) == 0
    assert "rehearsed" in capsys.readouterr().out


def test_tasks_end_where_their_last_rehearsal_does(
    rehearsing: Experiment, folder: Path, tmp_path: Path
) -> None:
    digits, path = datasets.load("digits"), tmp_path / "stream.npz"
    found = (Task("first", 20, 0, 10), Task("second", 30, 0, 20))
    np.savez(
        path, x=digits.train_x[:30], y=digits.train_y[:30], scale=16.0,
        x_test=digits.test_x[:20], y_test=digits.test_y[:20], **tasks.arrays(found),
    )  # fmt: skip
    asked = rehearsing.override({"data": str(path), "steps": None, "test": None})
    record = run(asked, out=folder)
    assert (record.result, record.steps) == ("pass", 90)
    assert record.tasks is not None and record.metrics is not None
    assert [(t["first"], t["end"]) for t in record.tasks] == [(0, 60), (60, 90)]
    assert {line["task"] for line in metrics(record)[:60]} == {0}
    right = [line["correct"] for line in metrics(record) if "rehearsed" not in line]
    shares = [sum(right[:20]) / 20, sum(right[20:]) / 10]
    assert record.metrics["prequential_by_task"] == shares
    with pytest.raises(UsageError, match="30 samples and 3 steps a sample"):
        prepare(asked.override({"steps": 91}))


def test_every_epoch_is_rehearsed_at_its_rate(rehearsing: Experiment) -> None:
    lesson = prepare(rehearsing.override({"epochs": 2, "lr_decay": 0.5, "lr": 0.25}))
    assert lesson.steps == 2 * 3 * 1437
    rates = [float(lesson.eta(step)) for step in (0, 3 * 1437 - 1, 3 * 1437)]
    assert rates == [0.25, 0.25, 0.125]


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"rehearsal": None}, "rehearse is 2, but no sample is kept"),
    ({"resident": "all"}, "rehearsal is 8 and resident is 'all'"),
    ({"commit": 20}, "rehearsal is 8 and commit is 20"),
    ({"rehearsal": 0}, "rehearsal is 0: expected an integer from 1 to 65535"),
    ({"rehearse": 0}, "rehearse is 0: expected an integer from 1 to 255"),
]


@pytest.mark.parametrize(("change", "sentence"), REFUSALS)
def test_what_cannot_be_is_refused_in_a_sentence(
    rehearsing: Experiment, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        rehearsing.override(change)
    assert caught.value.exit_code == 2


def test_what_is_kept_outlives_no_reset_so_nothing_is_resumed(
    rehearsing: Experiment, folder: Path
) -> None:
    from hil.learning.progress import Progress

    with pytest.raises(UsageError, match="does not hold the samples"):
        Session(prepare(rehearsing), folder, Progress(), resume=True)


def test_a_buffer_over_budget_is_refused(rehearsing: Experiment, folder: Path) -> None:
    with pytest.raises(HilError, match="bytes of RAM, but the budget has") as caught:
        run(rehearsing.override({"rehearsal": 4000, "ram": 100_000}), out=folder)
    assert caught.value.exit_code == 3
    assert "rehearsal buffer 268,000 bytes" in caught.value.hints[0]


@pytest.fixture
def ready(hil_device: Device) -> Iterator[Device]:
    hil_device.init(1)
    yield hil_device


SAMPLE = (3, bytes(64))


@ON_HOST
@pytest.mark.hil(network=(64, 17, 10), steps=60, rehearsal=8)
def test_a_slot_that_is_none_is_refused(ready: Device) -> None:
    ready.post_steps(0, ETA, [SAMPLE], keep=7)
    ready.post_rehearsal(1, ETA, [7])
    ready.post_rehearsal(2, ETA, [0])
    with pytest.raises(Refused, match="outside the rehearsal buffer, or empty"):
        while True:
            ready.take_steps(LIMIT)


@ON_HOST
@pytest.mark.hil(network=(64, 17, 10), steps=60)
def test_an_image_without_a_buffer_keeps_nothing(ready: Device) -> None:
    ready.post_steps(0, ETA, [SAMPLE], keep=0)
    with pytest.raises(Refused, match="outside the rehearsal buffer"):
        ready.take_steps(LIMIT)
    ready.post_rehearsal(0, ETA, [0])
    with pytest.raises(Refused, match="refused REHEARSE: no such message"):
        ready.take_steps(LIMIT)
