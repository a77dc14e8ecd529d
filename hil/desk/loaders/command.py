"""Loader `command`: the user's own line, for whatever is not here."""

from __future__ import annotations

import shlex
from pathlib import Path

from hil.desk.loaders.base import Loader, run_tool
from hil.errors import UsageError


class CommandLoader(Loader):
    """`unit.command`, in which {image} and {port} stand for both."""

    resets = False

    def program(self, image: Path) -> None:
        """Run it; whether the image is there, its HELLO tells."""
        run_tool(
            [
                word.replace("{image}", str(image)).replace("{port}", self.unit.url)
                for word in self._words()
            ]
        )

    def reset(self) -> None:
        """Nothing is known of a command but how it programs: `UsageError`."""
        raise UsageError(
            f"loader 'command' of unit {self.unit.name!r} cannot reset it",
            "a key `power` in the bench, a command with {state} in it, can",
        )

    def version(self) -> str:
        """The program's name: not every one tells a version."""
        return self._words()[0]

    def _words(self) -> list[str]:
        command = self.unit.command or ""
        try:
            return shlex.split(command)
        except ValueError as error:
            raise UsageError(f"command {command!r}: {error}") from None
