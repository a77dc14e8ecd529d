"""hil bench step: what one learning step costs."""

from __future__ import annotations

import argparse
from pathlib import Path

from hil import output
from hil.errors import UsageError
from hil.flags import UNCOUNTED, add_experiment, experiment_of

HELP = "count the instructions of a learning step, and model its cycles"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench step`."""
    group = parser.add_argument_group("step")
    group.add_argument(
        "--against",
        choices=["c"],
        help="c: the same step in plain C, at the best flags found",
    )
    group.add_argument(
        "--variants", metavar="NAMES", help="count these, such as chosen (default: all)"
    )
    group.add_argument(
        "--warm",
        type=int,
        metavar="N",
        help="steps before the counted (default: 20)",
    )
    group.add_argument(
        "--markdown",
        action="store_true",
        help="rows for the table in docs/performance.md",
    )
    group.add_argument(
        "--baseline",
        metavar="FILE",
        help="count its cases instead, and fail where a figure has grown by over 1%%",
    )
    group.add_argument(
        "--update", action="store_true", help="write what was counted into the baseline"
    )
    group.add_argument(
        "--out",
        default="runs",
        metavar="DIR",
        help="for result folders (default: runs)",
    )
    add_experiment(parser, *UNCOUNTED)


def run(given: argparse.Namespace) -> int:
    """The benchmark."""
    if given.update and given.baseline is None:
        raise UsageError("--update needs --baseline FILE: expected what to update")
    if given.warm is not None and given.warm < 0:
        raise UsageError(f"--warm is {given.warm}: expected 0 or more")
    return _baseline(given) if given.baseline else _count(given)


def _count(given: argparse.Namespace) -> int:
    from hil.measuring.steps import report
    from hil.measuring.steps.bench import WARM, bench_step, lesson_for
    from hil.records import record

    out = output.of(given)
    warm = WARM if given.warm is None else given.warm
    lesson = lesson_for(experiment_of(given), warm)
    only = tuple(given.variants.split(",")) if given.variants else None
    found = bench_step(
        lesson, warm=warm, only=only, against=given.against, tell=out.line
    )
    document = report.to_json(found)
    try:
        folder = record.make_folder(Path(given.out), f"{lesson.experiment.name}-step")
    except OSError as error:
        raise UsageError(
            f"result folder in {given.out!r} cannot be made: {error.strerror}",
            "choose another place with --out",
        ) from error
    record.write_json(folder / report.DOCUMENT, document)
    report.write_tidy(found, folder / report.TIDY)
    lesson.experiment.write(folder / record.EXPERIMENT)
    for line in report.markdown(found) if given.markdown else report.lines(found):
        out.line(line)
    out.line(f"record {folder}")
    out.document({**document, "folder": str(folder)})
    return 0


def _baseline(given: argparse.Namespace) -> int:
    from hil.errors import Grown
    from hil.measuring.steps import baseline

    out = output.of(given)
    path = Path(given.baseline)
    known = baseline.load(path)
    changes = []
    counted = []
    for case in known.cases:
        now = baseline.recount(case)
        counted.append(now)
        changes += baseline.changes(case, now)
        out.line(f"{case.name:24} " + baseline.text(case, now))
    if given.update:
        baseline.save(path, known.updated(counted))
        out.line(f"written to {path}")
    grown = [change for change in changes if change.grown]
    out.document(
        {
            "bench": "step baseline",
            "cases": [{"name": now.name, **now.counted} for now in counted],
            "grown": [change.sentence for change in grown],
            "provenance": {"cases": "counted"},
        }
    )
    if grown and not given.update:
        raise Grown(
            f"{len(grown)} counted figures have grown by more than "
            f"{baseline.ALLOWED:.0%}: {grown[0].sentence}",
            *(change.sentence for change in grown[1:]),
            f"to accept: hil bench step --baseline {given.baseline} --update",
        )
    return 0
