"""The tables of a report: runs side by side, a kind beside every figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hil.records import run_files
from hil.reports import bill as bills
from hil.reports.bill import Bill
from hil.reports.provenance import Number, kind_of
from hil.reports.runs import Demo, Run

FAULTS = (
    "Faults were put into the line on purpose; kinds that did not happen are left out."
)
NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
Cell = str | Number | None


@dataclass(frozen=True)
class Table:
    """Rows under a head, whose first column names them. `name` is that of its CSV;
    `runs` says which columns after the first are runs."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    runs: tuple[Run, ...] = ()
    note: str = ""

    @property
    def figures(self) -> bool:
        """Whether it holds any, so that it needs a column of kinds."""
        return any(isinstance(cell, Number) for row in self.rows for cell in row)


def kind_in(row: Sequence[Cell]) -> str:
    """The one kind of all figures in a row, empty where there are several."""
    kinds = {cell.kind for cell in row if isinstance(cell, Number)}
    return kinds.pop() if len(kinds) == 1 else ""


def percent(value: float) -> str:
    """A share, as a person reads it."""
    return _together(f"{100 * value:.2f} %")


def points(value: float) -> str:
    """A difference of two shares."""
    return _together(f"{100 * value:+.2f} points")


def amount(value: float) -> str:
    """A count or a mean, its thousands apart."""
    if isinstance(value, int) or float(value).is_integer():
        return _together(f"{int(value):,}")
    return _together(f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}")


def error_of(value: float) -> str:
    """A calibration error, one of outputs, or an R2."""
    return f"{value:.4f}"


def size(value: float) -> str:
    """Bytes."""
    return _together(f"{amount(value)} bytes")


def seconds(value: float) -> str:
    """Host seconds."""
    return _together(f"{value:,.2f} s")


def _together(text: str) -> str:
    """The text with no-break spaces, which keep a number and its unit on one line, and
    with a typographic minus."""
    return text.replace("-", MINUS).replace(" ", "\N{NO-BREAK SPACE}")


Fact = tuple[str, str, Callable[[float], str]]
LEARNING: tuple[Fact, ...] = (
    ("Test accuracy", "accuracy.test", percent),
    ("Test error, root mean square (RMSE)", "residuals.rmse", error_of),
    ("Test error, mean absolute (MAE)", "residuals.mae", error_of),
    ("Share of the test targets' variance explained (R2)", "residuals.r2", error_of),
    ("Prequential accuracy, all of the stream", "accuracy.prequential", percent),
    ("Right without learning: majority so far", "accuracy.baselines.majority", percent),
    ("Right without learning: same as last", "accuracy.baselines.same_as_last", percent),
    ("Prequential accuracy at the end, sliding window", "metrics.windowed", percent),
    ("Prequential accuracy at the end, fading", "metrics.fading", percent),
    ("Prequential accuracy in each task", "metrics.prequential_by_task", percent),
    ("Majority so far in each task", "metrics.majority_by_task", percent),
    ("Same as last in each task", "metrics.same_as_last_by_task", percent),
    ("Average accuracy of all tasks at the end (ACC)", "metrics.average_accuracy", percent),
    ("Forgetting (F)", "metrics.forgetting", points),
    ("Backward transfer (BWT)", "metrics.backward_transfer", points),
    ("Forward transfer (FWT)", "metrics.forward_transfer", points),
    ("Steps to recover after each change", "metrics.recovery_steps", amount),
    ("Calibration error (ECE)", "metrics.calibration_error", error_of),
)  # fmt: skip
COST: tuple[Fact, ...] = (
    ("Steps learned", "learned", amount),
    ("Steps compared bit for bit", "compared", amount),
    ("Test samples inferred", "accuracy.tested", amount),
    ("Instructions of a step, mean", "instructions_per_step", amount),
    ("Cycles of a step, mean", "cycles_per_step", amount),
    ("Weights written in a step, mean", "weights_written_per_step", amount),
    ("RAM of the image", "image.ram", size),
    ("Code and constants of the image", "image.text", size),
    ("Stack used", "device.stack", size),
    ("Steps in a second of host time", "speed.steps_per_second", amount),
    ("Host time, all stages", "seconds.total", seconds),
)
UNMEASURED_AT_0 = ("device.stack",)
OF_TASKS = tuple(f"metrics.{name}" for name in run_files.BY_TASK)
"""Lists, which say nothing of a run without tasks."""


def facts(runs: Sequence[Run]) -> list[Table]:
    """What was learned, and what it took."""
    return [
        table
        for name, title, rows in (
            ("learning", "What was learned", LEARNING),
            ("cost", "What it took", COST),
        )
        if (table := _table(name, title, runs, rows)).rows
    ]


def _table(name: str, title: str, runs: Sequence[Run], facts: Sequence[Fact]) -> Table:
    rows = [
        (label, *(number(run, path, show) for run in runs))
        for label, path, show in facts
    ]
    told = tuple(row for row in rows if any(cell is not None for cell in row[1:]))
    return Table(name, title, _head(runs), told, tuple(runs))


