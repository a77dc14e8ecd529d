"""What every loader does, and how it runs its tool."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from hil.device.units import Unit
from hil.errors import FlashError
from targets import Target

TOOL_LIMIT = 300.0
"""Host seconds that a tool may take."""
LAST_LINES = 5


class Loader(ABC):
    """Puts images of `target` onto `unit`; `resets`: it can start one anew, too."""

    resets = True

    def __init__(self, unit: Unit, target: Target) -> None:
        self.unit = unit
        self.target = target

    @abstractmethod
    def program(self, image: Path) -> None:
        """Write the image, verify it as far as the tool can, and start it. Raises
        `FlashError`."""

    @abstractmethod
    def reset(self) -> None:
        """The unit starts anew. Raises `FlashError`, and `UsageError` when this
        loader cannot do that."""

    @abstractmethod
    def version(self) -> str:
        """The tool and its version, in a line. Raises `FlashError`."""


def run_tool(words: Sequence[str], what: str = "programmer") -> str:
    """What a tool said, stdout and stderr. Raises `FlashError` with its last lines
    unless it ends with 0."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TOOL_LIMIT,
        )
    except OSError as error:
        raise FlashError(
            f"{what} {words[0]!r} does not start: {error.strerror}"
        ) from error
    except subprocess.TimeoutExpired:
        raise FlashError(
            f"{what} {words[0]!r} did not end within {TOOL_LIMIT:g} s"
        ) from None
    if done.returncode != 0:
        raise FlashError(
            f"{what} {words[0]!r} failed with exit code {done.returncode}",
            *last_words(done.stdout),
        )
    return done.stdout


def last_words(said: str) -> list[str]:
    """The last lines that a tool said, as hints."""
    lines = [line for line in said.splitlines() if line.strip()]
    return [f"it said: {line}" for line in lines[-LAST_LINES:]]
