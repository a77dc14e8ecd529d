"""An experiment on the command line: a flag for each of its keys, and what they say."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hil.errors import UsageError
from hil.keys import KEYS, Key, number_or_word

if TYPE_CHECKING:
    from hil.experiment import Experiment

OFTEN = (
    ("k", "K", "the rule's parameter k: random directions a step"),
    ("perturbation", "KIND", "the rule's parameter: rademacher or gaussian"),
)
"""Parameters of rules that have a flag of their own."""


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