def _head(runs: Sequence[Run]) -> tuple[str, ...]:
    return ("", *(run.label for run in runs))


def number(run: Run, path: str, show: Callable[[float], str]) -> Number | None:
    """The figure at a path of the record, or a list of them; None where there is
    none. Raises `UsageError`."""
    value = run.get(path)
    if value is None or (path in UNMEASURED_AT_0 and not value):
        return None
    if path in OF_TASKS and not (run.tasks and any(v is not None for v in value)):
        return None
    return Number(value, _shown(value, show), run.kind(path))


def _shown(value: Any, show: Callable[[float], str]) -> str:
    if isinstance(value, Sequence):
        return ", ".join(NONE if v is None else show(v) for v in value)
    return show(value)


def demo_metrics(demo: Demo) -> Table | None:
    """What the demo set out to show."""
    told = demo.document
    metrics: Mapping[str, Any] = told.get("metrics") or {}
    meaning: Mapping[str, Any] = told.get("meaning") or {}
    rows: list[tuple[Cell, ...]] = [
        (_capital(str(meaning.get(name) or words(name))),
         Number(value, _metric(name, value), kind_of(told, f"metrics.{name}")))
        for name, value in metrics.items()
        if value is not None
    ]  # fmt: skip
    if not rows:
        return None
    return Table("demo", "What the demo shows", ("", "figure"), tuple(rows))


def _metric(name: str, value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_metric(name, each) for each in value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return NONE if value is None else str(value)
    if name.endswith("_points"):
        return points(value)
    return percent(value) if isinstance(value, float) and abs(value) <= 1 else amount(value)  # fmt: skip


def words(name: str) -> str:
    """A key as a person says it."""
    return _capital(name.replace("_", " "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def link(runs: Sequence[Run]) -> Table:
    """What the line went through, and the faults that were put into it."""
    rows: list[tuple[Cell, ...]] = []
    for name in _keys(run.get("link") for run in runs):
        rows.append((words(name), *(number(r, f"link.{name}", amount) for r in runs)))
    for way in _keys(run.get("faults") for run in runs):
        for name in _keys(run.get(f"faults.{way}") for run in runs):
            cells = [number(r, f"faults.{way}.{name}", amount) for r in runs]
            if any(cell is not None and cell.value for cell in cells):
                rows.append((f"Fault {words(way).lower()}: {name}", *cells))
    for name in ("damaged", "overruns"):
        seen = [number(r, f"device.{name}", amount) for r in runs]
        if any(cell is not None for cell in seen):
            rows.append((f"{words(name)}, seen by the device", *seen))
    note = "" if not any(r.get("faults") for r in runs) else FAULTS
    return Table("link", "Link and faults", _head(runs), tuple(rows), tuple(runs), note)


def _keys(tables: Any) -> list[str]:
    """Keys of all these tables, in order."""
    return list({key: None for table in tables if table for key in table})


def settings(runs: Sequence[Run]) -> Table | None:
    """The keys in which the experiments differ."""
    told = [run.get("experiment") or {} for run in runs]
    rows = [
        (key, *(_setting(one.get(key)) for one in told))
        for key in _keys(told)
        if any(one.get(key) != told[0].get(key) for one in told)
    ]
    if not rows:
        return None
    return Table(
        "settings", "In what the runs differ", _head(runs), tuple(rows), tuple(runs)
    )


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={inner}" for name, inner in value.items())
    return NONE if value is None else str(value)


def versions(runs: Sequence[Run]) -> Table:
    """What it was made with; one column where all agree."""
    told = [
        {**(run.get("versions") or {}), "build": run.get("image.build_digest") or NONE}
        for run in runs
    ]
    alike = all(one == told[0] for one in told)
    shown, of = (told[:1], ()) if alike else (told, tuple(runs))
    rows = tuple(
        (key, *(str(one.get(key) or NONE) for one in shown)) for key in _keys(shown)
    )
    head = ("", "all runs" if len(runs) > 1 else "version") if alike else _head(runs)
    return Table("versions", "Versions", head, rows, of)


def memory(bill: Bill, number: int) -> Table:
    """RAM, part by part."""
    kind = bills.KIND
    rows: list[tuple[Cell, ...]] = []
    for part in bills.PARTS:
        sizes = [use.parts[part] for use in bill.uses]
        if any(sizes):
            rows.append(
                (
                    part,
                    *(None if s is None else Number(s, size(s), kind) for s in sizes),
                )
            )
    totals = [use.total for use in bill.uses]
    name = "in all" if bill.stack_known else "in all, without stack"
    rows.append((name, *(Number(t, size(t), kind) for t in totals)))
    rows.append(
        ("times inference", *(Number(t / totals[0], f"{t / totals[0]:.4f}", kind) for t in totals))
    )  # fmt: skip
    head = ("", *(use.name for use in bill.uses))
    return Table(f"memory-{number}", "Memory bill", head, tuple(rows))
