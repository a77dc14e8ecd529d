"""Loader `pyocd`: pyOCD, for CMSIS-DAP, ST-Link and J-Link probes. Not yet seen on
hardware; the commands are those of its documentation."""

from __future__ import annotations

from pathlib import Path

from hil.desk.loaders.base import Loader, run_tool


class PyocdLoader(Loader):
    """`unit.chip` is what pyOCD calls the chip (`pyocd list --targets`), `unit.probe`
    the unique id of the probe, where several are plugged in."""

    def program(self, image: Path) -> None:
        """Into flash, and reset; whether the image is there, its HELLO tells."""
        run_tool([*self.words("load"), str(image)])

    def reset(self) -> None:
        """Reset and run."""
        run_tool(self.words("reset"))

    def version(self) -> str:
        """Its name and version."""
        return f"pyocd {run_tool(['pyocd', '--version']).strip()}"

    def words(self, verb: str) -> list[str]:
        """The command line of one of its verbs; it never asks which probe is meant."""
        chosen = ["--probe", self.unit.probe] if self.unit.probe else []
        return ["pyocd", verb, "--no-wait", "--target", self.unit.chip or "", *chosen]
