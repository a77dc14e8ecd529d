"""hil flash: an image onto a board, and proof that it is there."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from hil import output
from hil.errors import UsageError
from hil.verbs.run import add_experiment, experiment_of

HELP = "put an experiment's image onto a unit; done when the new image has answered"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil flash`."""
    parser.add_argument(
        "--with", dest="programmer", metavar="COMMAND",
        help="the board's programmer; {image} and {port} stand for both",
    )  # fmt: skip
    parser.add_argument(
        "--blank", action="store_true",
        help="the unit may be one that does not answer yet",
    )  # fmt: skip
    add_experiment(parser)


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from hil.building import build, plan_for
    from hil.flashing import flash
    from hil.lesson import prepare

    out = output.of(given)
    asked = experiment_of(given)
    if asked.unit is None or given.programmer is None:
        missing = "--unit PORT" if asked.unit is None else "--with COMMAND"
        raise UsageError(f"hil flash needs {missing}")
    lesson = prepare(asked)
    built = build(plan_for(lesson), asked.toolchain)
    out.line(f"build    {built.image.digest[:8]}, {built.image.toolchain}")
    done = flash(lesson, built, given.programmer, blank=given.blank)
    before = (
        "nobody answered" if done.before is None else f"build {done.before.digest[:8]}"
    )
    out.line(f"before   {before}")
    how = (
        "flashed, and the new image has answered" if done.changed else "runs it already"
    )
    out.line(f"unit     {asked.unit}: {how}")
    out.document(
        {
            "unit": asked.unit,
            "build_digest": built.image.digest,
            "changed": done.changed,
            "before": None if done.before is None else asdict(done.before),
        }
    )
    return 0
