"""hil data: what a file is taken for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import NearestCentroid

from hil.cli import main
from hil.data import datasets, summary, windows
from hil.data.taken import dataset_of
from hil.experiment import Experiment
from hil.lesson.preparing import data_for

ROOT = Path(__file__).parents[2]
X = np.arange(40, dtype=np.uint8).reshape(10, 4)
Y = np.arange(10) % 3


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `hil data`; its lines by their first word, and its document."""

    def run(path: str) -> tuple[dict[str, list[str]], dict[str, Any]]:
        assert main(["data", path]) == 0
        lines: dict[str, list[str]] = {}
        for line in capsys.readouterr().out.splitlines():
            lines.setdefault(line[:8].strip(), []).append(line[9:])
        assert main(["data", path, "--json", "-"]) == 0
        return lines, json.loads(capsys.readouterr().out)["data"]

    return run


def test_a_table_is_told_as_it_is_taken(told: Any) -> None:
    known, place = load_iris(), ROOT / "examples" / "iris.csv"
    lines, document = told(str(place))
    page = (ROOT / "docs" / "data.md").read_text()
    assert all(f"    {n:8} {line}\n" in page for n in lines for line in lines[n])
    assert lines["data"] == [
        "iris: 150 samples of 4 numbers, 120 to learn and 30 to test"
    ]
    assert lines["made"][0] == "150 rows, label in column 'species'"
    assert lines["classes"] == ["3: setosa 33.3%, versicolor 33.3%, virginica 33.3%"]
    assert "constant" not in lines and "advice" not in lines
    assert document["low"] == pytest.approx(0.1) and document["high"] == np.float32(7.9)
    with_test = datasets.load(str(place))
    x = np.concatenate([with_test.train_x, with_test.test_x])
    assert sorted(map(tuple, x)) == sorted(map(tuple, known.data.astype(np.float32)))
    counts = {c["name"]: c["train"] + c["test"] for c in document["classes"]}
    assert counts == dict.fromkeys(known.target_names, 50)
    assert document["said"] == lines["made"] and document["type"] == "f32"


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")
def test_baselines_are_those_that_scikit_learn_computes() -> None:
    data = datasets.load("digits")
    found = {line.name: line.value for line in summary.of(data).baselines}
    nearest = NearestCentroid().fit(data.train_x, data.train_y)
    most = DummyClassifier().fit(data.train_x, data.train_y)
    assert found["nearest class mean"] == nearest.score(data.test_x, data.test_y)
    assert found["majority"] == most.score(data.test_x, data.test_y)
    came = data.train_y[datasets.order(1, 0, len(data.train_y))]
    assert found["same as last"] == np.mean(came[1:] == came[:-1])


def test_baselines_of_numbers_are_errors() -> None:
    y = np.arange(10.0) * 1.5
    found = {b.name: b for b in summary.of(dataset_of(X, y, X, y)).baselines}
    assert {b.figure for b in found.values()} == {"RMSE"}
    assert found["mean"].value == pytest.approx(np.std(y))
    assert set(found) == {"mean", "same as last"}


def test_what_never_changes_is_told_by_name(tmp_path: Path, told: Any) -> None:
    (tmp_path / "mine.csv").write_text("a,b,c,y\n1,7,2,0\n1,8,2,1\n1,9,2,0\n1,1,2,1\n")
    lines, document = told(str(tmp_path / "mine.csv"))
    assert lines["constant"] == ["2 of 3 numbers are the same in every sample: a, c"]
    assert document["constant"] == ["a", "c"]


@pytest.mark.parametrize(
    ("x", "y", "advice"),
    [
        (
            X * 100.0,
            Y,
            "inputs reach 3900, 10 is much already: hil run --scaler standard has",
        ),
        (X // 10, Y, "inputs reach only 0.0117647: np.savez(..., scale=3) makes it 1"),
        (X, Y * 0, "there is one class only and nothing to tell apart"),
        (X, Y * 2, "2 of 5 classes have no sample: 1, 3"),
    ],
)
def test_what_fits_and_will_not_be_learned_well_has_advice(
    x: np.ndarray, y: np.ndarray, advice: str
) -> None:
    assert any(
        line.startswith(advice) for line in summary.of(dataset_of(x, y, x, y)).advice
    )


def test_a_class_that_is_tested_and_never_learned_is_told() -> None:
    found = summary.of(dataset_of(X, Y, X[:1], np.array([3])))
    assert found.advice[-1] == (
        "1 of 4 classes has test samples and none to learn from: 3"
    )


def test_the_line_of_the_advice_makes_it_fit() -> None:
    x = X * 100.0
    (advice,) = summary.of(dataset_of(x, Y, x, Y)).advice
    assert "hil run --scaler standard" in advice
    asked = Experiment(data=(x, Y, x, Y), scaler="standard")
    assert not summary.of(data_for(asked)).advice


def test_windows_are_told_by_their_features(tmp_path: Path, told: Any) -> None:
    x = np.random.default_rng(1).integers(-900, 900, (40, 16)).astype(np.int16)
    made = windows.standardised(x, rows=8, axes=2)
    np.savez(tmp_path / "mine.npz", x=x, y=np.arange(40) % 2, **windows.arrays(made))
    lines, document = told(str(tmp_path / "mine.npz"))
    assert document["features"] == 6 and document["elements"] == 16
    assert abs(document["mean"]) < 0.2 and 1 < document["reach"] < 5
    assert lines["inputs"][0].startswith("i16 windows of 8")


def test_what_no_run_would_take_ends_as_a_run_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("1,2,0\n1,,1\n")
    assert main(["data", str(path)]) == 2
    first = capsys.readouterr().err
    assert main(["run", "--data", str(path), "--target", "host"]) == 2
    assert capsys.readouterr().err == first


def test_a_front_is_told_by_what_a_network_sees_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    front = "liquid,cells=12,segments=1"
    assert main(["data", "digits", "--front", front, "--json", "-"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)["data"]
    assert (found["features"], found["elements"]) == (12, 64)
    assert found["front"] == "u8 samples by liquid of 12 cells"
    assert "inputs   u8 samples by liquid of 12 cells: " in err
    assert abs(found["mean"]) < 0.1, "features are standardised"
    assert main(["data", "digits", "--front", "lquid"]) == 2
    assert "expected echo or liquid" in capsys.readouterr().err
