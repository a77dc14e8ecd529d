"""hil memory: what inference and each rule need, side by side."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hil import output
from hil.verbs.run import add_experiment, add_link_only, experiment_of

if TYPE_CHECKING:
    from hil.experiment import Experiment
    from hil.lesson import Lesson
    from hil.memory.rows import Row

HELP = "the memory bill: inference and every rule side by side, byte by byte"
MEASURED_STEPS = 16


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil memory`."""
    parser.description = (
        f"{HELP}. Images are planned and built (from the cache, if they were before), "
        "but nothing runs unless --measure is given."
    )
    parser.add_argument(
        "--measure",
        action="store_true",
        help=f"also run {MEASURED_STEPS} steps of each rule, and show the stack that "
        "was used beside its bound",
    )
    parser.add_argument(
        "--markdown", action="store_true", help="only the table, for a document"
    )
    add_link_only(parser)
    add_experiment(parser)


def run(given: argparse.Namespace) -> int:
    """The verb. A rule that does not take the experiment has its reason in the
    table; the experiment's own is an error then."""
    from hil.lesson import prepare
    from hil.link_only import serves
    from hil.memory import growth, report
    from hil.memory.rows import compare

    out, asked = output.of(given), experiment_of(given)
    if given.link_only or serves(asked):
        _link_only(asked, given.measure, out)
        return 0
    lesson = prepare(asked)
    rows = list(compare(lesson))
    own = next(row for row in rows if row.rule == lesson.experiment.rule)
    if all(row.network is None for row in rows):
        assert own.refused is not None
        raise own.refused
    found = growth.growths(lesson)
    watermarks = _measured(rows, lesson) if given.measure else {}
    shown = (
        report.markdown(rows, lesson)
        if given.markdown
        else report.lines(rows, found, lesson, watermarks)
    )
    for line in shown:
        out.line(line)
    out.document(report.to_json(rows, found, lesson, watermarks))
    if own.refused is not None:
        raise own.refused
    return 0


def _link_only(asked: Experiment, measured: bool, out: output.Output) -> None:
    """The bill of the image without a network."""
    from hil import link_only
    from hil.memory import link

    wanted = link_only.prepare(asked)
    built = link_only.build(wanted)
    watermark = link_only.measure(wanted, built).stack if measured else None
    for line in link.lines(wanted, built, watermark):
        out.line(line)
    out.document(link.to_json(wanted, built, watermark))


def _measured(rows: list[Row], lesson: Lesson) -> dict[str, int]:
    """Bytes of stack that a few steps of each rule have used, by rule."""
    import tempfile

    from hil.memory.rows import lesson_for
    from hil.session import run as run_session

    keys = {"steps": MEASURED_STEPS, "test": 8, "ram": None, "save": None}
    found = {}
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        for row in rows:
            if row.built is not None:
                experiment = lesson_for(lesson, row.rule).experiment.override(keys)
                record = run_session(experiment, out=folder)
                found[row.rule] = int(record.device["stack"])
    return found
