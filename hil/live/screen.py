"""Where the picture stands on the terminal: under what was printed, drawn in place."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.control import Control
from rich.live import Live

from hil.live.block import Block
from hil.output import say

KEPT = 20
"""Lines that are printed anew on a screen whose size has changed."""


class Screen:
    """The part of the terminal under the lines that were printed."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._stream = stream
        self._live: Live | None = None
        self._drawn: tuple[int, int] | None = None
        self._printed: list[str] = []

    @property
    def fd(self) -> int:
        """The terminal."""
        return self._stream.fileno()

    @property
    def open(self) -> bool:
        """Whether a picture is there."""
        return self._live is not None

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows that a picture may take: one row stays free for the
        cursor."""
        width, height = self._console.size
        return width, max(1, height - 1)

    def printed(self, line: str) -> None:
        """A line that stands above the picture."""
        self._printed = [*self._printed[1 - KEPT :], line]

    def draw(self, picture: Block) -> None:
        """Show `picture` in the place of the one before."""
        if self._live is not None and self._drawn != self.size:
            self._begin_anew()
        self._drawn = self.size
        if self._live is None:
            self._live = Live(
                picture, console=self._console, auto_refresh=False,
                redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
            self._live.start(refresh=True)
        else:
            self._live.update(picture, refresh=True)

    def _begin_anew(self) -> None:
        """After a change of size nobody knows where on the screen the old picture is:
        clear all of it, and print what stood above."""
        self.close(keep=True)
        self._console.control(Control.clear(), Control.home())
        for line in self._printed:
            say(line, self._stream)

    def close(self, keep: bool) -> None:
        """Leave the picture where it is and go on under it, or take it away."""
        if self._live is not None:
            self._live.transient = not keep
            self._live.stop()
            self._live = None
