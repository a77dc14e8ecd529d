"""A report's pictures and tables as files of their own."""

from __future__ import annotations

import csv as csv_format
import io
import json
from pathlib import Path
from typing import Any

from hil.reports.page import Report
from hil.reports.provenance import Number
from hil.reports.tables import Cell, Table, kind_in
from targets import storage


def png(report: Report, folder: Path) -> list[Path]:
    """Every picture in `folder`, which is made if need be. Raises
    `StorageError`."""
    _make(folder)
    return [picture.png(folder) for picture in report.pictures]


def csv(report: Report, folder: Path) -> list[Path]:
    """Every table in `folder`: numbers as the record has them, and a last column
    that says how those of the row were obtained. Raises
    `StorageError`."""
    _make(folder)
    return [_write(table, folder / f"{table.name}.csv") for table in report.tables]


def _make(folder: Path) -> None:
    with storage.naming(folder):
        folder.mkdir(parents=True, exist_ok=True)


def _write(table: Table, path: Path) -> Path:
    text = io.StringIO()
    lines = csv_format.writer(text)
    lines.writerow([*table.head, *(["provenance"] if table.figures else [])])
    for row in table.rows:
        kinds = [kind_in(row) or _kinds(row)] if table.figures else []
        lines.writerow([*map(_plain, row), *kinds])
    return storage.write(path, text.getvalue())


def _kinds(row: tuple[Cell, ...]) -> str:
    """The kinds of a row that has several, in order of its columns."""
    return " ".join(cell.kind for cell in row if isinstance(cell, Number))


def _plain(cell: Cell) -> Any:
    if not isinstance(cell, Number):
        return cell
    return cell.value if isinstance(cell.value, (int, float, str)) else json.dumps(cell.value)  # fmt: skip
