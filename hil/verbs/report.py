"""hil report: a page of runs that a person would show to someone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from hil import output
from targets.signals import held

if TYPE_CHECKING:
    from pathlib import Path

    from hil.reports.page import Report

HELP = "write one self-contained HTML page of a run, of several runs, or of a demo"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil report`."""
    parser.add_argument(
        "folders", metavar="RUN", nargs="+", help="folder of a run or of a demo"
    )
    parser.add_argument(
        "--out", metavar="FILE",
        help="file of the page (default: report.html in the run's folder; of several "
        "runs, in the current folder)",
    )  # fmt: skip
    parser.add_argument(
        "--png", metavar="DIR", help="also write every picture into DIR, as PNG"
    )
    parser.add_argument(
        "--csv", metavar="DIR", help="also write every table into DIR, as CSV"
    )


def run(given: argparse.Namespace) -> int:
    """The verb: 0 when the page is written, whatever the runs came to."""
    with held():  # an import that is torn apart may lose the signal
        from pathlib import Path

        from hil import reports
        from hil.reports import export, page, runs

    out = output.of(given)
    if given.out is not None:
        output.require_folder("--out", given.out)
    report = page.compose(runs.load(given.folders))
    written = page.write(report, reports.place(given.folders, given.out))
    pictures = export.png(report, Path(given.png)) if given.png else []
    tables = export.csv(report, Path(given.csv)) if given.csv else []
    for verdict in report.verdicts:
        out.line(f"run      {verdict.run.label}: {verdict.pill}")
    for made, what in ((pictures, "pictures"), (tables, "tables")):
        if made:
            out.line(f"{what:8} {len(made)} in {made[0].parent}")
    out.line(f"report   {written}")
    out.document(_document(report, written, pictures, tables))
    return 0


def _document(
    report: Report, written: Path, pictures: list[Path], tables: list[Path]
) -> dict[str, Any]:
    """The JSON document (docs/report.md)."""
    return {
        "result": "pass",
        "exit_code": 0,
        "report": str(written),
        "runs": [
            {
                "folder": str(verdict.run.folder),
                "label": verdict.run.label,
                "result": verdict.state,
            }
            for verdict in report.verdicts
        ],
        "pictures": [
            {"name": picture.name, "title": picture.title, "kinds": list(picture.kinds)}
            for picture in report.pictures
        ],
        "png": [str(path) for path in pictures],
        "csv": [str(path) for path in tables],
    }
