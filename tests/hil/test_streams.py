"""Streams: tasks one after another, an exam after each, and a device that is frozen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil import run
from hil.data import datasets, tasks
from hil.data.tasks import Task
from hil.errors import DataError, DeviceFault, HilError
from hil.experiment import Experiment
from hil.lesson.preparing import prepare
from hil.records.record import FIRST_LAYER, METRICS, RunRecord

pytestmark = pytest.mark.usefixtures("host_cc")
TASKS = (
    Task("low", 60, 0, 50),
    Task("all", 100, 20, 90),
    Task("low again", 130, 0, 50),
)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 130 digits in three tasks, the first and the last tested alike."""
    digits = datasets.load("digits")
    path = tmp_path_factory.mktemp("stream") / "stream.npz"
    np.savez(
        path, x=digits.train_x[:130], y=digits.train_y[:130], scale=16.0,
        x_test=digits.test_x[:90], y_test=digits.test_y[:90], **tasks.arrays(TASKS),
    )  # fmt: skip
    return path


def lessons(stream: Path, **values: object) -> Experiment:
    base = Experiment(target="host", network=(64, 16, 10), data=str(stream), lr=0.05)
    return base.override(values)


def learned(stream: Path, folder: Path, **values: object) -> RunRecord:
    return run(lessons(stream, **values), out=folder)


@pytest.fixture(scope="module")
def record(stream: Path, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    return learned(stream, tmp_path_factory.mktemp("runs"))


def test_a_stream_comes_in_its_own_order(stream: Path) -> None:
    lesson = prepare(lessons(stream, seed=7))
    assert [lesson.index(step) for step in range(130)] == list(range(130))
    assert lesson.legs == (60, 100, 130)
    assert [lesson.task(step) for step in (0, 59, 60, 99, 100, 129)] == [
        0, 0, 1, 1, 2, 2,
    ]  # fmt: skip
    assert lesson.tests == (range(50), range(20, 90), range(50))


def test_the_device_is_examined_after_each_task(record: RunRecord) -> None:
    assert (record.result, record.compared) == ("pass", 130)
    assert record.tasks is not None
    assert [(t["first"], t["end"], t["tested"]) for t in record.tasks] == [
        (0, 60, 50), (60, 100, 70), (100, 130, 50),
    ]  # fmt: skip
    initial, matrix = record.accuracy["initial"], record.accuracy["matrix"]
    assert [len(row) for row in (initial, *matrix)] == [3] * 4
    assert all(row[0] == row[2] for row in matrix), "tested with the same samples"
    assert record.accuracy["tested"] == 90
    assert matrix[2][0] > initial[0]


def test_exams_change_nothing_of_what_is_learned(
    record: RunRecord, stream: Path, tmp_path: Path
) -> None:
    digits = datasets.load("digits")
    path = tmp_path / "plain.npz"
    np.savez(path, x=digits.train_x[:130], y=digits.train_y[:130],
        x_test=digits.test_x[:9], y_test=digits.test_y[:9], scale=16.0,
        task_names=["one"], task_ends=[130], task_tests=[[0, 0]])  # fmt: skip
    assert learned(path, tmp_path).digest == record.digest


def test_metrics_are_those_of_the_lines(record: RunRecord) -> None:
    lines = [json.loads(t) for t in (record.folder / METRICS).read_text().splitlines()]
    for line in lines:
        assert line["correct"] == (line["predicted"] == line["label"])
        assert 0 <= line["confidence"] <= 1
    metrics = record.metrics
    assert metrics is not None
    by_task = [
        np.mean([line["correct"] for line in lines if line["task"] == task])
        for task in range(3)
    ]
    assert metrics["prequential_by_task"] == pytest.approx(by_task)
    matrix = record.accuracy["matrix"]
    assert metrics["average_accuracy"] == pytest.approx(np.mean(matrix[2]))
    assert metrics["recovery_steps"] == [None, None], "of 100 samples before and after"


def test_a_frozen_device_keeps_its_digest_and_its_accuracy(
    stream: Path, tmp_path: Path
) -> None:
    frozen = learned(stream, tmp_path, freeze=60)
    first, *later = frozen.accuracy["matrix"]
    assert later == [first, first]
    lines = (frozen.folder / METRICS).read_text().splitlines()
    digests = [json.loads(line)["digest"] for line in lines]
    assert len(set(digests[:60])) == 60
    assert set(digests[60:]) == {digests[59]} == {frozen.digest}


def test_a_power_cut_between_exams_changes_nothing(
    record: RunRecord, stream: Path, tmp_path: Path
) -> None:
    faults = {"faults": "cut=0.02,seed=3", "commit": 25}
    cut = learned(stream, tmp_path, **faults)
    assert cut.link["recovered"] > 0
    assert cut.digest == record.digest
    assert cut.accuracy["matrix"] == record.accuracy["matrix"]


def test_a_resumed_run_has_the_rows_that_it_learned(
    record: RunRecord, stream: Path, tmp_path: Path
) -> None:
    whole = lessons(stream, commit=70)
    first = run(replace(whole, steps=70), out=tmp_path)
    rest = run(whole, out=tmp_path, resume=first.folder)
    assert rest.resumed_from == 70 and rest.digest == record.digest
    assert rest.accuracy["matrix"] == record.accuracy["matrix"][1:]
    assert rest.metrics is not None and rest.metrics["forgetting"] is None


def test_what_was_right_before_learning_is_no_result(
    stream: Path, tmp_path: Path
) -> None:
    with pytest.raises(DeviceFault, match="non-finite"):
        learned(stream, tmp_path, output="identity", activation="identity", lr=1e30)
    (told,) = tmp_path.glob("*/run.json")
    accuracy = json.loads(told.read_text())["accuracy"]
    assert len(accuracy["initial"]) == 3
    assert (accuracy["test"], accuracy["tested"]) == (None, 0)


def test_the_first_layer_is_kept_as_it_was_and_as_it_is(record: RunRecord) -> None:
    with np.load(record.folder / FIRST_LAYER) as kept:
        assert kept["before"].shape == kept["after"].shape == (64, 16)
        assert (kept["before"] != kept["after"]).any()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"task_ends": None}, "but not task_ends"),
        ({"task_ends": [60, 100, 120]}, "ascending numbers up to 130"),
        ({"task_ends": [60, 60, 130]}, "ascending numbers up to 130"),
        ({"task_tests": [[0, 50], [20, 91], [0, 50]]}, "within the 90 test samples"),
        ({"task_names": ["a", "a", "b"]}, "texts that differ"),
        ({"x_test": None, "y_test": None}, "no x_test and y_test"),
    ],
)
def test_tasks_that_cannot_be_are_refused(
    stream: Path, tmp_path: Path, wrong: dict[str, object], sentence: str
) -> None:
    with np.load(stream) as file:
        arrays = {name: file[name] for name in file.files} | wrong
    path = tmp_path / "wrong.npz"
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(DataError, match=sentence):
        datasets.load(str(path))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"steps": 131}, "time does not come twice"),
        ({"epochs": 2}, "time does not come twice"),
        ({"holdout": 5}, "tests of its own"),
    ],
)
def test_what_a_stream_cannot_do_is_refused(
    stream: Path, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(HilError, match=sentence):
        prepare(lessons(stream, **values))
