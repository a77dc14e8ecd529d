"""hil run: teach a network on a device and compare every step with numpy."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hil import output
from hil.errors import UsageError
from hil.flags import add_experiment, experiment_of
from targets.signals import held

if TYPE_CHECKING:
    from pathlib import Path

HELP = "teach a network on a device and compare every step with numpy"
LATEST = ""
"""--resume without a folder."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil run`."""
    parser.epilog = (
        "On a terminal you see the run while it learns, and keys steer it: p pauses, "
        "c writes a checkpoint, q stops, ? lists the keys. TERM=dumb gives plain lines."
    )
    parser.add_argument(
        "--out",
        default="runs",
        metavar="DIR",
        help="folder in which the run makes its own (default: runs)",
    )
    parser.add_argument(
        "--resume", nargs="?", const=LATEST, metavar="RUN",
        help="go on from the newest checkpoint in the folder RUN (default: the latest "
        "run), in --flash, or on --unit",
    )  # fmt: skip
    add_experiment(parser)


def run(given: argparse.Namespace) -> int:
    """The verb; returns the run's exit code."""
    from pathlib import Path

    with held():  # an import that is torn apart may lose the signal
        from hil.learning.session import carried_out
        from hil.lesson.preparing import prepare
        from hil.live import for_stream
        from hil.records.record import EXPERIMENT, FILE
        from hil.records.verdict import line, verdict, versions

    out = output.of(given)
    resume = _resumed(given)
    if isinstance(resume, Path):
        given.experiment = str(resume / EXPERIMENT)
    lesson = prepare(experiment_of(given))
    with held() as hold, for_stream(out.people) as view, hold.heard():
        session = carried_out(lesson, Path(given.out), view, resume)
    record, failure = session.record, session.failure
    out.document(record.to_json())
    if failure is not None:
        if given.verbose:
            import traceback

            traceback.print_exception(type(failure), failure, failure.__traceback__)
        output.tell(failure)
    if record.faults is not None or record.link["recovered"]:
        out.line(f"line     {line(record)}")
    out.line(f"with     {versions(record)}")
    kept = (record.folder / FILE).is_file()
    out.line(f"record   {record.folder}{'' if kept else ', without run.json'}")
    out.line(verdict(record))
    return record.exit_code


def _resumed(given: argparse.Namespace) -> Path | bool:
    """What --resume names: a run's folder, or (true) the device's own flash."""
    from pathlib import Path

    from hil.learning.states import RunFolder
    from hil.records.record import FLASH

    if given.resume is None:
        return False
    if given.resume == LATEST and (given.unit or given.flash):
        return True
    if given.experiment:
        raise UsageError(
            f"--resume goes on with the experiment of an earlier run, and "
            f"{given.experiment!r} is another: expected one of them"
        )
    if given.resume != LATEST:
        return RunFolder(Path(given.resume)).folder
    found = sorted(Path(given.out).glob(f"*/{FLASH}"))
    if not found:
        raise UsageError(
            f"no run in {given.out!r} has a flash to resume from",
            "--commit N writes a checkpoint every N steps",
        )
    return found[-1].parent
