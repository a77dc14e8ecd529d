"""Tables of comma, semicolon or tab separated values, as arrays x and y."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from math import isfinite
from pathlib import Path

import numpy as np

from hil.data import arrays, text
from hil.data.arrays import Given
from hil.errors import DataError

SUFFIXES = (".csv", ".tsv")
LABELS = ("label", "labels", "class", "target", "y")
"""Names of the column with the labels where nobody names it; else it is the last."""
MISSING = ("", "?", "na", "n/a", "nan", "null")
"""A value that is not there, in small letters."""
LOOKED_AT = 16
"""Lines among which is the first that is not blank."""
MOST_TEXTS = 1 << 16
"""Different texts of the labels at most."""
SHOWN = 40
"""Characters that are told of a cell."""
NAMES_SHOWN = 8
TIMES = ("timestamp", "timestamp_ms", "time", "time_ms")
"""Names of a column with the time of each reading, which is no reading itself."""


def read(path: Path, column: str | None) -> Given:
    """The samples of a table, their labels (or numbers to learn) from the column of
    that name, or that number counted from 1. Raises `DataError`, naming line and
    column."""
    origin = f"data file {str(path)!r}"
    with text.opened(path, origin) as lines:
        try:
            return _Table(path, origin, lines, column).given()
        except csv.Error as error:
            raise DataError(f"{origin} is no table: {error}") from None


@dataclass(frozen=True, eq=False)
class Readings:
    """A table of numbers alone: values [rows, columns], and the columns' names (their
    numbers from 1 without a header). `left_out` is the column of the time, "" without."""

    values: np.ndarray
    names: tuple[str, ...]
    left_out: str = ""

    @property
    def elements(self) -> tuple[str, ...]:
        """What each number is called, row by row."""
        rows = range(len(self.values))
        return tuple(f"{name}[{row}]" for row in rows for name in self.names)


def readings(path: Path) -> Readings:
    """The numbers of a table without labels. Raises `DataError`, naming line and
    column."""
    origin = f"data file {str(path)!r}"
    with text.opened(path, origin) as lines:
        try:
            return _Readings(path, origin, lines, None).found()
        except csv.Error as error:
            raise DataError(f"{origin} is no table: {error}") from None


def texts(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table as they are written, each with the number of its line, a first
    one always. Raises `DataError`."""
    origin = f"data file {str(path)!r}"
    with text.opened(path, origin) as lines:
        begun = [*islice(lines, LOOKED_AT)]
        rows = csv.reader(
            chain(begun, lines), delimiter=_separator(path, begun),
            skipinitialspace=True, strict=True,
        )  # fmt: skip
        try:
            for cells in rows:
                yield rows.line_num, [cell.strip() for cell in cells]
        except csv.Error as error:
            raise DataError(f"{origin} is no table: {error}") from None


