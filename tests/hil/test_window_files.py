"""Folders of windows, one table each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import hil
from hil.cli import main
from hil.data import datasets
from hil.errors import DataError

HEAD = "accX,accY,accZ"
RNG = np.random.default_rng(3)
WINDOWS = RNG.integers(-900, 900, (12, 8, 3))
LABELS = ["walk", "run", "sit"] * 4


def written(path: Path, window: np.ndarray, head: str = HEAD, first: str = "") -> None:
    """A window as a table; `first` is what each line begins with, its number for {}."""
    lines = [
        first.format(20 * n) + ",".join(map(str, row))
        for n, row in enumerate(window.tolist())
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*([head] if head else []), *lines]) + "\n")


def in_folders(top: Path) -> None:
    for place, (window, label) in enumerate(zip(WINDOWS, LABELS, strict=True)):
        written(top / label / f"{place:02}.csv", window)


def in_folders_of_people(top: Path) -> None:
    for place, (window, label) in enumerate(zip(WINDOWS, LABELS, strict=True)):
        written(top / label / f"user{place % 2}" / f"{place:02}.CSV", window)


def by_name(top: Path) -> None:
    """As Edge Impulse names and writes them."""
    for place, (window, label) in enumerate(zip(WINDOWS, LABELS, strict=True)):
        path = top / f"{label}.sample{place:02}.csv"
        written(path, window, f"timestamp,{HEAD}", "{},")


def with_index(top: Path) -> None:
    for place, window in enumerate(WINDOWS):
        written(top / "w" / f"{place}.csv", window, head="")
    rows = [f"w/{place}.csv,{label}" for place, label in enumerate(LABELS)]
    (top / "labels.csv").write_text("\n".join(["file,label", *rows]))


@pytest.mark.parametrize(
    "write", [in_folders, in_folders_of_people, by_name, with_index]
)
def test_each_file_is_a_window_with_its_class(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path)
    found = datasets.whole(tmp_path)
    assert found.labels == ("run", "sit", "walk")
    rows = {
        row.tobytes(): found.labels[y]
        for row, y in zip(found.train_x, found.train_y, strict=True)
    }
    expected = {
        window.astype(np.int16).tobytes(): label
        for window, label in zip(WINDOWS, LABELS, strict=True)
    }
    assert rows == expected
    assert found.inputs.dtype == "i16" and "8 rows and 3 columns" in found.said[0]


def test_an_index_says_the_order(tmp_path: Path) -> None:
    with_index(tmp_path)
    x, y = datasets.in_order(tmp_path)
    assert (x == WINDOWS.reshape(12, 24)).all()
    assert y.tolist() == [["run", "sit", "walk"].index(label) for label in LABELS]


def test_folders_of_both_parts_are_the_parts(tmp_path: Path) -> None:
    in_folders(tmp_path / "Training")
    written(tmp_path / "testing" / "run" / "a.csv", WINDOWS[0] + 0.5)
    found = datasets.load(str(tmp_path))
    assert (len(found.train_x), len(found.test_x)) == (12, 1)
    assert found.labels[found.test_y[0]] == "run" and found.test_x[0, 0] % 1 == 0.5


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for label in ("train", "bus"):
        written(tmp_path / label / "a.csv", WINDOWS[0])
        written(tmp_path / label / "b.csv", WINDOWS[1])
    assert datasets.whole(tmp_path).labels == ("bus", "train")


def test_classes_that_are_numbers_are_in_their_order(tmp_path: Path) -> None:
    for label in range(12):
        written(tmp_path / str(label) / "a.csv", WINDOWS[label])
    x, y = datasets.in_order(tmp_path)
    assert sorted(y.tolist()) == [*range(12)]
    assert (x[y.tolist().index(10)] == WINDOWS[10].ravel()).all()


def test_what_a_folder_is_taken_for_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_name(tmp_path)
    assert main(["data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "12 samples of 24 numbers" in said
    assert "8 rows and 3 columns (accX, accY, accZ), 'timestamp' left out" in said
    written(tmp_path / "run.bad.csv", WINDOWS[0] * np.nan, f"timestamp,{HEAD}", "{},")
    assert main(["data", str(tmp_path)]) == 2
    assert "'accX' has no value but 'nan'" in capsys.readouterr().err


@pytest.mark.usefixtures("host_cc")
def test_a_device_learns_from_a_folder(tmp_path: Path) -> None:
    in_folders(tmp_path / "data")
    record = hil.run(
        data=str(tmp_path / "data"), network="24-8-3", target="host", out=tmp_path
    )
    assert record.result == "pass" and record.compared == 9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: written(d / "run" / "b.csv", WINDOWS[0][:5]), "b.csv' has 5 rows: ex"),
        (lambda d: written(d / "run" / "b.csv", WINDOWS[0][:, :2], "accX,accY"), "accX, acc"),
        (lambda d: written(d / "run" / "b.csv", WINDOWS[0], "accY,accX,accZ"), "has columns"),
        (lambda d: (d / "run" / "b.csv").write_text(HEAD + "\n1,2\n"), "line 2 has 2"),
        (lambda d: (d / "run" / "b.csv").write_text(HEAD + "\n1,,2\n"), "'accY' has no"),
        (lambda d: (d / "run" / "b.csv").write_text(HEAD + "\n"), "a header and no rows"),
        (lambda d: (d / "run" / "b.csv").write_text(""), "b.csv' is empty"),
        (lambda d: (d / "run" / "b.csv").write_bytes(b"\xff\xfe1\x00"), "UTF-8"),
        (lambda d: written(d / "b.csv", WINDOWS[0]), "b.csv' has no label: expected"),
        (lambda d: (d / "labels.csv").write_text("a,b\n1,2\n"), "has columns 'a', 'b': "),
        (lambda d: (d / "labels.csv").write_text("file,label\nx.csv\n"), "line 2 has no f"),
        (lambda d: (d / "labels.csv").write_text("file,label\n../x,1\n"), "a file below"),
        (lambda d: (d / "labels.csv").write_text("file,label\nx.csv,1\n"), "there is no d"),
        (lambda d: (d / "labels.csv").write_text("file,label\n"), "names no file"),
        (lambda d: (d / "labels.csv").write_text("\n"), "has columns "),
        (lambda d: (d / "train").mkdir() or (d / "test").mkdir(), "train, test and "),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_the_file(
    tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    in_folders(tmp_path)
    change(tmp_path)
    with pytest.raises(DataError) as refused:
        datasets.load(str(tmp_path))
    assert said in str(refused.value)
