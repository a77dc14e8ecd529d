"""The page: what goes where, and its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from markupsafe import Markup

from hil.records.record import KINDS
from hil.reports import bill, curves, cycles, foretold, grids, membranes, raster, tables
from hil.reports.details import details
from hil.reports.look import Picture
from hil.reports.provenance import MEANING, Number
from hil.reports.runs import Collected, Run
from hil.reports.tables import Table, kind_in
from hil.reports.words import Verdict, lede, title, verdict
from hil.versions import version
from targets import storage

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Shown:
    """A picture and the run it is of; None: of all."""

    picture: Picture
    run: Run | None = None


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: str
    pictures: tuple[Shown, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.pictures or self.tables or self.notes)


@dataclass(frozen=True)
class Report:
    """Everything on the page. `details` are tables behind pictures, for CSV."""

    collected: Collected
    title: str
    lede: str
    verdicts: tuple[Verdict, ...]
    cards: tuple[tuple[str, Number], ...]
    sections: tuple[Section, ...]
    details: tuple[Table, ...] = field(default=())

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs, in order."""
        return self.collected.runs

    @property
    def pictures(self) -> list[Picture]:
        """All of them, in order."""
        return [s.picture for section in self.sections for s in section.pictures]

    @property
    def tables(self) -> list[Table]:
        """All of them, in order, those for CSV too."""
        shown = [table for section in self.sections for table in section.tables]
        return [*shown, *self.details]

    @property
    def units(self) -> str:
        """The boards that figures were measured on."""
        return ", ".join(dict.fromkeys(run.unit for run in self.runs if run.unit))


def compose(collected: Collected) -> Report:
    """The report of these runs. Raises `UsageError` for a figure that does not say how
    it was obtained, and `UsageError` for a file that cannot be read."""
    runs, demo = collected.runs, collected.demo
    shows = tables.demo_metrics(demo) if demo else None
    sections = (
        _learning(runs),
        Section("Tasks, classes and calibration", pictures=_each(runs, grids.of_run)),
        Section(
            "Inside the network",
            pictures=_each(runs, cycles.of_run)
            + _each(runs, raster.of_run)
            + _each(runs, membranes.of_run)
            + _each(runs, foretold.of_run)
            + _each(runs, _weights)
            + _each(runs, curves.health)
            + _each(runs, curves.energy),
        ),
        _memory(runs),
        Section("The line", tables=(tables.link(runs),)),
    )  # fmt: skip
    return Report(
        collected, title(collected), lede(collected),
        tuple(map(verdict, runs)), _cards(runs, shows),
        tuple(section for section in sections if not section.empty),
        (
            *([shows] if shows else []),
            *(table for run in runs for table in details(run)),
        ),
    )  # fmt: skip


def _weights(run: Run) -> list[Picture]:
    made = grids.first_layer(run)
    return [made] if made else []


def _each(
    runs: Sequence[Run], make: Callable[[Run], Iterable[Picture]]
) -> tuple[Shown, ...]:
    """Pictures of each run, those that show the same beside each other."""
    made = [(run, list(make(run))) for run in runs]
    order = list({p.title: None for _, pictures in made for p in pictures})
    shown = [Shown(p, run) for run, pictures in made for p in pictures]
    return tuple(sorted(shown, key=lambda s: order.index(s.picture.title)))


def _learning(runs: Sequence[Run]) -> Section:
    pictures = tuple(map(Shown, curves.stream(runs)))
    empty = tuple(
        f"{run.label}: no step was learned, there is no curve."
        for run in runs
        if not len(run.steps)
    )
    found = tuple(tables.facts(runs))
    return Section("Learning", pictures=pictures, tables=found, notes=empty)


def _memory(runs: Sequence[Run]) -> Section:
    pictures, found, notes = [], [], []
    made = bill.bills(runs)
    for number, one in enumerate(made, 1):
        of = one.runs[0] if len(runs) > 1 and len(made) > 1 else None
        names = ", ".join(run.label for run in one.runs)
        if (picture := bill.picture(one, number)) is not None:
            pictures.append(Shown(picture, of))
            table = tables.memory(one, number)
            found.append(Table(table.name, f"Memory bill, {names}", table.head, table.rows)
                         if len(made) > 1 else table)  # fmt: skip
        else:
            notes.append(f"{names}: no memory bill. {one.missing}")
    return Section(
        "Memory", pictures=tuple(pictures), tables=tuple(found), notes=tuple(notes)
    )


CARDS = (
    ("Test accuracy", "accuracy.test", tables.percent),
    ("Test RMSE", "residuals.rmse", tables.error_of),
    ("Test R2", "residuals.r2", tables.error_of),
    ("Prequential accuracy", "accuracy.prequential", tables.percent),
    ("Majority so far", "accuracy.baselines.majority", tables.percent),
    ("Same as last", "accuracy.baselines.same_as_last", tables.percent),
    ("Steps compared bit for bit", "compared", tables.amount),
    ("RAM of the image", "image.ram", tables.size),
)


def _cards(runs: Sequence[Run], shows: Table | None) -> tuple[tuple[str, Number], ...]:
    """The few figures at the top: the demo's, or those of a single run."""
    if shows is not None:
        return tuple((str(row[0]), row[1]) for row in shows.rows)  # type: ignore[misc]
    if len(runs) > 1:
        return ()
    found = ((name, tables.number(runs[0], path, show)) for name, path, show in CARDS)
    return tuple((name, number) for name, number in found if number is not None)


def render(report: Report) -> str:
    """The page, whole in itself."""
    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    css = (HERE / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        report=report, css=Markup(css), kind_in=kind_in, is_number=_is_number,
        meaning={kind: MEANING[kind] for kind in KINDS},
        settings=tables.settings(report.runs), versions=tables.versions(report.runs),
        version=version(),
    )  # fmt: skip


def _is_number(cell: object) -> bool:
    return isinstance(cell, Number)


def write(report: Report, path: Path) -> Path:
    """Write the page. Raises `StorageError`."""
    return storage.write(path, render(report))
