"""hil sweep: many runs, and one table of them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hil import output
from hil.flags import add_keys, keys_of

if TYPE_CHECKING:
    from hil.errors import HilError
    from hil.output import Output
    from hil.sweep.cells import Cell
    from hil.sweep.settle import Outcome
    from hil.sweep.summary import Settled

HELP = (
    "run every combination of rules, seeds and other keys, and tabulate the accuracies"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil sweep`."""
    group = parser.add_argument_group("sweep")
    group.add_argument(
        "files", nargs="*", metavar="FILE",
        help="sweep or experiment in TOML: a key may have a list of values, and "
        "[[experiment]] tables follow one another",
    )  # fmt: skip
    group.add_argument(
        "--vary", action="append", default=[], metavar="NAME=V1,V2",
        help="vary a key, or a parameter of the rule (may be given several times); "
        "seed=1-5 is a range",
    )  # fmt: skip
    group.add_argument(
        "--confirm", metavar="TARGET",
        help="repeat each cell's prefix on a second target, which must end with the "
        "same digest",
    )  # fmt: skip
    group.add_argument(
        "--best", metavar="NAME",
        help="name the value of this varied key with the best mean test accuracy (of "
        "equal ones the smallest)",
    )  # fmt: skip
    group.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
        help="cells that run at once (default: one for each core)",
    )  # fmt: skip
    group.add_argument(
        "--again",
        action="store_true",
        help="also run the cells that have passed already",
    )
    group.add_argument(
        "--list", action="store_true", help="list the cells, and run none"
    )
    group.add_argument(
        "--out", metavar="DIR",
        help="folder of the table and the runs; cells that have passed there are not "
        "run again (default: runs/sweep-FILE)",
    )  # fmt: skip
    add_keys(parser, "model")


def cells_of(given: argparse.Namespace) -> list[Cell]:
    """The cells that files and flags ask for. Raises `UsageError`, `SpecError`
    and `DescriptorError`."""
    from hil.errors import UsageError
    from hil.sweep import cells, summary

    if given.jobs < 1:
        raise UsageError(f"--jobs is {given.jobs}: expected at least 1")
    tables = [table for file in given.files for table in cells.load(file)] or [{}]
    flags = cells.axes_of(keys_of(given))
    for axes in (flags, *map(cells.vary, given.vary)):
        tables = [cells.laid_over(table, axes) for table in tables]
    found = cells.cells(tables)
    for cell in found:
        _require_possible(cell, given, len(found))
    keys = summary.varied(found)
    if given.best is not None and _name(given.best, keys) not in keys:
        raise UsageError(
            f"--best is {given.best!r}: expected a key that varies, one of "
            + ", ".join(keys)
        )
    return found


def _require_possible(cell: Cell, given: argparse.Namespace, count: int) -> None:
    from hil.errors import UsageError
    from targets import load as load_target

    asked, among = cell.experiment, f"in a sweep of {count} cells"
    if asked.save is not None and count > 1:
        raise UsageError(
            f"save is {asked.save!r} {among}: expected none, for each would replace it"
        )
    if asked.unit is not None and count > 1 and given.jobs > 1:
        raise UsageError(
            f"unit is {asked.unit!r} {among}, and --jobs is {given.jobs}: expected "
            "--jobs 1, for a board runs one at a time"
        )
    if given.confirm is None:
        return
    load_target(given.confirm)
    if asked.prefix is None:
        raise UsageError(
            f"--confirm is {given.confirm!r}, but an experiment has no prefix to confirm",
            "--prefix 200 compares the first 200 steps, and confirms their digest",
        )


def _name(given: str, keys: list[str]) -> str:
    """The varied key that a person means: k for parameters.k."""
    plain = given.replace("-", "_")
    return plain if plain in keys else f"parameters.{plain}"


def run(given: argparse.Namespace) -> int:
    """The verb; returns 0 if every cell has passed."""
    from hil.errors import UsageError
    from hil.sweep.summary import varied

    out = output.of(given)
    cells = cells_of(given)
    name = "-".join(Path(file).stem for file in given.files) or "flags"
    folder = Path(given.out or f"runs/sweep-{name}")
    if given.list:
        for number in range(1, len(cells) + 1):
            out.line(_head(number, cells, varied(cells)))
        out.document({"sweep": name, "cells": [dict(cell.asked) for cell in cells]})
        return 0
    _require_float32(cells)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"folder {str(folder)!r} of the sweep cannot be made: {error.strerror}",
            "choose another place with --out",
        ) from None
    settled, failure = _carry_out(cells, given, folder, out)
    _report(name, settled, given, folder, out, failure)
    if failure is not None:
        output.tell(failure)
    return failure.exit_code if failure else 0


