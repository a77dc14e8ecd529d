"""A record in Python: arrays, a table, a picture, a card; keys as keywords."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from hil import Experiment, RunRecord, run
from hil.errors import DataError, UsageError
from hil.records import run_files
from hil.records.history import sliding_mean


@pytest.fixture(scope="module")
def record(host_cc: str, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """Of 60 steps on the host, asked for with keywords and numbers of numpy."""
    out = tmp_path_factory.mktemp("runs")
    return run(
        Experiment(target="host"),
        out=out, network=np.array([64, 17, 10]), rule="bp", steps=np.int64(60),
        lr=np.float32(0.1), test=20,
    )  # fmt: skip


def test_keywords_are_keys_of_the_experiment(record: RunRecord) -> None:
    assert (record.result, record.rule, record.steps) == ("pass", "bp", 60)
    assert record.experiment["lr"] == float(np.float32(0.1))
    assert record.network == (64, 17, 10)


def test_a_keyword_that_is_no_key_is_refused() -> None:
    with pytest.raises(
        UsageError, match=r"run\(\) has an unknown key 'steps_'"
    ) as seen:
        run(steps_=20)
    assert seen.value.hints == ("did you mean 'steps'?",)


def test_numbers_of_numpy_are_numbers() -> None:
    asked = Experiment(
        steps=np.int64(20), lr=np.float64(0.5), icount=np.bool_(True),
        network=(np.int32(64), np.uint8(10)), parameters={"k": np.int16(2)},
    )  # fmt: skip
    assert asked == Experiment(
        steps=20, lr=0.5, icount=True, network=(64, 10), parameters={"k": 2}
    )
    assert asked.to_toml() == Experiment(**vars(asked)).to_toml()
    with pytest.raises(UsageError, match=r"steps is .*: expected an integer from 1"):
        Experiment(steps=np.float64(20.5))


def test_arrays_are_data_and_the_folder_keeps_them(
    host_cc: str, tmp_path: Path
) -> None:
    x = np.random.default_rng(1).random((50, 6))
    y = np.where(x[:, 0] > 0.5, "high", "low")
    record = run(target="host", network="6-5-2", data=(x, y), holdout=5, out=tmp_path)
    assert (record.result, record.steps) == ("pass", 35)
    again = run(record.folder / "experiment.toml", out=tmp_path)
    assert again.digest == record.digest and again.accuracy == record.accuracy


def test_arrays_that_are_no_data_are_refused() -> None:
    with pytest.raises(UsageError, match=r"data is .* expected a name, a path") as seen:
        Experiment(data=np.zeros((300, 4)))
    assert len(str(seen.value)) < 400 and "\n" not in str(seen.value)
    with pytest.raises(DataError, match="x holds non-finite values"):
        run(data={"x": np.full((3, 4), np.nan), "y": [0, 1, 0], "scale": 2})
    with pytest.raises(UsageError, match="a TOML file can only name a file"):
        Experiment(data=(np.zeros((3, 4)), [0, 1, 1])).to_toml()


def test_the_history_is_the_lines_of_the_run(record: RunRecord) -> None:
    told = record.history()
    lines = list(run_files.steps(record.folder))
    assert told["step"].tolist() == list(range(60))
    assert told["loss"].tolist() == [line["loss"] for line in lines]
    assert told["digest"][-1] == record.digest
    assert told["correct"].mean() == record.accuracy["prequential"]
    assert (told["instructions"] == -1).all() and np.isnan(told["threshold"]).all()


def test_the_table_has_the_columns_of_the_history(record: RunRecord) -> None:
    table = record.frame()
    assert list(table.columns) == list(record.history())
    assert table["loss"].tolist() == record.history()["loss"].tolist()


def test_a_table_without_pandas_is_refused_with_what_mends_it(
    record: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pandas, which is not installed"):
        record.frame()


def test_a_mean_slides() -> None:
    assert sliding_mean(np.array([2, 4, 9, 5]), 2).tolist() == [2.0, 3.0, 6.5, 7.0]


def test_the_picture_has_loss_and_accuracy(record: RunRecord, tmp_path: Path) -> None:
    figure = record.plot()
    loss, right = (axes.lines[0].get_ydata() for axes in figure.axes)
    told = record.history()
    assert loss[-1] == pytest.approx(told["loss"].mean())
    assert right[-1] == pytest.approx(record.accuracy["prequential"])
    figure.savefig(tmp_path / "run.png")


def test_the_card_tells_the_verdict_and_escapes_what_it_quotes(
    record: RunRecord,
) -> None:
    html = record._repr_html_()
    assert ">PASS</b>" in html and "60 compared" in html and str(record.digest) in html
    failed = RunRecord(**{**vars(record), "error": {"sentence": "<b>", "hints": []}})
    assert "&lt;b&gt;" in failed._repr_html_()
