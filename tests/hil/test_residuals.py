"""RMSE, MAE and R2 of a test part, and the regression that needs no download."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import make_friedman1

from hil import Experiment, run
from hil.cli import main
from hil.data import datasets, friedman
from hil.errors import DataError
from hil.learning.residuals import Residuals

RNG = np.random.default_rng(5)


def test_figures_are_scikit_learns() -> None:
    outputs = RNG.normal(size=(50, 3)).astype(np.float32)
    targets = (outputs + RNG.normal(size=(50, 3)) * [0.1, 1, 3]).astype(np.float32)
    made = Residuals(3)
    for part in (slice(0, 20), slice(20, 50)):
        made.add(outputs[part], targets[part])
    found = made.figures()
    assert found is not None and found["tested"] == 50
    mse = metrics.mean_squared_error(targets, outputs, multioutput="raw_values")
    mae = metrics.mean_absolute_error(targets, outputs, multioutput="raw_values")
    r2 = metrics.r2_score(targets, outputs, multioutput="raw_values")
    for row, *right in zip(found["outputs"], np.sqrt(mse), mae, r2, strict=True):
        assert [row["rmse"], row["mae"], row["r2"]] == pytest.approx(right, rel=1e-5)
    weighted = metrics.r2_score(targets, outputs, multioutput="variance_weighted")
    assert found["rmse"] == pytest.approx(np.sqrt(mse.mean()), rel=1e-6)
    assert found["mae"] == pytest.approx(mae.mean(), rel=1e-6)
    assert found["r2"] == pytest.approx(weighted, rel=1e-5)


def test_a_target_that_never_varies_has_no_r2() -> None:
    made = Residuals(1)
    assert made.figures() is None
    targets = np.full((20, 1), 7.9338193, np.float32)
    for _ in range(50):  # sums of squares would leave a spread that is none
        made.add(targets + np.float32(1), targets)
    found = made.figures()
    assert found is not None and found["r2"] is None
    assert found["rmse"] == pytest.approx(1, rel=1e-6)


def test_a_large_mean_costs_no_figure_of_r2() -> None:
    targets = (1e6 + RNG.normal(size=(1000, 2))).astype(np.float32)
    outputs = (targets + RNG.normal(size=(1000, 2)) * 0.3).astype(np.float32)
    made = Residuals(2)
    for first in range(0, 1000, 20):
        made.add(outputs[first : first + 20], targets[first : first + 20])
    found = made.figures()
    exact = targets.astype(np.float64), outputs.astype(np.float64)
    right = metrics.r2_score(*exact, multioutput="raw_values")
    assert found is not None
    assert [row["r2"] for row in found["outputs"]] == pytest.approx(right, rel=1e-9)


def test_friedmans_function_is_scikit_learns() -> None:
    x, y = make_friedman1(20, 10, noise=0, random_state=3)
    np.testing.assert_allclose(friedman.function(x), y, rtol=1e-12)


def test_the_regression_set_is_noisy_and_standardised() -> None:
    data = datasets.load("friedman")
    assert data.train_x.shape == (2000, 10) and data.test_y.shape == (1000, 1)
    exact = (friedman.function(data.train_x.astype(np.float64)) - 14.5) / 5
    noise = data.train_y[:, 0] - exact
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1 / 5) < 0.01
    assert abs(data.train_y.mean()) < 0.1 and abs(data.train_y.std() - 1) < 0.1
    assert not data.labelled and data.outputs == 1 and data.classes == 0


def test_the_record_has_residuals_and_no_accuracy(tmp_path: Path, host_cc: str) -> None:
    asked = Experiment(
        data="friedman", target="host", network="10-9-1", steps=50, test=30
    )
    record = run(asked, out=tmp_path)
    told = json.loads((record.folder / "run.json").read_text())
    assert told["residuals"]["tested"] == 30 and len(told["residuals"]["outputs"]) == 1
    assert told["accuracy"]["test"] is None and told["accuracy"]["prequential"] is None
    assert told["experiment"]["goal"] == "vector"
    assert told["provenance"]["residuals"] == told["provenance"]["accuracy"]
    for line in (record.folder / "metrics.jsonl").read_text().splitlines():
        step = json.loads(line)
        assert step["label"] is step["predicted"] is step["correct"] is None
        assert step["loss"] >= 0


def test_a_sweep_ranks_by_the_least_error(
    tmp_path: Path, host_cc: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "rates.toml"
    asked.write_text(
        'data = "friedman"\ntarget = "host"\nnetwork = "10-9-1"\nsteps = 40\n'
        "seed = [1, 2]\nlr = [0.00001, 0.02]\ntest = 50\n"
    )
    out = tmp_path / "out"
    assert main(["sweep", str(asked), "--best", "lr", "--out", str(out)]) == 0
    (table,) = out.rglob("table.md")
    text = table.read_text()
    assert "| lr | test RMSE | std | n | min | max | kind |" in text
    assert "best lr: 0.02, test RMSE" in text and "prequential" not in text


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(40,), (40, 2)])
def test_an_npz_may_bring_targets(
    tmp_path: Path, host_cc: str, dtype: type, shape: tuple[int, ...]
) -> None:
    path = tmp_path / "mine.npz"
    y = RNG.normal(size=shape).astype(dtype)
    np.savez(path, x=RNG.normal(size=(40, 4)).astype(np.float32), y=y)
    made = datasets.load(str(path))
    assert made.train_y.dtype == np.float32 and made.train_y.shape == (32, y[0].size)
    record = run(Experiment(data=str(path), target="host", steps=9), out=tmp_path)
    assert record.result == "pass" and record.network == (4, 128, y[0].size)


@pytest.mark.parametrize(
    "y, sentence",
    [
        (np.array([[1.0, np.nan]] * 6), "y holds nan in row 0, column 1"),
        (np.array([0, 0, 1e40, 0, 0, 0.0]), "y holds 1e.40 in row 2, column 0"),
        (np.zeros((6, 2, 2)), "expected 6 numbers, or rows of them"),
        (np.zeros(5), "expected 6 numbers"),
        (np.zeros((6, 2), int), "expected 6 integers .labels., or 6 numbers"),
    ],
)
def test_targets_that_nobody_could_learn_are_refused(
    tmp_path: Path, y: np.ndarray, sentence: str
) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.zeros((6, 3), np.float32), y=y)
    with pytest.raises(DataError, match=sentence):
        datasets.load(str(path))
