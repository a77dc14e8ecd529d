"""Runs as other programs keep them: TensorBoard, MLflow, and CSV.

Every number goes out as the record has it, and with it how it was obtained. CSV and
MLflow keep binary64; TensorBoard keeps binary32, so it rounds what a record has of more.
What was chosen, and what names a place, goes out as text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from hil.documents import number
from hil.errors import UsageError
from hil.records import record, run_files
from targets import storage

MLFLOW_EXPERIMENT = "hil"
MOST_AT_ONCE = 1000
"""Metrics that MLflow takes in one call."""
LONGEST = 500
"""Characters of a setting that MLflow takes from its first version on."""
NO_FIGURES = ("step", "label", "predicted", "task")
"""Numbers of a line of metrics.jsonl that name something."""


@dataclass(frozen=True)
class Run:
    """A run to be kept elsewhere: `figures` at its end and what `kinds` they are of,
    `series` of (step, value) by name, `settings` as text. `started`: seconds since
    1970."""

    name: str
    folder: Path
    result: str
    started: float
    settings: Mapping[str, str]
    figures: Mapping[str, float]
    kinds: Mapping[str, str]
    series: Mapping[str, Sequence[tuple[int, float]]]


def load(folder: Path) -> list[Run]:
    """The run in this folder, or every run below it, as of a sweep or a demo. Raises
    `UsageError`."""
    below = sorted(path.parent for path in folder.glob(f"*/**/{record.FILE}"))
    if (folder / record.FILE).exists() or not below:
        return [_read(folder, folder.resolve().name)]
    return [_read(one, one.relative_to(folder).as_posix()) for one in below]


def _read(folder: Path, name: str) -> Run:
    document = run_files.document(folder / record.FILE)
    values = dict(_leaves(document))
    figures = {
        path: float(values[path])
        for path in record.figures(document)
        if not number(values[path])
    }
    known = document.get("provenance", {})
    kinds = {path: _kind(known, path) for path in figures}
    settings = dict(_settings(document))
    started = _seconds(document["started"], folder)
    series: dict[str, list[tuple[int, float]]] = {}
    for row in run_files.steps(folder):
        for what, value in _of_step(row):
            series.setdefault(what, []).append((row["step"], value))
    return Run(
        name, folder, document["result"], started, settings, figures, kinds, series
    )


def _leaves(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its dotted name."""
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _seconds(started: str, folder: Path) -> float:
    """Seconds since 1970. Raises `UsageError`."""
    try:
        return datetime.fromisoformat(started).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(
            f"record {str(folder / record.FILE)!r} has started {started!r}: expected a "
            "time such as 2026-11-29T08:31:14+00:00"
        ) from None


def _kind(known: Mapping[str, str], path: str) -> str:
    """How the figure was obtained: by its own name, or by that of its part."""
    return known.get(path) or known.get(path.partition(".")[0], "unknown")


