"""An experiment on the command line: a flag for each of its keys, and what they say."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Any

from hil.errors import UsageError
from hil.experiment import Experiment, load, names
from hil.key_values import number_or_word
from hil.keys import KEYS, Key

OFTEN = (
    ("k", "K", "the rule's parameter k: random directions a step"),
    ("perturbation", "KIND", "the rule's parameter: rademacher or gaussian"),
)
"""Parameters of rules that have a flag of their own."""


GROUPS = {
    "what is learned": "rule parameters network format activation output goal seed lr lr_decay "
    "freeze momentum gate active tau error_gate clip_weights clip_error rehearsal "
    "rehearse rehearse_what init",
    "data": "data scaler model front cut steps epochs holdout test resident",
    "target": "target unit vlen core agnostic schedule tuned toolchain debug icount console "
    "flash commit",
    "line": "window samples_per_frame chunk thin faults",
    "comparison": "compare prefix health",
    "budget": "ram instructions cycles",
    "what is kept": "name save answers watch_cells",
}
"""The keys of an experiment as the help groups them."""
OF_A_RUN = (
    "name", "model", "freeze", "lr_decay", "test", "thin", "rehearse", "health", "compare",
    "prefix", "faults", "console", "save", "flash", "answers", "watch_cells",
)  # fmt: skip
"""Keys that leave an image as it is: for verbs that only plan or build one."""


UNCOUNTED = (
    "model", "unit", "epochs", "test", "init", "save", "icount", "window", "samples_per_frame",
    "chunk", "thin", "faults", "flash", "health", "compare", "prefix", "answers", "watch_cells",
)  # fmt: skip
"""Keys that say nothing where the instructions of steps are counted, one by one."""


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
    """The flag of a key that has one of its own; its help ends with the default."""
    meaning = key.help + _default(key)
    if key.metavar is None:
        group.add_argument(
            key.flag, action=argparse.BooleanOptionalAction, help=meaning
        )
    elif key.alone is not None:
        group.add_argument(
            key.flag, metavar=key.metavar, help=meaning, nargs="?", const=key.alone
        )
    else:
        group.add_argument(key.flag, metavar=key.metavar, help=meaning)


def add_machine(
    parser: argparse.ArgumentParser, names: Sequence[str], says: str | None = None
) -> None:
    """A group of flags that choose a machine: for the keys of these names alone. `says`
    stands below the group's title."""
    group = parser.add_argument_group("machine", says)
    for key in KEYS:
        if key.name in names:
            add_key(group, key)


def _default(key: Key) -> str:
    """The end of a key's help: its default, where the help does not tell it."""
    value = {field.name: field.default for field in fields(Experiment)}[key.name]
    said = value is None or value == "" or "(default:" in key.help
    return "" if said else f" (default: {str(value).lower()})"


def add_keys(parser: argparse.ArgumentParser, *without: str) -> None:
    """A flag for every key of an experiment but those of these names, by groups."""
    known = {key.name: key for key in KEYS}
    replaces: str | None = "each flag replaces the key of the same name in the file"
    for title, members in GROUPS.items():
        names = [name for name in members.split() if name not in without]
        if not names:
            continue
        group = parser.add_argument_group(title, replaces)
        replaces = None  # of all groups, said once
        for key in (known[name] for name in names):
            if key.name == "parameters":
                _add_parameters(group)
            else:
                add_key(group, key)


def _add_parameters(group: argparse._ArgumentGroup) -> None:
    """The flags of the rule's parameters."""
    group.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE",
        help="a parameter of the rule (may be given several times)",
    )  # fmt: skip
    for name, metavar, meaning in OFTEN:
        group.add_argument(f"--{name}", metavar=metavar, help=meaning)


def add_link_only(parser: argparse.ArgumentParser) -> None:
    """The flag of an image without a network."""
    parser.add_argument(
        "--link-only",
        action="store_true",
        help="an image without a network: it answers HELLO, ECHO, PING and LEAVE, "
        "and learns nothing",
    )


def experiment_of(given: argparse.Namespace) -> Experiment:
    """The experiment file, or the default, with the flags laid over it.

    Raises `UsageError`.
    """
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
