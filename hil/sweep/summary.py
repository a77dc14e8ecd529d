"""The figures of a sweep: cells side by side, and rows over their seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hil.records import baselines
from hil.sweep.cells import SEED, Cell
from hil.sweep.settle import Document, Outcome

Settings = Mapping[str, Any]

QUIET = ("name", "save", "prefix", "compare", "test", "resident", "thin", "window")
"""Keys that change nothing of what is learned."""


@dataclass(frozen=True)
class Settled:
    """A cell with its outcome, None while it has none; `record` is its
    run.json where it passed, `confirmed` that of the second target."""

    cell: Cell
    outcome: Outcome | None
    record: Document | None = None
    confirmed: Document | None = None

    @property
    def seed(self) -> int:
        """The seed of weights, feedback and order."""
        return self.cell.experiment.seed


@dataclass(frozen=True)
class Spread:
    """Shares of 1 over seeds: mean, sample standard deviation (None for one
    seed), least and largest."""

    mean: float
    std: float | None
    min: float
    max: float


@dataclass(frozen=True)
class Row:
    """Cells that differ in their seed alone. `n` of them passed, `missing` did
    not; `part` is what was tested, "test" or "holdout", and `provenance` how the
    accuracies were obtained. `majority` and `same_as_last` are the baselines of the
    prequential accuracy."""

    settings: Settings
    seeds: tuple[int, ...]
    n: int
    missing: int
    test: Spread | None
    prequential: Spread | None
    part: str
    provenance: str
    rmse: Spread | None = None
    majority: Spread | None = None
    same_as_last: Spread | None = None


@dataclass(frozen=True)
class Best:
    """The value of a key that did best among rows that differ in it alone."""

    settings: Settings
    key: str
    value: Any
    row: Row


def value_of(cell: Cell, key: str) -> Any:
    """The value of a key, a rule's parameter included; None where it has none."""
    if "." in key:
        return cell.asked.get(key)
    return getattr(cell.experiment, key)


def varied(cells: Sequence[Cell]) -> list[str]:
    """Keys with more than one value among the cells, but for seeds and for quiet
    ones that the others tell apart; where there are none, those that name a cell
    best."""
    names = list(dict.fromkeys(name for cell in cells for name in cell.asked))
    found = [
        name
        for name in names
        if name != SEED and len({repr(value_of(cell, name)) for cell in cells}) > 1
    ]
    for name in QUIET:
        others = [key for key in found if key != name]
        told = {
            repr([value_of(cell, key) for key in (*others, SEED)]) for cell in cells
        }
        if name in found and len(told) == len(cells):
            found = others
    return found or ["data", "network", "rule"]


def fixed(cells: Sequence[Cell]) -> Settings:
    """Keys that the sweep gives and that have one value in all of it."""
    first = cells[0].asked
    return {
        name: first[name]
        for name in first
        if name != SEED and len({repr(value_of(cell, name)) for cell in cells}) == 1
    }


def rows(settled: Iterable[Settled], keys: Sequence[str]) -> list[Row]:
    """A row for each combination of `keys`, in the order in which they come."""
    groups: dict[str, list[Settled]] = {}
    for one in settled:
        name = repr([value_of(one.cell, key) for key in keys])
        groups.setdefault(name, []).append(one)
    return [_row(group, keys) for group in groups.values()]


def _row(group: Sequence[Settled], keys: Sequence[str]) -> Row:
    records = [one.record for one in group if one.record is not None]
    return Row(
        settings={key: value_of(group[0].cell, key) for key in keys},
        seeds=tuple(one.seed for one in group if one.record is not None),
        n=len(records),
        missing=len(group) - len(records),
        test=_spread([record["accuracy"]["test"] for record in records]),
        prequential=_spread([record["accuracy"]["prequential"] for record in records]),
        rmse=_spread(
            [(record.get("residuals") or {}).get("rmse") for record in records]
        ),
        **{
            name: _spread([_baseline(record, name) for record in records])
            for name in baselines.NAMES
        },
        part=_joined(record["accuracy"]["part"] for record in records),
        provenance=_joined(record["provenance"]["accuracy"] for record in records),
    )


def _baseline(record: Mapping[str, Any], name: str) -> float | None:
    return (record["accuracy"].get("baselines") or {}).get(name)


def _joined(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _spread(values: Sequence[float | None]) -> Spread | None:
    """None where a run has no such figure."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    std = statistics.stdev(known) if len(known) > 1 else None
    return Spread(statistics.mean(known), std, min(known), max(known))


def best(found: Sequence[Row], key: str) -> list[Best]:
    """For each combination of the other settings the value of `key` whose mean
    test accuracy is highest, or RMSE lowest, the smaller of equal ones. A row with a cell
    missing, or without such a key, cannot win."""
    groups: dict[str, list[Row]] = {}
    for row in found:
        others = {name: value for name, value in row.settings.items() if name != key}
        group = groups.setdefault(repr(others), [])
        figure = row.test or row.rmse
        known = figure is not None and row.settings[key] is not None
        if known and not row.missing:
            group.append(row)
    return [_best(group, key) for group in groups.values() if group]


def _best(group: Sequence[Row], key: str) -> Best:
    def rank(row: Row) -> tuple[float, float]:
        value = row.settings[key]
        size = float(value) if isinstance(value, (int, float)) else 0.0
        # means of equal shares may differ in their last bit
        if row.test is not None:
            return (-round(row.test.mean, 12), size)
        assert row.rmse is not None
        return (round(row.rmse.mean, 12), size)

    row = min(group, key=rank)
    others = {name: value for name, value in row.settings.items() if name != key}
    return Best(others, key, row.settings[key], row)
