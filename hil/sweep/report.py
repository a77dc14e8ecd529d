"""What a sweep leaves behind: table.md, table.csv, cells.csv and sweep.json.

Accuracies are shares of 1 in CSV and JSON, and per cent in table.md.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hil.output import SCHEMA
from hil.records import baselines
from hil.records.record import require_provenance, write_json
from hil.sweep.cells import SEED
from hil.sweep.summary import Best, Row, Settled, Spread, value_of
from hil.versions import version
from targets import storage

TABLE, CELLS = "table.csv", "cells.csv"
MARKDOWN, JSON = "table.md", "sweep.json"

FIGURES = ("test", "prequential", *baselines.NAMES, "rmse")
PARTS = ("mean", "std", "min", "max")


def shown(value: Any) -> str:
    """A setting as a person writes it."""
    if value is None:
        return ""
    if isinstance(value, (tuple, list)):
        return "-".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def label(settings: Mapping[str, Any]) -> str:
    """Settings in a line; those without a value are left out."""
    parts = (f"{key} {shown(v)}" for key, v in settings.items() if v is not None)
    return ", ".join(parts)


def percent(share: float | None) -> str:
    """0.9815 -> 98.15; nothing for None."""
    return "" if share is None else f"{100 * share:.2f}"


def document(
    name: str,
    settled: Sequence[Settled],
    keys: Sequence[str],
    found: Sequence[Row],
    winners: Sequence[Best],
    fixed: Mapping[str, Any],
) -> dict[str, Any]:
    """sweep.json. Raises `ProvenanceError`."""
    made: dict[str, Any] = {
        "schema": SCHEMA,
        "sweep": name,
        "hil": version(),
        "keys": list(keys),
        "fixed": _plain(fixed),
        "rows": [_row(row) for row in found],
        "cells": [_cell(one, keys) for one in settled],
        "best": [
            {"settings": _plain(one.settings), "key": one.key, "value": one.value}
            for one in winners
        ],
    }
    for part in (*made["rows"], *made["cells"]):
        figures = {key: value for key, value in part.items() if key != "settings"}
        require_provenance(figures)
    return made


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has them."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}


def _row(row: Row) -> dict[str, Any]:
    kinds = dict.fromkeys(FIGURES, row.provenance) if row.provenance else {}
    kinds |= dict.fromkeys(baselines.NAMES, "reference")
    return {
        **asdict(row),
        "settings": _plain(row.settings),
        "seeds": list(row.seeds),
        "provenance": {"n": "counted", "missing": "counted", **kinds},
    }


def _cell(one: Settled, keys: Sequence[str]) -> dict[str, Any]:
    outcome, record, there = one.outcome, one.record or {}, one.confirmed or {}
    accuracy, experiment = record.get("accuracy", {}), record.get("experiment", {})
    kinds = record.get("provenance", {})
    return {
        "settings": {
            **_plain({key: one.cell.asked.get(key) for key in keys}),
            "seed": one.seed,
            "lr": experiment.get("lr"),
            "lr_decay": experiment.get("lr_decay"),
            "steps": record.get("steps"),
            "exit_code": outcome.exit_code if outcome else None,
        },
        "state": outcome.state if outcome else "missing",
        "error": outcome.error if outcome else None,
        "test": accuracy.get("test"),
        "tested": accuracy.get("tested"),
        "part": accuracy.get("part"),
        "prequential": accuracy.get("prequential"),
        **{n: (accuracy.get("baselines") or {}).get(n) for n in baselines.NAMES},
        "rmse": (record.get("residuals") or {}).get("rmse"),
        "learned": record.get("learned"),
        "compared": record.get("compared"),
        "digest": record.get("digest"),
        "prefix_digest": record.get("prefix_digest"),
        "confirmed_by": there.get("target"),
        "confirmed_digest": there.get("digest"),
        "build": record.get("image", {}).get("build_digest"),
        "identity": outcome.identity if outcome else None,
        "folder": record.get("folder"),
        "provenance": {
            "test": kinds.get("accuracy", "counted"),
            "prequential": kinds.get("accuracy", "counted"),
            **dict.fromkeys(baselines.NAMES, "reference"),
            "rmse": kinds.get("residuals", "counted"),
            "tested": "counted",
            "learned": "counted",
            "compared": "counted",
        },
    }


def write(folder: Path, made: Mapping[str, Any], markdown: str) -> None:
    """Write all four into `folder`. Raises `StorageError`."""
    write_json(folder / JSON, made)
    storage.write(folder / MARKDOWN, markdown)
    _write_csv(folder / TABLE, [_flat_row(row) for row in made["rows"]])
    _write_csv(folder / CELLS, [_flat_cell(cell) for cell in made["cells"]])


def _flat_row(row: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: shown(value) for key, value in row["settings"].items()}
    flat |= {"n": row["n"], "missing": row["missing"], "part": row["part"]}
    for figure in FIGURES:
        spread: dict[str, Any] = row[figure] or dict.fromkeys(PARTS)
        flat |= {f"{figure}_{part}": spread[part] for part in PARTS}
    kind = row["provenance"].get("test", "")
    return {**flat, "provenance": kind, "seeds": " ".join(map(str, row["seeds"]))}


def _flat_cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: shown(value) for key, value in cell["settings"].items()}
    nested = ("settings", "provenance", "error")
    rest = {name: value for name, value in cell.items() if name not in nested}
    rest["error"] = (cell["error"] or {}).get("sentence")
    known = any(cell[figure] is not None for figure in FIGURES)
    return {**flat, **rest, "provenance": cell["provenance"]["test"] if known else ""}


def _write_csv(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    storage.write(path, text.getvalue())


def markdown(
    name: str,
    settled: Sequence[Settled],
    keys: Sequence[str],
    found: Sequence[Row],
    winners: Sequence[Best],
    fixed: Mapping[str, Any],
) -> str:
    """table.md: the rows in per cent, and what must be known to read them."""
    parts = {row.part for row in found if row.part} or {"test"}
    tested = " or ".join(sorted(parts))
    labelled = not any(row.rmse for row in found)
    what = [f"{tested} {'%' if labelled else 'RMSE'}", "std", "n", "min", "max"]
    guesses = [f"{name.replace('_', ' ')} %" for name in baselines.NAMES]
    before = ["prequential %", "std", *guesses] if labelled else []
    head = [*keys, *what, *before, "kind"]
    lines = [_line(head), _line(["---"] * len(head))]
    lines += [_line(_of_row(row, keys, labelled)) for row in found]
    text = [f"# {name}", "", *lines, "", *_notes(settled, fixed)]
    text += [f"- {winner(one)}" for one in winners]
    failures = [failure(one, keys) for one in settled]
    text += [f"- failed: {told}" for told in failures if told]
    return "\n".join(text) + "\n"


def _of_row(row: Row, keys: Sequence[str], labelled: bool) -> list[str]:
    n = f"{row.n} of {row.n + row.missing}" if row.missing else str(row.n)
    settings = [shown(row.settings[key]) for key in keys]
    spread = _cells(row.test) if labelled else _cells(row.rmse, "{:.4f}".format)
    guesses = [_cells(getattr(row, name))[0] for name in baselines.NAMES]
    before = [*_cells(row.prequential)[:2], *guesses] if labelled else []
    return [*settings, *spread[:2], n, *spread[2:], *before, row.provenance]


def winner(one: Best) -> str:
    """Which value did best, in a line."""
    where = f"{label(one.settings)}: " if one.settings else ""
    if one.row.test is not None:
        figure = f"accuracy {percent(one.row.test.mean)} %"
    else:
        assert one.row.rmse is not None
        figure = f"RMSE {one.row.rmse.mean:.4f}"
    return (
        f"best {one.key}: {where}{shown(one.value)}, {one.row.part} {figure}, mean of "
        f"{one.row.n} seeds"
    )


def failure(one: Settled, keys: Sequence[str]) -> str:
    """Which cell failed and why; nothing for one that did not."""
    if one.outcome is None or one.outcome.error is None:
        return ""
    settings = {key: value_of(one.cell, key) for key in keys}
    where = label({**settings, SEED: one.seed})
    return f"{where}: {one.outcome.error['sentence']}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(spread: Spread | None, show: Callable[[float], str] = percent) -> list[str]:
    if spread is None:
        return [""] * len(PARTS)
    values = [getattr(spread, part) for part in PARTS]
    return ["" if value is None else show(value) for value in values]


def _notes(settled: Sequence[Settled], fixed: Mapping[str, Any]) -> list[str]:
    """What holds for all rows, and what was compared."""
    records = [one.record for one in settled if one.record is not None]
    notes = [f"- mean and sample standard deviation over seeds; hil {version()}"]
    if any(record["accuracy"].get("baselines") for record in records):
        notes.append(
            "- majority and same as last: what guesses have right of the samples that the "
            "prequential accuracy is of (reference)"
        )
    if fixed:
        notes.append(f"- for all: {label(fixed)}")
    if records:
        compared = sum(record["compared"] for record in records)
        learned = sum(record["learned"] for record in records)
        rest = "" if compared == learned else ", the others not compared"
        notes.append(
            f"- {compared:,} of {learned:,} steps compared with the reference, each "
            f"bit-exact{rest}"
        )
    confirmed = [one.confirmed for one in settled if one.confirmed is not None]
    if confirmed:
        targets = ", ".join(dict.fromkeys(there["target"] for there in confirmed))
        notes.append(
            f"- {len(confirmed)} of {len(settled)} cells: the digest after the prefix "
            f"confirmed by {targets}"
        )
    return notes
