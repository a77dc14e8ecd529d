"""Loader `esptool`: Espressif's own tool, version 5 or newer, over the line itself. Not
yet seen on hardware but for what needs none (elf2image); the commands are those of its
documentation, "Basic Commands"."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hil.desk.loaders.base import Loader, run_tool

BOOT = "0x0"
"""Where in flash the ROM of the chips that a unit may have (`hil.device.units.ESP_CHIPS`)
looks for the image that it copies into RAM and starts."""
MODE = "dio"
"""What ESP-IDF gives every image that the ROM starts: the ROM cannot bring each kind of
flash into the quad modes."""


class EsptoolLoader(Loader):
    """`unit.chip` is what it calls the chip (`esptool --help`), `unit.baud` the rate
    while it writes."""

    def program(self, image: Path) -> None:
        """Into flash, whose contents it holds against an MD5 sum, and a reset."""
        with tempfile.TemporaryDirectory(prefix="hil-") as folder:
            made = Path(folder) / "image.bin"
            run_tool(self.converting(image, made))
            run_tool(self.words("write-flash", BOOT, str(made)))

    def reset(self) -> None:
        """A reset as after flashing; on the way there it reads the MAC, for it has no
        command that does nothing."""
        run_tool(self.words("read-mac"))

    def version(self) -> str:
        """The first line of what it says of itself."""
        return run_tool(["esptool", "version"]).splitlines()[0]

    def converting(self, image: Path, made: Path) -> list[str]:
        """The command line that turns an ELF into what the ROM starts."""
        mode = ("--flash-mode", MODE)
        return [*self._chip(), "elf2image", *mode, "--output", str(made), str(image)]

    def words(self, *order: str) -> list[str]:
        """The command line that gives the chip this order, and resets it."""
        rate = ("--baud", self.unit.baud) if self.unit.baud else ()
        port = ("--port", self.unit.url)
        return [*self._chip(), *port, *rate, "--after", "hard-reset", *order]

    def _chip(self) -> list[str]:
        return ["esptool", "--chip", self.unit.chip or ""]
