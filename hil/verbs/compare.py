"""hil compare: what differs between two runs, and from which step on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil import output

if TYPE_CHECKING:
    from hil.records.run_comparison import Comparison, Parting, Row

HELP = "show what differs between two runs, and from which step on"
WIDEST = 34
"""Characters of a value that a table shows."""
TIME = "time"
"""The section that differs between any two runs."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil compare`."""
    parser.description = (
        f"{HELP}. The table has the settings, versions, results, counts and sizes that "
        "are not equal. Two runs of a demo are compared device by device. Exit code 0: "
        "the state digests agree after every step for which both runs have one. Exit "
        "code 1: they differ, or no step has a digest in both runs. Exit code 2: a folder "
        "holds no run."
    )
    parser.add_argument("first", metavar="RUN", type=Path, help="folder of a run")
    parser.add_argument(
        "second", metavar="RUN", type=Path, help="folder of another run"
    )
    parser.add_argument(
        "--all", action="store_true",
        help="also show what is equal, and times, which always differ",
    )  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from hil.records.run_comparison import compared

    out = output.of(given)
    found = compared(given.first, given.second)
    for arm, comparison in found.items():
        if arm:
            out.line(f"arm {arm}")
        for line in _lines(comparison, given.all):
            out.line(line)
        if len(found) > 1:
            out.line()
    agree = all(comparison.agree for comparison in found.values())
    documents = {arm: comparison.to_json() for arm, comparison in found.items()}
    alone = documents.get("")
    out.document({"agree": agree, "arms": documents} if alone is None else alone)
    return 0 if agree else 1


def _lines(found: Comparison, everything: bool) -> list[str]:
    shown = [
        row for row in found.rows
        if everything or not (row.equal or row.section == TIME)
    ]  # fmt: skip
    names = [run.folder.resolve().name for run in found.runs]
    table = [("", *names, "")]
    section = None
    for row in shown:
        if row.section != section:
            section = row.section
            table.append((section, "", "", ""))
        values = (_shown(row, value) for value in row.values)
        table.append(("  " + row.name, *values, _kinds(row)))
    wide = [max(len(row[column]) for row in table) for column in range(3)]
    lines = [
        "  ".join(
            text.ljust(w) for text, w in zip(row, (*wide, 0), strict=True)
        ).rstrip()
        for row in table
    ]
    return [
        *lines,
        "",
        *(_parting(parting) for parting in found.partings),
        _verdict(found),
    ]


def _shown(row: Row, value: Any) -> str:
    """A value as a table has it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if row.name == "network" and isinstance(value, list):
        return "-".join(map(str, value))
    text = str(value)
    if row.name.endswith("build_digest"):
        return text[:8]
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."


def _kinds(row: Row) -> str:
    """How the figures of a row were obtained: once, where both in one way."""
    known = dict.fromkeys(kind for kind in row.kinds if kind)
    return f"({' / '.join(known)})" if known else ""


def _parting(parting: Parting) -> str:
    what = f"{parting.what:8}"
    if not parting.common:
        return f"{what} known of both after no step"
    if parting.first is None:
        return f"{what} equal in all {parting.common} steps that both tell of"
    a, b = parting.values
    return (
        f"{what} parts in step {parting.first}: {a} and {b}, of {parting.common} steps"
    )


def _verdict(found: Comparison) -> str:
    from hil.records.verdict import computed

    models = [computed(run.document["experiment"]) for run in found.runs]
    what = "learned states" if None in models else "outputs"
    first = found.partings[0].first
    if first is not None:
        return f"PART: the {what} differ from step {first} on"
    if found.final is False:
        return f"PART: the {what} differ at the end"
    if not found.agree:
        return "PART: no learned state is known of both"
    steps = f"after all {found.compared} steps compared" if found.compared else ""
    end = "at the end" if found.final else ""
    return f"EQUAL: the {what} agree {' and '.join(filter(None, (steps, end)))}"
