"""hil flash: an image onto a board, and proof that it is there."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from hil import output
from hil.errors import UsageError
from hil.flags import OF_A_RUN, add_experiment, add_link_only, experiment_of

if TYPE_CHECKING:
    from hil.experiment import Experiment
    from hil.lesson.building import Answers
    from hil.lesson.lesson import Wanted

HELP = "write an experiment's image onto a unit, and wait until the new image answers"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil flash`."""
    parser.add_argument(
        "--with", dest="programmer", metavar="COMMAND",
        help="flash with this command instead of the unit's loader; {image} and "
        "{port} become the image's path and the port",
    )  # fmt: skip
    parser.add_argument(
        "--blank", action="store_true",
        help="also flash a unit that does not answer yet",
    )  # fmt: skip
    add_link_only(parser)
    add_experiment(parser, *OF_A_RUN, "lr", "init")


def _built(asked: Experiment, alone: bool) -> tuple[Wanted, Callable[[], Answers]]:
    """Where the image goes, and how it is made."""
    from hil.desk import link_only
    from hil.lesson import building, preparing

    if alone:
        wanted = link_only.prepare(asked)
        return wanted, lambda: link_only.build(wanted)
    prepared = preparing.prepare(asked)
    return prepared, lambda: building.build(
        building.plan_for(prepared), asked.toolchain
    )


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from hil.desk import locks
    from hil.desk.flashing import flash, with_command
    from hil.desk.loaders import loader_for
    from hil.device import units

    out = output.of(given)
    asked = experiment_of(given)
    if asked.unit is None:
        raise UsageError(
            "hil flash needs --unit NAME|PORT",
            "--unit alone is the one unit of the bench that fits",
        )
    unit = units.chosen(asked.unit, asked.target)
    if given.programmer is not None:
        unit = with_command(unit, given.programmer)
    lesson, build = _built(asked, given.link_only)
    loader_for(unit, lesson.target)
    built = build()
    out.line(f"build    {built.image.digest[:8]}, {built.image.toolchain}")
    with locks.held(unit):
        done = flash(unit, lesson, built, blank=given.blank)
    before = (
        "nobody answered" if done.before is None else f"build {done.before.digest[:8]}"
    )
    out.line(f"before   {before}")
    how = (
        "flashed, and the new image has answered" if done.changed else "runs it already"
    )
    out.line(f"unit     {unit.name}: {how}")
    out.document(
        {
            "unit": unit.name,
            "loader": unit.loader,
            "build_digest": built.image.digest,
            "changed": done.changed,
            "before": None if done.before is None else asdict(done.before),
        }
    )
    return 0
