"""The `hil` command: one verb a file in `hil.verbs`.

A verb module has `HELP`, `arguments(parser)` and `run(arguments) -> int`; its
name is the module's. Only the verb that was asked for does any heavy importing.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType, ModuleType
from typing import NoReturn

from hil import output, verbs
from hil.errors import HilError, Termination, UsageError, stopped
from hil.versions import version
from targets import storage
from targets.signals import held


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that usage errors look like all others."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"`{self.prog} --help` lists what there is")


def _verbs() -> dict[str, ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(verbs.__path__))
    return {name: importlib.import_module(f"{verbs.__name__}.{name}") for name in names}


def parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    top = _Parser(
        prog="hil", description="Teach a network on a device; prove every step."
    )
    top.add_argument("--version", action="version", version=f"hil {version()}")
    known = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, module in _verbs().items():
        verb = known.add_parser(name, help=module.HELP, description=module.HELP)
        module.arguments(verb)
        output.add_arguments(verb)
        verb.set_defaults(function=module.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    output.open_streams()
    given = list(sys.argv[1:] if argv is None else argv)
    verbose = "-v" in given or "--verbose" in given
    error: HilError
    signal.signal(signal.SIGTERM, _terminate)
    with held() as hold:
        try:
            arguments = parser().parse_args(given)
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
