"""hil tune: measure the plan's candidates, and keep the best in a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from hil import output
from hil.errors import UsageError, stopped
from hil.flags import UNCOUNTED, add_experiment, experiment_of
from targets import storage

HELP = "measure the kernels' variants in QEMU, and write the best ones into a file"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil tune`."""
    group = parser.add_argument_group("tuning")
    group.add_argument(
        "--for",
        dest="objective",
        choices=["instructions", "cycles"],
        help="counted instructions (cycles decide within 3%%), or modelled cycles of the "
        "core that has this VLEN (default: cycles where a core is named)",
    )
    group.add_argument(
        "--tries",
        type=int,
        default=3,
        metavar="N",
        help="candidates of a decision at most, the plan's own among them (default: 3)",
    )
    group.add_argument(
        "--warm",
        type=int,
        default=20,
        metavar="N",
        help="steps before the counted (default: 20)",
    )
    group.add_argument(
        "--out",
        default="tuned.toml",
        metavar="FILE",
        help="the file (default: tuned.toml)",
    )
    add_experiment(parser, *UNCOUNTED, "name", "tuned")


def run(given: argparse.Namespace) -> int:
    """The verb. Every decision is in the file as soon as it is made."""
    from hil.measuring.steps.bench import lesson_for
    from hil.measuring.tuning import report
    from hil.measuring.tuning.search import tune

    for flag, value, least in (("tries", given.tries, 2), ("warm", given.warm, 0)):
        if value < least:
            raise UsageError(f"--{flag} is {value}: expected {least} or more")
    out = output.of(given)
    output.require_folder("--out", given.out)
    asked = experiment_of(given)
    if asked.tuned is not None:
        raise UsageError(
            f"tuned is {asked.tuned!r}: hil tune starts from the plan's own choice"
        )
    lesson = lesson_for(asked, given.warm)
    out.line(f"tune     {lesson.spec.rule.name} {lesson.spec.network} on {asked.data}")
    path = Path(given.out)
    kept = ""
    try:
        for found in tune(
            lesson, given.warm,
            objective=given.objective, tries=given.tries, tell=out.line,
        ):  # fmt: skip
            storage.write(path, report.tuned_file(found, path.as_posix()))
            kept = f"; {given.out} has what was decided so far"
            if found.decisions and not found.complete:
                for line in report.lines_of(found.decisions[-1]):
                    out.line(f"  {line}")
    except KeyboardInterrupt as signalled:
        raise stopped(signalled, kept) from None
    for line in report.summary(found):
        out.line(line)
    out.line(f"written  {path}")
    out.document({**report.to_json(found), "file": str(path)})
    return 0
