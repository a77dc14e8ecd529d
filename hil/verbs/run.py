"""hil run: teach a network on a device and compare every step with numpy."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hil import output
from hil.errors import UsageError
from hil.keys import KEYS, Key, number_or_word
from targets.signals import held

if TYPE_CHECKING:
    from pathlib import Path

    from hil.experiment import Experiment
    from hil.records.record import RunRecord

OFTEN = (
    ("k", "K", "the rule's parameter k: random directions a step"),
    ("perturbation", "KIND", "the rule's parameter: rademacher or gaussian"),
)
"""Parameters of rules that have a flag of their own."""

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
        help="folder in which the run makes its own",
    )
    parser.add_argument(
        "--resume", nargs="?", const=LATEST, metavar="RUN",
        help="go on from the newest checkpoint in the folder RUN (default: the latest "
        "run), in --flash, or on --unit",
    )  # fmt: skip
    add_experiment(parser)


def add_experiment(parser: argparse.ArgumentParser, *without: str) -> None:
    """EXPERIMENT, and a flag for every key of one but those of these names; for
    `experiment_of`."""
    parser.add_argument(
        "experiment",
        nargs="?",
        metavar="EXPERIMENT",
        help="TOML file of the experiment (default: the embedded digits)",
    )
    add_keys(parser, *without)


def add_key(group: argparse._ArgumentGroup, key: Key) -> None:
    """The flag of a key that has one of its own."""
    if key.metavar is None:
        group.add_argument(
            key.flag, action=argparse.BooleanOptionalAction, help=key.help
        )
    elif key.alone is not None:
        group.add_argument(
            key.flag, metavar=key.metavar, help=key.help, nargs="?", const=key.alone
        )
    else:
        group.add_argument(key.flag, metavar=key.metavar, help=key.help)


def add_keys(parser: argparse.ArgumentParser, *without: str) -> None:
    """A flag for every key of an experiment but those of these names."""
    group = parser.add_argument_group(
        "experiment", "each flag replaces the key of the same name in the file"
    )
    for key in KEYS:
        if key.name == "parameters":
            group.add_argument(
                "--parameter", action="append", default=[], metavar="NAME=VALUE",
                help="a parameter of the rule (may be given several times)",
            )  # fmt: skip
        elif key.name not in without:
            add_key(group, key)
    for name, metavar, meaning in OFTEN:
        group.add_argument(f"--{name}", metavar=metavar, help=meaning)


def add_link_only(parser: argparse.ArgumentParser) -> None:
    """The flag of an image without a network."""
    parser.add_argument(
        "--link-only",
        action="store_true",
        help="an image without a network: it answers HELLO, ECHO, PING and LEAVE. A "
        "target without an FPU can do no more so far",
    )


def experiment_of(given: argparse.Namespace) -> Experiment:
    """The experiment file, or the default, with the flags laid over it.

    Raises `UsageError`.
    """
    from hil.experiment import Experiment, load, names

    base = load(given.experiment) if given.experiment else Experiment()
    values = keys_of(given)
    asked = base.override(values) if values else base
    if asked.unit is None:
        return asked
    fixed = "target" in values or names(given.experiment, "target")
    return _on_unit(asked, asked.unit, fixed)


def _on_unit(asked: Experiment, named: str, fixed: bool) -> Experiment:
    """The experiment on the unit that it names, whose target it takes unless its own
    is `fixed`. Raises `UsageError`."""
    from hil.device.units import chosen

    unit = chosen(named, asked.target if fixed else None)
    return asked.override({"unit": unit.name, "target": unit.target or asked.target})


def keys_of(given: argparse.Namespace) -> dict[str, Any]:
    """The keys that flags give, unchecked. Raises `UsageError`."""
    values: dict[str, Any] = {}
    for key in KEYS:
        value = getattr(given, key.name, None)
        if value is None:
            continue
        if isinstance(value, str):
            with suppress(ValueError):  # then the key says what it wants
                value = key.from_text(value)
        values[key.name] = value
    parameters = dict(_parameter(text) for text in getattr(given, "parameter", ()))
    for name, _, _ in OFTEN:
        if (value := getattr(given, name, None)) is not None:
            parameters[name] = number_or_word(value)
    if parameters:
        values["parameters"] = parameters
    return values


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--parameter is {text!r}: expected NAME=VALUE")
    return name, number_or_word(value)


def run(given: argparse.Namespace) -> int:
    """The verb; returns the run's exit code."""
    from pathlib import Path

    with held():  # an import that is torn apart may lose the signal
        from hil.cli import tell
        from hil.learning.session import carried_out
        from hil.lesson.lesson import prepare
        from hil.live import for_stream
        from hil.records.record import EXPERIMENT, FILE

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
        tell(failure)
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


def line(record: RunRecord) -> str:
    """What was done to the line and the device, and what it took."""
    done: dict[str, int] = {}
    for way in (record.faults or {}).values():
        for kind, count in way.items():
            done[kind] = done.get(kind, 0) + count
    faults = ", ".join(f"{count} {kind}" for kind, count in done.items() if count)
    took = ", ".join(f"{count} {name}" for name, count in record.link.items() if count)
    return f"{faults or 'no faults'}; {took}".replace("_", " ")


def versions(record: RunRecord) -> str:
    """What it was made with, for a bug report."""
    bare = ("toolchain", "system")
    return ", ".join(
        value if name in bare else f"{name} {value}"
        for name, value in record.versions.items()
    )


def verdict(record: RunRecord) -> str:
    """The last line: PASS, FAIL or ERROR, and what was compared with what."""
    network = "-".join(map(str, record.network))
    vlen = f" vlen {record.vlen}" if record.vlen else ""
    build = record.image["build_digest"]
    first = record.resumed_from or 0
    compared = f"{record.compared} of {record.steps - first} steps bit-exact"
    if record.resumed_from is not None:
        compared += f" from step {first} on"
    parts = [compared if record.compared else "no step compared"]
    if 0 < record.compared < record.learned - first:
        parts.append("the others not compared")
    if record.digest:
        parts.append(f"digest {record.digest}")
    if record.accuracy["test"] is not None:
        parts.append(
            f"{record.accuracy['part']} accuracy {record.accuracy['test']:.2%}"
        )
    parts += [
        f"{record.rule} {network} {record.activation}/{record.output} on {record.data}",
        f"seed {record.seed}",
        f"{record.target}{vlen}" + (f" ({record.board})" if record.board else ""),
    ]
    if build:
        parts.append(f"build {build[:8]}")
    words = {"pass": "PASS", "fail": "FAIL", "error": f"ERROR {record.exit_code}"}
    return f"{words[record.result]}: " + ", ".join(parts)
