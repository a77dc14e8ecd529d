"""What a person sees while a run goes on: a line a stage, and a live line.

`Progress` itself shows nothing, which is what Python callers get; `Lines` is
for files and pipes, `Live` for terminals.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from hil.metrics import Status

if TYPE_CHECKING:
    from rich.live import Live as RichLive

LINE_EVERY = 5.0
"""Seconds between two learning lines where there is no terminal."""
LIVE_EVERY = 0.1


class Progress:
    """Shows nothing."""

    def stage(self, name: str, text: str) -> None:
        """A stage of the run is done."""

    def learning(self, status: Callable[[], Status]) -> None:
        """One step is done; `status` says how things are, for those who show it."""

    def learned(self) -> None:
        """Learning has ended, well or not."""


def text(status: Status) -> str:
    """The learning line."""
    counted = (
        "" if status.instructions is None else f"  {status.instructions:,} instr/step"
    )
    return (
        f"step {status.step}/{status.steps}  loss {status.loss:.4f}  "
        f"accuracy so far {status.prequential:.1%}{counted}  {status.frames} frames"
    )


class Lines(Progress):
    """Plain lines; a learning line now and then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = time.monotonic()

    def stage(self, name: str, text: str) -> None:
        """Print the stage."""
        print(f"{name:8} {text}", file=self._stream, flush=True)
        self._last = time.monotonic()

    def learning(self, status: Callable[[], Status]) -> None:
        """Print a line, not too often."""
        if time.monotonic() - self._last >= LINE_EVERY:
            self.stage("learn", text(status()))


class Live(Lines):
    """The same with a live line while learning."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._live: RichLive | None = None

    def learning(self, status: Callable[[], Status]) -> None:
        """Show the latest step in place."""
        now = time.monotonic()
        if self._live is not None and now - self._last < LIVE_EVERY:
            return
        self._last = now
        line = f"learn    {text(status())}"
        if self._live is None:
            from rich.console import Console
            from rich.live import Live as RichLive

            console = Console(file=self._stream, highlight=False)
            self._live = RichLive(
                line, console=console, auto_refresh=False, transient=True
            )
            self._live.start()
        self._live.update(line, refresh=True)

    def learned(self) -> None:
        """Take the live line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def for_stream(stream: TextIO) -> Progress:
    """Live on a terminal, lines elsewhere."""
    return Live(stream) if stream.isatty() else Lines(stream)
