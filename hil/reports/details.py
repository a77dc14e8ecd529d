"""The tables behind a run's pictures: for CSV, they are not on the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hil.reports.grids import confusion, reliability
from hil.reports.provenance import Number
from hil.reports.runs import Run
from hil.reports.tables import Cell, Table


def details(run: Run) -> Iterator[Table]:
    """Those that this run has."""
    for make in (_tasks, _confusion, _reliability):
        yield from make(run)


def _tasks(run: Run) -> Iterator[Table]:
    matrix, tasks = run.get("accuracy.matrix"), run.tasks
    if not matrix or not tasks or not any(v is not None for r in matrix for v in r):
        return
    kind = run.kind("accuracy.matrix")
    told = [(f"after {t.name}", row) for t, row in zip(tasks, matrix, strict=False)]
    told.insert(0, ("before", run.get("accuracy.initial") or []))
    rows = tuple((name, *_numbers(row, kind)) for name, row in told)
    head = ("", *(task.name for task in tasks))
    yield Table(f"tasks-{run.place + 1}", "R matrix", head, rows)


def _confusion(run: Run) -> Iterator[Table]:
    found = confusion(run)
    if found is None:
        return
    counts, kind = found[0].tolist(), run.kind("accuracy.prequential")
    head = ("true class", *(f"predicted {c}" for c in range(len(counts))))
    rows = tuple((str(c), *_numbers(row, kind)) for c, row in enumerate(counts))
    yield Table(f"confusion-{run.place + 1}", "Confusion matrix", head, rows)


def _reliability(run: Run) -> Iterator[Table]:
    found = reliability(run)
    if found is None:
        return
    kind = run.kind("accuracy.prequential")
    head = ("bin", "mean confidence", "accuracy", "samples")
    rows = tuple((str(b), *_numbers(v, kind)) for b, v in enumerate(found[0], 1))
    yield Table(f"reliability-{run.place + 1}", "Calibration", head, rows)


def _numbers(values: Sequence[Any], kind: str) -> list[Cell]:
    return [None if v is None else Number(v, str(v), kind) for v in values]
