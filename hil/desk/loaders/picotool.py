"""Loader `picotool`: Raspberry Pi's own tool, for RP2350 boards, over their USB. Not yet
seen on hardware; the commands are those of its README."""

from __future__ import annotations

from pathlib import Path

from hil.desk.loaders.base import Loader, run_tool
from hil.errors import UsageError


class PicotoolLoader(Loader):
    """`unit.probe` is the board's USB serial number, where several are plugged in.

    The board must be in BOOTSEL mode, or run what lets itself be put into it over USB,
    which firmware of ours, whose line is a UART, does not.
    """

    resets = False

    def program(self, image: Path) -> None:
        """Into flash or RAM, whichever it is linked for, verified, and run."""
        run_tool(self.words(image))

    def reset(self) -> None:
        """It does not reach a board that runs: `UsageError`."""
        raise UsageError(
            f"loader 'picotool' of unit {self.unit.name!r} reaches it in BOOTSEL mode "
            "only, and cannot reset it",
            "a key `power` in the bench, a command with {state} in it, can",
        )

    def version(self) -> str:
        """The first line of what it says of itself."""
        return run_tool(["picotool", "version"]).splitlines()[0]

    def words(self, image: Path) -> list[str]:
        """The command line that loads, verifies and executes."""
        chosen = ["--ser", self.unit.probe] if self.unit.probe else []
        return ["picotool", "load", "-v", "-x", str(image), "-t", "elf", *chosen, "-f"]