def _settings(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was chosen, and what it was made with, as text."""
    for name in ("target", "board", "rule", "data", "digest", "started"):
        if document.get(name) is not None:
            yield name, str(document[name])
    for part in ("experiment", "versions"):
        for name, value in document[part].items():
            plain = value if isinstance(value, str) else json.dumps(value)
            yield f"{part}.{name}", plain


def _of_step(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Figures of one step: of a list, one for each layer."""
    for name, value in row.items():
        if name == "health":
            for what, layers in value.items():
                for layer, one in enumerate(layers, 1):
                    if one is not None:
                        yield f"health.{what}.{layer}", float(one)
        elif name not in NO_FIGURES and (value in (True, False) or not number(value)):
            yield name, float(value)


def to_csv(runs: Sequence[Run], out: Path) -> list[Path]:
    """steps.csv, figures.csv and settings.csv of each run, in a folder of its name.
    Raises `StorageError`."""
    written = []
    for run in runs:
        folder = out / run.name
        with storage.naming(folder):
            folder.mkdir(parents=True, exist_ok=True)
        steps = sorted({step for points in run.series.values() for step, _ in points})
        columns = [dict(points) for points in run.series.values()]
        tables: dict[str, list[Sequence[object]]] = {
            "steps": [("step", *run.series)],
            "figures": [("figure", "value", "provenance")],
            "settings": [("setting", "value"), *run.settings.items()],
        }
        for step in steps:
            tables["steps"].append((step, *(one.get(step, "") for one in columns)))
        for name, value in run.figures.items():
            tables["figures"].append((name, value, run.kinds[name]))
        for name, rows in tables.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            written.append(storage.write(folder / f"{name}.csv", text.getvalue()))
    return written


def to_tensorboard(runs: Sequence[Run], out: Path) -> list[Path]:
    """Event files, one folder a run: `tensorboard --logdir OUT` shows them side by side.
    Raises `UsageError`, also where such a run is there already: its curves would double."""
    writer = _library("tensorboardX", "tensorboard").SummaryWriter
    folders = [out / run.name for run in runs]
    for folder in folders:
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(
                f"folder {str(folder)!r} holds something already, and TensorBoard would "
                "show both as one",
                "choose another folder, or remove this one",
            )
    for run, folder in zip(runs, folders, strict=True):
        with storage.naming(folder), writer(logdir=str(folder)) as events:
            for name, value in run.figures.items():
                events.add_scalar(f"figures/{name}", value, 0, run.started)
            for name, points in run.series.items():
                for step, value in points:
                    events.add_scalar(f"steps/{name}", value, step, run.started)
            for title, table in (("settings", run.settings), ("provenance", run.kinds)):
                rows = "".join(f"| {n} | {v} |\n" for n, v in table.items())
                events.add_text(title, f"| | |\n|---|---|\n{rows}", 0, run.started)
    return folders


def to_mlflow(runs: Sequence[Run], uri: str) -> list[str]:
    """A run of experiment "hil" for each, by its id. Raises `UsageError` where the
    server, or the file, cannot be had."""
    tracking = _library("mlflow.tracking", "mlflow")
    failed = _library("mlflow.exceptions", "mlflow").MlflowException
    try:
        client = tracking.MlflowClient(tracking_uri=uri)
        there = client.get_experiment_by_name(MLFLOW_EXPERIMENT)
        home = there.experiment_id if there else client.create_experiment(MLFLOW_EXPERIMENT)  # fmt: skip
        return [_to_mlflow(client, home, run) for run in runs]
    except failed as error:
        why = " ".join(str(error).split())[:200]
        raise UsageError(f"--mlflow {uri!r} cannot be had: {why}") from None


def _to_mlflow(client: Any, home: str, run: Run) -> str:
    entities = _library("mlflow.entities", "mlflow")
    when = int(1000 * run.started)
    made = client.create_run(home, start_time=when, run_name=run.name)
    key = str(made.info.run_id)
    metrics = [entities.Metric(n, v, when, 0) for n, v in run.figures.items()]
    metrics += [
        entities.Metric(f"steps/{name}", value, when, step)
        for name, points in run.series.items()
        for step, value in points
    ]
    tags = {"folder": str(run.folder.resolve()), "result": run.result}
    tags |= {f"provenance.{name}": kind for name, kind in run.kinds.items()}
    client.log_batch(
        key,
        params=[entities.Param(n, v[:LONGEST]) for n, v in run.settings.items()],
        tags=[entities.RunTag(name, value) for name, value in tags.items()],
    )
    for first in range(0, len(metrics), MOST_AT_ONCE):
        client.log_batch(key, metrics=metrics[first : first + MOST_AT_ONCE])
    client.set_terminated(key, "FINISHED" if run.result == "pass" else "FAILED")
    return key


def _library(module: str, extra: str) -> Any:
    """A module of a package that is an extra. Raises `UsageError` where it is missing."""
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise UsageError(
            f"--{extra} needs {package}, which is not installed",
            f"pip install 'hil-learning[{extra}]'",
        ) from None
