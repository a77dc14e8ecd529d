"""hil run: teach a network on a device and compare every step with numpy."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hil import output
from hil.errors import UsageError
from hil.flags import add_experiment, experiment_of
from targets.signals import held

if TYPE_CHECKING:
    from pathlib import Path

    from hil.experiment import Experiment
    from hil.inferring.session import ModelSession
    from hil.learning.recorded import Recorded
    from hil.learning.reference_process import ReferenceProcess
    from hil.learning.session import Session

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

    out = output.of(given)
    resume = _resumed(given)
    if isinstance(resume, Path):
        from hil.records.record import EXPERIMENT

        given.experiment = str(resume / EXPERIMENT)
    asked = experiment_of(given)
    if asked.model is not None:
        return _told(_computed(asked, resume, Path(given.out), out), given, out)
    with _reference(asked) as reference:
        session = _carried_out(asked, Path(given.out), out, resume, reference)
    return _told(session, given, out)


@contextmanager
def _reference(asked: Experiment) -> Iterator[ReferenceProcess | None]:
    """The process of the reference, which imports numpy while we do; None where nothing
    is compared."""
    if asked.compare == "none":
        yield None
        return
    with held():  # a process that runs is known
        from hil.learning.reference_process import ReferenceProcess

        process = ReferenceProcess()
    with process:
        yield process


def _carried_out(
    asked: Experiment,
    folder: Path,
    out: output.Output,
    resume: Path | bool,
    reference: ReferenceProcess | None,
) -> Session:
    with held():  # an import that is torn apart may lose the signal
        from hil.learning.session import carried_out
        from hil.lesson.preparing import prepare
        from hil.live import for_stream

    lesson = prepare(asked)
    with held() as hold, for_stream(out.people) as view, hold.heard():
        return carried_out(lesson, folder, view, resume, reference)


def _computed(
    asked: Experiment, resume: Path | bool, folder: Path, out: output.Output
) -> ModelSession:
    """A model as it is, through the test samples."""
    if resume:
        raise UsageError(
            f"model is {asked.model!r}: a model that learns nothing has no checkpoint to "
            "resume from"
        )
    with held():  # an import that is torn apart may lose the signal
        from hil.inferring.evaluation import prepare
        from hil.inferring.session import carried_out
        from hil.live import for_stream

    evaluation = prepare(asked)
    with held() as hold, for_stream(out.people) as view, hold.heard():
        return carried_out(evaluation, folder, view)


def _told(session: Recorded, given: argparse.Namespace, out: output.Output) -> int:
    """The outcome of a run, and its exit code."""
    from hil.records.record import FILE
    from hil.records.verdict import line, verdict, versions

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
    if given.resume is None:
        return False
    if given.resume == LATEST and (given.unit or given.flash):
        return True
    with held():  # an import that is torn apart may lose the signal
        from pathlib import Path

        from hil.learning.states import RunFolder
        from hil.records.record import FLASH

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