class _Table:
    """A table while it is read."""

    LEAST = 2
    """Columns at least."""

    def __init__(
        self, path: Path, origin: str, lines: Iterator[str], column: str | None
    ) -> None:
        self.path, self.origin = path, origin
        begun = [*islice(lines, LOOKED_AT)]
        self.between = _separator(path, begun)
        self.rows = self._cells(chain(begun, lines))
        line, cells = next(self.rows, (0, []))
        names = [cell.strip() for cell in cells]
        self.header = is_header(names)
        self.names = names if self.header else []
        self.width = len(names)
        if self.width < self.LEAST:
            raise DataError(
                f"{origin} has {self.width or 'no'} column: expected features and a "
                "label, between commas, semicolons or tabs"
            )
        self.place = self._label(column)
        self.values = array("d")
        self.numbers = text.Numbers()
        self.whole = True
        self.labels = _Labels()
        if not self.header:
            self._take(line, cells)

    def _cells(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
        """Each row that is not blank, with the number of its last line."""
        found = csv.reader(
            lines, delimiter=self.between, skipinitialspace=True, strict=True
        )
        for cells in found:
            if any(map(str.strip, cells)):
                yield found.line_num, cells

    def _label(self, column: str | None) -> int:
        """The place of the column with the labels."""
        if column is None:
            known = [i for i, name in enumerate(self.names) if name.lower() in LABELS]
            return known[0] if len(known) == 1 else self.width - 1
        if column in self.names:
            return self.names.index(column)
        if column.isascii() and column.isdecimal() and 1 <= int(column) <= self.width:
            return int(column) - 1
        names = ", ".join(map(repr, map(short, self.names[:NAMES_SHOWN]))) or "no names"
        raise DataError(
            f"{self.origin} has no column {column!r}: expected a number from 1 to "
            f"{self.width}, or one of {names}"
        )

    def _take(self, line: int, cells: list[str]) -> None:
        if len(cells) != self.width:
            raise DataError(
                f"{self.origin}: line {line} has {len(cells)} columns, but the first line "
                f"has {self.width}",
                self._mended(", on_bad_lines='skip'") + " leaves out such lines",
            )
        self._take_label(line, cells)
        self.whole = self.whole and text.is_whole("".join(cells))
        try:
            values = [*map(self.numbers.__getitem__, cells)]
        except ValueError:
            values = [float("nan")]
        if not isfinite(sum(values)):
            self._require_numbers(line, cells)
        self.values.fromlist(values)

    def _take_label(self, line: int, cells: list[str]) -> None:
        """Take its cell out of those of a line."""
        label = cells.pop(self.place).strip()
        if label.lower() in MISSING:
            raise self._wrong(line, self.place, label)
        self.labels.take(line, label)

    def _require_numbers(self, line: int, cells: list[str]) -> None:
        for place, cell in enumerate(map(str.strip, cells)):
            try:
                right = isfinite(float(cell))
            except ValueError:
                right = False
            if not right:
                raise self._wrong(line, place + (place >= self.place), cell)

    def _wrong(self, line: int, place: int, cell: str) -> DataError:
        where = f"{self.origin}: line {line}, column {self.named(place)}"
        if cell.lower() in MISSING:
            but = f" but {cell!r}" if cell else ""
            gaps = self._mended(", na_values='?'", ".dropna()")
            return DataError(f"{where} has no value{but}", f"{gaps} leaves out gaps")
        return DataError(
            f"{where} holds {short(cell)!r}: expected a finite number",
            self._mended_cell(place, cell),
        )

    def _mended_cell(self, place: int, cell: str) -> str:
        if _is_number(cell):
            finite = ".replace([np.inf, -np.inf], np.nan).dropna()"
            return f"{self._mended('', finite)} leaves out such lines"
        if _is_number(cell.replace(",", ".")):
            return self._mended(", decimal=','")
        if not self.header:
            return (
                f"--data {self.path}:{place + 1} if column {place + 1} has the labels; "
                "a first line is a header where none of its cells is a number"
            )
        hot = f".pipe(pandas.get_dummies, columns=[{self.named(place)}], dtype=int)"
        label = short(self.names[self.place])
        return (
            f"{self._mended('', hot)} makes numbers of texts; then --data "
            f"mended.csv:{label} names the labels"
        )

    def _mended(self, reading: str, *then: str) -> str:
        """The line that reads the table with pandas and writes it mended."""
        between = "" if self.between == "," else f", sep={self.between!r}"
        none = "" if self.header else ", header=None"
        written = "" if self.header else ", header=False"
        return (
            f"pandas.read_csv({self.path.name!r}{between}{none}{reading}){''.join(then)}"
            f".to_csv('mended.csv', index=False{written})"
        )

    def named(self, place: int) -> str:
        """What people call a column."""
        name = self.names[place] if self.names else ""
        return repr(short(name)) if name else str(place + 1)

    def given(self) -> Given:
        """What it is, once all lines are read."""
        for line, cells in self.rows:
            self._take(line, cells)
        features = self.width - 1
        rows = len(self.values) // features
        if not rows:
            raise DataError(f"{self.origin} has a header and no rows")
        x = text.numbers(self.values, self.whole).reshape(rows, features)
        y = self.labels.array(self.origin, self.path.name, self.named(self.place), rows)
        names = self.names or [str(1 + place) for place in range(self.width)]
        names = [name for place, name in enumerate(names) if place != self.place]
        said = f"{rows:,} rows, label in column {self.named(self.place)}"
        if self.header and self.place and not self.names[0] and _counts(x[:, 0]):
            x, names = x[:, 1:], names[1:]
            said += ", the first column has no name and counts the rows: left out"
        if not x.shape[1]:
            raise DataError(f"{self.origin} has no column but labels")
        return Given(self.origin, {"x": x, "y": y}, (said,), tuple(names))


class _Readings(_Table):
    """A table of numbers, without labels."""

    LEAST = 1

    def _label(self, column: str | None) -> int:
        """Behind the last column."""
        return self.width

    def _take_label(self, line: int, cells: list[str]) -> None:
        """There is none."""

    def _mended_cell(self, place: int, cell: str) -> str:
        if _is_number(cell.replace(",", ".")) and not _is_number(cell):
            return self._mended(", decimal=','")
        return "a file of a folder of windows holds numbers alone (docs/data.md)"

    def found(self) -> Readings:
        """What it is, once all lines are read."""
        for line, cells in self.rows:
            self._take(line, cells)
        values = text.numbers(self.values, self.whole).reshape(-1, self.width)
        if not len(values):
            raise DataError(f"{self.origin} has a header and no rows")
        names = self.names or [str(1 + place) for place in range(self.width)]
        timed = [place for place, name in enumerate(names) if name.lower() in TIMES]
        if len(timed) != 1 or self.width == 1:
            return Readings(values, tuple(names))
        left_out = names.pop(timed[0])
        return Readings(np.delete(values, timed[0], axis=1), tuple(names), left_out)


class _Labels:
    """The column of the labels: numbers if all are, else texts."""

    def __init__(self) -> None:
        self.numbers = array("d")
        self.whole = True
        self.codes = array("L")
        self.known: dict[str, int] = {}
        self.words: list[tuple[int, str]] = []
        self.first = 0

    def take(self, line: int, cell: str) -> None:
        """The next one, which is there."""
        self.first = self.first or line
        if len(self.known) <= MOST_TEXTS:
            self.codes.append(self.known.setdefault(cell, len(self.known)))
        self.whole = self.whole and text.is_whole(cell)
        try:
            self.numbers.append(float(cell))
        except ValueError:
            self.numbers.append(0.0)
            self.words = [*self.words[:1], (line, cell)]

    def array(self, origin: str, name: str, column: str, rows: int) -> np.ndarray:
        """All of them, of the file of that name. Raises `DataError`."""
        if not self.words:
            return text.numbers(self.numbers, self.whole)
        line, word = self.words[0]
        if self.first == line and len(self.words) == 1 and rows > 1:
            raise DataError(
                f"{origin}: line {line}, column {column} holds {short(word)!r} and every line "
                "below it a number: expected a header without numbers, or none",
                f"pandas.read_csv({name!r}).add_prefix('c').to_csv('mended.csv', "
                "index=False) names all columns",
            )
        longest = max(map(len, self.known))
        if len(self.known) > MOST_TEXTS or rows * longest * 4 > arrays.MOST:
            raise DataError(
                f"{origin}: line {line}, column {column} holds {short(word)!r}, one of "
                "too many or too long texts: expected labels, or numbers alone"
            )
        return np.array([*self.known])[np.frombuffer(self.codes, self.codes.typecode)]


def is_header(cells: list[str]) -> bool:
    """Whether a first row names columns: none of its cells is a number; or the first
    is empty and the others count columns, as pandas writes an index."""
    if cells and not cells[0] and len(cells) > 1:
        counted = [str(place) for place in range(len(cells) - 1)]
        if cells[1:] == counted:
            return True
    return not any(map(_is_number, cells))


def short(cell: str) -> str:
    """A cell, at most so long."""
    return cell if len(cell) <= SHOWN else cell[: SHOWN - 3] + "..."


def _separator(path: Path, begun: list[str]) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    first = next((line for line in begun if line.strip()), "")
    return max(",;\t", key=first.count)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _counts(values: np.ndarray) -> bool:
    return bool((values == np.arange(len(values))).all())