def _require_float32(cells: list[Cell]) -> None:
    """Nothing is begun that some target cannot do in any cell."""
    import targets

    floating = (c.experiment.target for c in cells if c.experiment.format == "f32")
    for name in {*floating} & {*targets.names()}:
        targets.require_fma(targets.load(name))


def _carry_out(
    cells: list[Cell], given: argparse.Namespace, folder: Path, out: Output
) -> tuple[list[Settled], HilError | None]:
    """What became of the cells, and why the sweep as a whole is no success."""
    from hil.errors import CellsFailed, stopped
    from hil.sweep.settle import Task
    from hil.sweep.summary import Settled, varied
    from hil.sweep.workers import Workers

    keys, place = varied(cells), str(folder.resolve())
    settled = [Settled(cell, None) for cell in cells]
    tasks = [
        Task(cell.experiment.to_toml(), place, given.confirm, given.again)
        for cell in cells
    ]
    out.line(f"sweep    {len(cells)} cells, {given.jobs} at once, in {folder}")
    done = 0
    try:
        with Workers(given.jobs) as workers:
            for number, outcome in workers.settle(tasks):
                settled[number] = _with_records(cells[number], outcome)
                done += 1
                out.line(_told(done, number, settled, keys))
    except KeyboardInterrupt as signalled:
        return settled, stopped(signalled, f" after {done} of {len(cells)} cells")
    wrong = [one for one in settled if one.record is None]
    if not wrong:
        return settled, None
    again = "the same command goes on from here: what has passed is not run again"
    return settled, CellsFailed(
        f"{len(wrong)} of {len(cells)} cells did not pass", again
    )


def _with_records(cell: Cell, outcome: Outcome) -> Settled:
    from hil.sweep.settle import read
    from hil.sweep.summary import Settled

    if outcome.state == "failed" or outcome.record is None:
        return Settled(cell, outcome)
    there = None if outcome.confirmed is None else read(outcome.confirmed)
    return Settled(cell, outcome, read(outcome.record), there)


def _head(number: int, cells: list[Cell], keys: list[str]) -> str:
    from hil.sweep.report import label
    from hil.sweep.summary import value_of

    cell = cells[number - 1]
    settings = {key: value_of(cell, key) for key in keys}
    return (
        f"[{number}/{len(cells)}] {label({**settings, 'seed': cell.experiment.seed})}"
    )


def _told(done: int, number: int, settled: list[Settled], keys: list[str]) -> str:
    """The line of a cell that is done."""
    from hil.sweep.report import percent

    one = settled[number]
    assert one.outcome is not None
    head = _head(number + 1, [each.cell for each in settled], keys)
    text = f"{one.outcome.state:8} {head}: "
    if one.record is None:
        assert one.outcome.error is not None
        return (
            text + f"exit code {one.outcome.exit_code}, {one.outcome.error['sentence']}"
        )
    accuracy = one.record["accuracy"]
    if accuracy["test"] is not None:
        text += f"{percent(accuracy['test'])} % {accuracy['part']} accuracy, "
    if one.record.get("residuals"):
        text += f"{accuracy['part']} RMSE {one.record['residuals']['rmse']:.4f}, "
    text += f"digest {one.record['digest']}"
    if one.confirmed is not None:
        there = one.confirmed
        text += (
            f", {there['digest']} after {there['steps']} confirmed by {there['target']}"
        )
    return text


def _report(
    name: str,
    settled: list[Settled],
    given: argparse.Namespace,
    folder: Path,
    out: Output,
    failure: HilError | None,
) -> None:
    """Write and show the table of what there is."""
    from hil.sweep import report, summary

    cells = [one.cell for one in settled]
    keys, fixed = summary.varied(cells), summary.fixed(cells)
    rows = summary.rows(settled, keys)
    winners = summary.best(rows, _name(given.best, keys)) if given.best else []
    made = report.document(name, settled, keys, rows, winners, fixed)
    proved = failure is None or failure.exit_code == 1
    made["result"] = "pass" if failure is None else "fail" if proved else "error"
    made["exit_code"] = 0 if failure is None else failure.exit_code
    made["error"] = failure and output.error_document(failure)["error"]
    text = report.markdown(name, settled, keys, rows, winners, fixed)
    report.write(folder, made, text)
    out.document(made)
    out.line()
    out.line(text)
    out.line(f"table    {folder / report.MARKDOWN}")
