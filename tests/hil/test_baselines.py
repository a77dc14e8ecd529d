"""Beside each prequential accuracy: what is right without learning."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hil
from hil import RunRecord, reports
from hil.cli import main
from hil.data import tasks
from hil.data.tasks import Task
from hil.records.baselines import Baselines, told
from hil.records.history import card


def taken(labels: Sequence[int]) -> list[tuple[bool, bool]]:
    """Whether majority and same as last are right about each label."""
    guesses = Baselines()
    return [guesses.take(label) for label in labels]


@pytest.mark.parametrize(
    ("labels", "majority", "same"),
    [
        # guesses        - 1 0 0 0 1            - 1 0 0 1 1
        ([1, 0, 0, 1, 1, 0], [0, 0, 1, 0, 0, 0], [0, 0, 1, 0, 1, 0]),
        # guesses     - 3 3 3 3            - 3 3 3 2
        ([3, 3, 3, 2, 2], [0, 1, 1, 0, 0], [0, 1, 1, 0, 1]),
        # guesses  - 2 0 0            - 2 0 1
        ([2, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]),
        ([7], [0], [0]),
        ([], [], []),
    ],
)
def test_guesses_about_a_few_labels_are_those_made_by_hand(
    labels: list[int], majority: list[int], same: list[int]
) -> None:
    assert taken(labels) == list(zip(map(bool, majority), map(bool, same), strict=True))


@given(st.lists(st.integers(0, 4), max_size=60))
def test_a_guess_is_made_of_what_came_before_alone(labels: list[int]) -> None:
    for place, (majority, same) in enumerate(taken(labels)):
        before = Counter(labels[:place])
        most = max(before.values(), default=0)
        guess = min((one for one in before if before[one] == most), default=None)
        assert majority == (labels[place] == guess)
        assert same == (place > 0 and labels[place] == labels[place - 1])


def test_shares_are_told_beside_an_accuracy() -> None:
    shares = {"majority": 0.123, "same_as_last": 0.5}
    assert told(shares) == " (majority 12.3%, same as last 50.0%)"
    assert told(None) == told({"majority": None}) == ""


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stream of two tasks, the second of two classes in long rows."""
    rng = np.random.default_rng(5)
    y = np.concatenate([rng.integers(0, 3, 40), np.repeat([2, 1, 2], 20)])
    x = rng.integers(0, 256, (100, 6)).astype(np.uint8)
    named = tasks.arrays([Task("mixed", 40, 0, 20), Task("rows", 100, 0, 20)])
    path = tmp_path_factory.mktemp("stream") / "stream.npz"
    np.savez(path, x=x, y=y, x_test=x[:20], y_test=y[:20], **named)
    return path


def shares(labels: np.ndarray) -> dict[str, float]:
    majority, same = np.array(taken(labels.tolist())).mean(axis=0).tolist()
    return {"majority": majority, "same_as_last": same}


@pytest.fixture(scope="module")
def ran(stream: Path, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """A run of it."""
    out = tmp_path_factory.mktemp("runs")
    return hil.run(data=str(stream), network="6-8-3", target="host", out=out)


@pytest.mark.usefixtures("host_cc")
def test_a_record_has_them_of_the_stream_and_of_each_task(
    ran: RunRecord, stream: Path
) -> None:
    y = np.load(stream)["y"]
    assert ran.accuracy["baselines"] == shares(y)
    rights = np.array(taken(y.tolist()), float)
    assert ran.metrics is not None
    for name, right in zip(("majority", "same_as_last"), rights.T, strict=True):
        by_task = [part.mean() for part in np.split(right, [40])]
        assert ran.metrics[f"{name}_by_task"] == by_task
    document = json.loads((ran.folder / "run.json").read_text())
    assert document["provenance"]["accuracy.baselines"] == "reference"
    assert document["provenance"]["metrics.majority_by_task"] == "reference"


@pytest.mark.usefixtures("host_cc")
@pytest.mark.parametrize(
    "keys",
    [
        {"resident": "all", "thin": 7, "prefix": 20},
        {"resident": "all", "thin": 16},
        {"rehearsal": 8, "rehearse": 2},
        {"prefix": 20},
    ],
)
def test_they_are_of_the_samples_that_the_accuracy_is_of(
    keys: dict[str, object], tmp_path: Path
) -> None:
    """Also where a device tells of several steps at once, and not of rehearsed ones."""
    lesson_of = {"data": "digits", "network": "64-8-10", "target": "host"}
    plain = hil.run(**lesson_of, steps=60, out=tmp_path)
    steps = 60 * 3 if "rehearsal" in keys else 60
    record = hil.run(**lesson_of, steps=steps, out=tmp_path, **keys)
    assert plain.accuracy["baselines"] == shares(plain.history()["label"])
    assert record.accuracy["baselines"] == plain.accuracy["baselines"]


@pytest.mark.usefixtures("host_cc")
def test_they_stand_beside_the_accuracy_in_terminal_report_and_notebook(
    ran: RunRecord, stream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", "--data", str(stream), "--network", "6-8-3", "--target", "host"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    assert ran.metrics is not None
    first = {
        "majority": ran.metrics["majority_by_task"][0],
        "same_as_last": ran.metrics["same_as_last_by_task"][0],
    }
    assert f"right before learned{told(first)}; 40 steps" in capsys.readouterr().out
    assert told(ran.accuracy["baselines"]).strip() in card(ran)
    page = reports.write([ran.folder], tmp_path / "report.html").read_text("utf-8")
    for share in ran.accuracy["baselines"].values():
        assert f"{100 * share:.2f}" in page
    assert "Majority so far in each task" in page and "Same as last" in page


@pytest.mark.usefixtures("host_cc")
def test_what_has_no_labels_has_no_baselines(tmp_path: Path) -> None:
    record = hil.run(
        goal="sample", network="64-4-64", output="sigmoid", rule="bp", steps=5,
        target="host", out=tmp_path,
    )  # fmt: skip
    assert record.accuracy["baselines"] is None


@pytest.mark.usefixtures("host_cc")
def test_a_sweep_has_them_in_its_table(tmp_path: Path) -> None:
    arguments = ["--vary", "seed=1-2", "--steps", "20", "--network", "64-4-10"]
    out = tmp_path / "swept"
    assert main(["sweep", *arguments, "--target", "host", "--out", str(out)]) == 0
    document = json.loads((out / "sweep.json").read_text())
    (row,), cells = document["rows"], document["cells"]
    assert (
        row["provenance"]["majority"]
        == cells[0]["provenance"]["majority"]
        == "reference"
    )
    for name in ("majority", "same_as_last"):
        assert row[name]["mean"] == pytest.approx(
            np.mean([cell[name] for cell in cells])
        )
        record = json.loads(Path(cells[0]["folder"], "run.json").read_text())
        assert cells[0][name] == record["accuracy"]["baselines"][name]
    table = (out / "table.md").read_text()
    assert "| prequential % | std | majority % | same as last % |" in table
    assert f"{100 * row['majority']['mean']:.2f}" in table and "(reference)" in table
