"""Where a verb's lines and its JSON document go.

Without --json lines go to stdout, with --quiet nowhere: the exit code tells then, and
an error is told as ever. With `--json FILE` the document goes into the
file; with `--json -` it goes to stdout alone, and lines go to stderr.

Lines hold foreign text: names of files, what a device says of itself. So whatever a
terminal would take for a command is escaped in `say`, through which all lines go. A
stream that takes no more is given up, since a run is worth more than its words.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from hil.errors import HilError, StorageError, UsageError
from targets import storage

SCHEMA = 1
STDOUT = "-"


def plain(text: str) -> str:
    """`text` with every character escaped that does not stand for itself: a terminal
    obeys some, and others turn the writing round."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode()
        for c in text
    )


_lost: dict[str, OSError] = {}
"""Streams that took no more, by name, and why."""


def say(text: str, stream: TextIO) -> None:
    """One line for people. It never fails: `require_heard` tells afterwards."""
    try:
        print(plain(text), file=stream, flush=True)
    except OSError as error:
        _give_up(stream, error)
    except ValueError:
        pass  # it is closed


def tell(error: HilError) -> None:
    """One sentence, then the hints, on stderr."""
    say(f"hil: {error}", sys.stderr)
    for hint in error.hints:
        say(f"  hint: {hint}", sys.stderr)


def _give_up(stream: TextIO, error: OSError) -> None:
    """Drop whatever is written to `stream` from now on, also what Python flushes at its
    end."""
    _lost.setdefault(stream.name, error)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def require_heard() -> None:
    """Raise `StorageError` when lines were lost that somebody wanted: a reader that
    has gone, as `head` does, had enough."""
    while _lost:
        name, error = _lost.popitem()
        if error.errno != errno.EPIPE:
            raise StorageError(
                f"{name.strip('<>')} cannot be written: {error.strerror}",
                "all else was done as usual, and only what was to be read there is lost",
            )


def open_streams() -> None:
    """Descriptors 0 to 2 lead somewhere, also when this program was started without:
    else a file that it opens would be taken for one of them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number, which is this
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")


@cache
def nowhere() -> TextIO:
    """A stream that keeps nothing."""
    return open(os.devnull, "w", encoding="utf-8")


@dataclass(frozen=True)
class Output:
    """`json` is what --json said, None without it; `quiet`: no lines."""

    json: str | None = None
    quiet: bool = False

    @property
    def people(self) -> TextIO:
        """The stream of lines for people."""
        if self.quiet:
            return nowhere()
        return sys.stderr if self.json == STDOUT else sys.stdout

    def line(self, text: str = "") -> None:
        """One line for people."""
        say(text, self.people)

    def progress(self, text: str) -> None:
        """How far a verb is whose lines are a table: a line on stderr."""
        say(text, nowhere() if self.quiet else sys.stderr)

    def document(self, document: Mapping[str, Any]) -> None:
        """The JSON document, if one was asked for. Raises `StorageError`."""
        if self.json is None:
            return
        text = json.dumps({"schema": SCHEMA, **document}, indent=2, allow_nan=False)
        if self.json == STDOUT:
            try:
                print(text, flush=True)
            except OSError as error:
                _give_up(sys.stdout, error)
                _lost.clear()
                raise StorageError(
                    f"the JSON document cannot be written to stdout: {error.strerror}"
                ) from error
            return
        storage.write(Path(self.json), text + "\n", device=True)


def add_arguments(parser: ArgumentParser) -> None:
    """The flags that every verb has."""
    parser.add_argument(
        "--json", metavar="FILE", help="write the result as JSON; - for stdout"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true",
        help="print nothing but errors: the exit code is the verdict",
    )  # fmt: skip
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show the traceback of an error"
    )


def of(arguments: Namespace) -> Output:
    """The output that the flags ask for. Raises `UsageError` at once when the
    JSON file could not be written at the end."""
    if arguments.json not in (None, STDOUT):
        require_folder("--json", arguments.json)
    return Output(arguments.json, arguments.quiet)


def require_folder(flag: str, path: str) -> None:
    """Raise `UsageError` unless a file can be made at `path`."""
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise UsageError(f"{flag} is {path!r}: folder {str(folder)!r} does not exist")
    if Path(path).is_dir() or not os.access(folder, os.W_OK):
        raise UsageError(f"{flag} is {path!r}: no file can be written there")


def error_document(error: HilError) -> dict[str, Any]:
    """What --json gives when a verb fails."""
    return {
        "result": "error",
        "exit_code": error.exit_code,
        "error": {"sentence": str(error), "hints": list(error.hints)},
    }
