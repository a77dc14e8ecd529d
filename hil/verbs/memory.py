"""hil memory: what inference and each rule need, side by side."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hil import output
from hil.errors import UsageError
from hil.flags import OF_A_RUN, add_experiment, add_link_only, experiment_of

if TYPE_CHECKING:
    from hil.experiment import Experiment
    from hil.lesson.lesson import Lesson
    from hil.measuring.memory.rows import Row

HELP = "does it fit, and the memory bill: inference and every rule side by side, byte by byte"
MEASURED_STEPS = 16
OTHERS = (*({*OF_A_RUN} - {"console"}), "lr", "init")
"""Keys that no figure depends on; a console, --measure opens."""


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
        "--growth",
        action="store_true",
        help="also show how the need grows with depth, width, K and batch",
    )
    parser.add_argument(
        "--formats",
        action="store_true",
        help="the rule in each format of numbers instead, f32 beside i16 and i8",
    )
    parser.add_argument(
        "--markdown", action="store_true", help="only the table, for a document"
    )
    add_link_only(parser)
    add_experiment(parser, *OTHERS)


def run(given: argparse.Namespace) -> int:
    """The verb. A rule that does not take the experiment has its reason in the
    table; the experiment's own is an error then, told behind what is shown."""
    from hil.desk.link_only import serves
    from hil.lesson.preparing import prepare
    from hil.measuring.memory import answer, growth, report
    from hil.measuring.memory.rows import compare

    out, asked = output.of(given), experiment_of(given)
    if given.formats and (given.measure or given.growth or given.link_only):
        raise UsageError(
            "--formats with --measure, --growth or --link-only: expected it alone",
            "a format's own bill: hil memory --format i8 --measure",
        )
    if given.link_only or serves(asked):
        _link_only(asked, given.measure, out)
        return 0
    lesson = prepare(_with_samples(asked, given))
    if given.formats:
        _formats(lesson, given.markdown, out)
        return 0
    rows = list(compare(lesson))
    own = next(row for row in rows if row.rule == lesson.experiment.rule)
    nothing = all(row.network is None for row in rows)
    if own.refused is not None and nothing and answer.fit_of(own) is None:
        raise own.refused
    found = growth.growths(lesson) if given.growth else None
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
        output.tell(own.refused)
        return own.refused.exit_code
    return 0


def _with_samples(asked: Experiment, given: argparse.Namespace) -> Experiment:
    """What is asked; with samples as wide as its network where no data set is named
    and the default's do not fit: u8, and none of their elements zero."""
    from hil.data import datasets
    from hil.experiment import names

    if asked.widths is None or names(given.experiment, "data") or given.data:
        return asked
    there = datasets.load(str(asked.data))
    if there.features == asked.widths[0] and there.classes <= asked.widths[-1]:
        return asked
    return asked.override({"data": datasets.DENSE})


def _formats(lesson: Lesson, markdown: bool, out: output.Output) -> None:
    """The rule's own bytes, format by format."""
    from hil.measuring.memory import formats

    found = formats.compare(lesson)
    for line in (formats.markdown if markdown else formats.lines)(found, lesson):
        out.line(line)
    out.document(formats.to_json(found, lesson))


def _link_only(asked: Experiment, measured: bool, out: output.Output) -> None:
    """The bill of the image without a network."""
    from hil.desk import link_only
    from hil.measuring.memory import link

    wanted = link_only.prepare(asked)
    built = link_only.build(wanted)
    watermark = link_only.measure(wanted, built).stack if measured else None
    for line in link.lines(wanted, built, watermark):
        out.line(line)
    out.document(link.to_json(wanted, built, watermark))


def _measured(rows: list[Row], lesson: Lesson) -> dict[str, int]:
    """Bytes of stack that a few steps of each rule have used, by rule."""
    import tempfile

    from hil.learning.reference_process import kept
    from hil.learning.session import run as run_session
    from hil.measuring.memory.rows import lesson_for

    keys = {"steps": MEASURED_STEPS, "test": 8, "ram": None, "save": None}
    found = {}
    with tempfile.TemporaryDirectory(prefix="hil-") as folder, kept():
        for row in rows:
            if row.built is not None:
                experiment = lesson_for(lesson, row.rule).experiment.override(keys)
                record = run_session(experiment, out=folder)
                found[row.rule] = int(record.device["stack"])
    return found
