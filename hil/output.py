"""Where a verb's lines and its JSON document go.

Without --json lines go to stdout. With `--json FILE` the document goes into the
file; with `--json -` it goes to stdout alone, and lines go to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from hil.errors import HilError, UsageError

SCHEMA = 1
STDOUT = "-"


@dataclass(frozen=True)
class Output:
    """`json` is what --json said, None without it."""

    json: str | None = None

    @property
    def people(self) -> TextIO:
        """The stream of lines for people."""
        return sys.stderr if self.json == STDOUT else sys.stdout

    def line(self, text: str = "") -> None:
        """One line for people."""
        print(text, file=self.people, flush=True)

    def document(self, document: Mapping[str, Any]) -> None:
        """The JSON document, if one was asked for."""
        if self.json is None:
            return
        text = json.dumps({"schema": SCHEMA, **document}, indent=2, allow_nan=False)
        if self.json == STDOUT:
            print(text, flush=True)
            return
        try:
            Path(self.json).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"JSON file {self.json!r} cannot be written: {error.strerror}"
            ) from error


def add_arguments(parser: ArgumentParser) -> None:
    """The flags that every verb has."""
    parser.add_argument(
        "--json", metavar="FILE", help="write the result as JSON; - for stdout"
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show the traceback of an error"
    )


def of(arguments: Namespace) -> Output:
    """The output that the flags ask for. Raises `UsageError` at once when the
    JSON file could not be written at the end."""
    if arguments.json not in (None, STDOUT):
        require_folder("--json", arguments.json)
    return Output(arguments.json)


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
