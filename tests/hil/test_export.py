"""hil export: what other programs read back is what the record has."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import hil
from hil.cli import main
from hil.records import record


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Path:
    """The folder of a run."""
    return hil.run(
        target="host", network=(64, 8, 10), steps=30, test=20, health=10,
        out=tmp_path_factory.mktemp("runs"),
    ).folder  # fmt: skip


def document(ran: Path) -> dict[str, object]:
    return dict(json.loads((ran / record.FILE).read_text()))


def figures(ran: Path) -> dict[str, float]:
    """Every figure of a record, by its dotted name."""
    found = {}
    for path in record.figures(document(ran)):
        value: object = document(ran)
        for part in path.split("."):
            value = value[part]  # type: ignore[index]
        found[path] = value
    return found  # type: ignore[return-value]


def rows(ran: Path) -> list[dict[str, object]]:
    lines = (ran / record.METRICS).read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_csv_has_every_value_to_the_bit(ran: Path, tmp_path: Path) -> None:
    assert main(["export", str(ran), "--csv", str(tmp_path)]) == 0
    folder = tmp_path / ran.name
    with (folder / "figures.csv").open() as file:
        found = {row["figure"]: row for row in csv.DictReader(file)}
    assert {name: float(row["value"]) for name, row in found.items()} == figures(ran)
    assert found["accuracy.test"]["provenance"] == "emulated"
    assert found["accuracy.tested"]["provenance"] == "counted"
    with (folder / "steps.csv").open() as file:
        steps = list(csv.DictReader(file))
    assert len(steps) == 30
    for row, told in zip(steps, rows(ran), strict=True):
        assert int(row["step"]) == told["step"]
        for name in ("loss", "prequential", "eta", "correct"):
            assert float(row[name]) == told[name]
    angles = [row["health.angle.1"] for row in steps if row["health.angle.1"]]
    assert len(angles) == sum("health" in told for told in rows(ran)) > 0
    with (folder / "settings.csv").open() as file:
        settings = {row["setting"]: row["value"] for row in csv.DictReader(file)}
    assert settings["experiment.network"] == "[64, 8, 10]"
    assert settings["rule"] == "dfa"


def test_tensorboard_reads_what_the_record_has(ran: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert main(["export", str(ran), "--tensorboard", str(tmp_path)]) == 0
    read = EventAccumulator(str(tmp_path / ran.name))
    read.Reload()
    found = {
        tag.removeprefix("figures/"): read.Scalars(tag)[0].value
        for tag in read.Tags()["scalars"]
        if tag.startswith("figures/")
    }
    assert found == {name: np.float32(value) for name, value in figures(ran).items()}
    losses = [(point.step, point.value) for point in read.Scalars("steps/loss")]
    assert losses == [(told["step"], np.float32(told["loss"])) for told in rows(ran)]
    assert [point.value for point in read.Scalars("steps/correct")] == [
        float(told["correct"]) for told in rows(ran)  # type: ignore[arg-type]
    ]  # fmt: skip
    (text,) = read.Tensors("provenance/text_summary")
    assert "| accuracy.test | emulated |" in text.tensor_proto.string_val[0].decode()


def test_curves_are_not_doubled(
    ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["export", str(ran), "--tensorboard", str(tmp_path)]
    assert [main(given), main(given)] == [0, 2]
    assert "holds something already" in capsys.readouterr().err
    assert len([*(tmp_path / ran.name).iterdir()]) == 1


def test_mlflow_reads_what_the_record_has(ran: Path, tmp_path: Path) -> None:
    """Where it is installed: pip install 'hil-learning[mlflow]'."""
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    pytest.importorskip("alembic", reason="the extra mlflow is not installed")
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    given = ["export", str(ran), "--mlflow", uri, "--json", str(tmp_path / "made.json")]
    assert main(given) == 0
    (key,) = json.loads((tmp_path / "made.json").read_text())["mlflow"]
    client = MlflowClient(tracking_uri=uri)
    made = client.get_run(key)
    assert made.info.status == "FINISHED" and made.info.run_name == ran.name
    last = {n: v for n, v in made.data.metrics.items() if not n.startswith("steps/")}
    assert last == figures(ran)
    told = [(m.step, m.value) for m in client.get_metric_history(key, "steps/loss")]
    assert sorted(told) == [(row["step"], row["loss"]) for row in rows(ran)]
    assert made.data.params["experiment.rule"] == "dfa"
    assert made.data.tags["provenance.accuracy.test"] == "emulated"
    assert made.data.tags["result"] == "pass"


@pytest.mark.parametrize(
    ("flag", "package"), [("tensorboard", "tensorboardX"), ("mlflow", "mlflow")]
)
def test_a_missing_package_is_one_sentence_with_the_line_that_installs_it(
    ran: Path,
    tmp_path: Path,
    flag: str,
    package: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in (package, f"{package}.tracking"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["export", str(ran), f"--{flag}", str(tmp_path / "there")]) == 2
    first, hint = capsys.readouterr().err.splitlines()
    assert first == f"hil: --{flag} needs {package}, which is not installed"
    assert hint == f"  hint: pip install 'hil-learning[{flag}]'"


def test_the_runs_of_a_sweep_keep_their_places(tmp_path: Path, host_cc: str) -> None:
    sweep = ["sweep", "--vary", "rule=bp,dfa", "--network", "64-8-10", "--steps", "9"]
    more = ["--target", "host", "--test", "2", "--out", str(tmp_path / "sweep")]
    assert main([*sweep, *more, "-q"]) == 0
    made = tmp_path / "made.json"
    given = ["export", str(tmp_path / "sweep"), "--csv", str(tmp_path / "csv")]
    assert main([*given, "--json", str(made)]) == 0
    folders = [Path(folder) for folder in json.loads(made.read_text())["runs"]]
    assert len(folders) == 2
    for folder in folders:
        place = tmp_path / "csv" / folder.relative_to(tmp_path / "sweep")
        with (place / "settings.csv").open() as file:
            settings = dict(csv.reader(file))
        assert settings["rule"] == document(folder)["rule"]


def test_what_is_no_run_and_no_form_at_all_are_refused(
    ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tmp_path), "--csv", str(tmp_path / "csv")]) == 2
    assert "is no folder of a run" in capsys.readouterr().err
    assert main(["export", str(ran)]) == 2
    assert "one of --tensorboard, --mlflow and --csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("started", "yesterday", 2),
        ("started", "0001-01-01T00:00:00+14:00", 0),
        ("seconds", {"a.b": 1.5}, 0),
        ("device", {"huge": 10**400}, 0),
    ],
)
def test_a_record_of_any_values_is_exported_or_refused(
    ran: Path, tmp_path: Path, key: str, value: object, code: int
) -> None:
    copy = tmp_path / "run"
    copy.mkdir()
    (copy / record.FILE).write_text(json.dumps({**document(ran), key: value}))
    line = {**rows(ran)[0], "huge": 10**400}
    (copy / record.METRICS).write_text(json.dumps(line) + "\n")
    assert main(["export", str(copy), "--csv", str(tmp_path / "csv")]) == code
