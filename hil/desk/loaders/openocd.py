"""Loader `openocd`: OpenOCD itself, started for each flashing. Not yet seen on
hardware; the commands are those of its User's Guide, 4.3, 12.5 and 15."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.elffile import ELFFile

from hil.desk.loaders.base import Loader, run_tool
from hil.desk.loaders.memory import lies_in_ram


class OpenocdLoader(Loader):
    """`unit.config` is the board's configuration file, `unit.probe` the serial number
    of the adapter, where several are plugged in."""

    def program(self, image: Path) -> None:
        """Into flash, verified, and reset; or into RAM, verified, and run."""
        run_tool(self.words(self.loading(image)))

    def reset(self) -> None:
        """Reset and run."""
        run_tool(self.words(("init", "reset run", "shutdown")))

    def version(self) -> str:
        """The first line of what it says of itself."""
        return run_tool(["openocd", "--version"]).splitlines()[0]

    def words(self, orders: tuple[str, ...]) -> list[str]:
        """The command line that gives it these orders."""
        chosen = (f"adapter serial {self.unit.probe}",) if self.unit.probe else ()
        given = [word for order in (*chosen, *orders) for word in ("-c", order)]
        return ["openocd", "-f", self.unit.config or "", *given]

    def loading(self, image: Path) -> tuple[str, ...]:
        """Orders that put an image where it belongs and start it."""
        with image.open("rb") as file:
            elf = ELFFile(file)
            entry, in_ram = elf["e_entry"], lies_in_ram(elf, self.target)
        if not in_ram:
            return (f"program {{{image}}} verify reset exit",)
        there = (f"load_image {{{image}}}", f"verify_image {{{image}}}")
        return ("init", "reset halt", *there, f"resume {entry:#x}", "shutdown")
