"""The `hil` command: one verb a file in `hil.verbs`.

A verb module has `HELP`, `arguments(parser)` and `run(arguments) -> int`; its
name is the module's. Only the verb that was asked for is imported, and only when it
runs does it do any heavy importing.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import signal
import sys
import traceback
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import FrameType, ModuleType
from typing import Any, NoReturn

from hil import output, verbs
from hil.errors import HilError, Termination, UsageError, did_you_mean, stopped
from targets import storage
from targets.signals import held

_LEFT_OUT = re.compile(r"(-\d+){2,}")
"""Widths of a network without the first."""
CHOICE = re.compile(r"argument (.*?): invalid choice: '(.*?)' \(choose from (.*)\)")
"""What argparse says of a verb, or of a flag's value, that it does not know."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that usage errors look like all others. A flag is
    what it is called: a part of its name may become another's with the next version."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, allow_abbrev=False)

    def parse_known_args(
        self, args: Any = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse as argparse does. The error for an unknown flag names the nearest known
        one."""
        found, rest = super().parse_known_args(args, namespace)
        for word in rest:
            flag = word.partition("=")[0]
            self._refuse(f"{self.prog} has no {flag!r}", self._about(flag))
        return found, rest

    def _about(self, flag: str) -> tuple[str, ...]:
        """Hints for a flag that this verb does not have: what the person may have
        meant."""
        from hil.keys import KEYS

        if flag in {key.flag for key in KEYS}:
            return (
                f"it is a key of a run, and nothing here would heed it: `hil run {flag}`",
            )
        return did_you_mean(flag, re.findall(r"--[\w-]+", self.format_usage()))

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`."""
        choice = CHOICE.fullmatch(message)
        if choice is None:
            self._refuse(message)
        what, given, known = choice.groups()
        names = re.findall(r"[\w-]+", known)
        expected = f"{what} is {given!r}: expected one of {', '.join(names)}"
        self._refuse(expected, did_you_mean(given, names))

    def _refuse(self, sentence: str, hints: tuple[str, ...] = ()) -> NoReturn:
        raise UsageError(sentence, *hints, f"`{self.prog} --help` lists what there is")


class _Version(argparse.Action):
    """--version, which is looked up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from hil.versions import version

        print(f"hil {version()}")
        parser.exit()


def _names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(verbs.__path__))


def _verbs(names: Iterable[str]) -> dict[str, ModuleType]:
    return {name: importlib.import_module(f"{verbs.__name__}.{name}") for name in names}


def parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    return _parser_of(_names())


def _parser_for(given: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of this command line: of the verb that it begins with, and of all
    verbs where it begins otherwise."""
    names = _names()
    return _parser_of(given[:1] if given and given[0] in names else names)


def _parser_of(names: Iterable[str]) -> argparse.ArgumentParser:
    top = _Parser(
        prog="hil", description="Teach a network on a device; prove every step."
    )
    top.add_argument(
        "--version", action=_Version, nargs=0,
        help="show program's version number and exit",
    )  # fmt: skip
    top.set_defaults(parser=parser)  # `hil completion` tells a shell of all of it
    known = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, module in _verbs(names).items():
        verb = known.add_parser(name, help=module.HELP, description=module.HELP)
        module.arguments(verb)
        output.add_arguments(verb)
        verb.set_defaults(function=module.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    output.open_streams()
    given = _joined(sys.argv[1:] if argv is None else argv)
    verbose = "-v" in given or "--verbose" in given
    error: HilError
    signal.signal(signal.SIGTERM, _terminate)
    with held() as hold:
        try:
            arguments = _parser_for(given).parse_args(given)
            with hold.heard():
                code = int(arguments.function(arguments))
            if code == 0:
                output.require_heard()
            return code
        except KeyboardInterrupt as signalled:
            error = stopped(signalled)
        except HilError as caught:
            error = caught
        except OSError as caught:
            found = storage.scarcity(caught)
            if found is None:
                raise
            error = found
        _tell(error, given, verbose)
        return error.exit_code


def _joined(words: Sequence[str]) -> list[str]:
    """The words with `--network -32-10` joined into one: argparse takes a word that
    begins with a dash for a flag."""
    found: list[str] = []
    for word in words:
        if found and found[-1].startswith("--") and _LEFT_OUT.fullmatch(word):
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Termination


def _tell(error: HilError, given: Sequence[str], verbose: bool) -> None:
    if verbose:
        traceback.print_exception(type(error), error, error.__traceback__)
    output.tell(error)
    where = _json_of(given)
    if where is not None:
        with suppress(HilError):  # where it cannot be written was the error
            output.Output(where).document(output.error_document(error))


def _json_of(given: Sequence[str]) -> str | None:
    """What --json says, also on a command line that could not be parsed."""
    for place, word in enumerate(given):
        if word.startswith("--json="):
            return word.partition("=")[2]
        if word == "--json" and place + 1 < len(given):
            return given[place + 1]
    return None
