"""How many instructions a guest executes between two of its functions, also one whose core
does not count them.

A plugin (tally.c) counts the blocks that QEMU executes, at a third of its usual speed; the
log of `emulation.trace` tells which instructions they were, at a thousandth.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulation.errors import EmulatorError
from targets import storage

SOURCE = Path(__file__).with_name("tally.c")
SCOREBOARDS_SINCE = (9, 0)
"""QEMU that takes no plugin of the first version any more."""
PARTS, PLACES = 1024, 8192
"""Parts, and pieces of code, that the plugin tells apart at most."""


@dataclass(frozen=True)
class Tally:
    """Counts instructions in `ranges`, (first, one past the last), from where `begin` is
    executed until `end` is, both beginnings of functions; again and again. `folder` holds
    what is made for it, `compiler` is one of C for this computer. `parts`: (first, one past
    the last, number) of code that belongs to a part; what it calls belongs to it, too."""

    folder: Path
    compiler: str
    begin: int
    end: int
    ranges: tuple[tuple[int, int], ...]
    parts: tuple[tuple[int, int, int], ...] = ()

    def options(self, version: str) -> tuple[str, ...]:
        """For the command line of a QEMU of this version, such as "7.2.22"; makes the
        plugin. Raises `EmulatorError`."""
        number = tuple(int(part) for part in version.split(".")[:2])
        plugin = self.folder / "tally.so"
        self._run(
            (
                *(self.compiler, "-std=c11", "-O2", "-shared", "-fPIC"),
                f"-DTALLY_VERSION={1 if number < SCOREBOARDS_SINCE else 2}",
                *("-o", str(plugin), str(SOURCE)),
            )
        )
        words = [f"begin={self.begin:#x}", f"end={self.end:#x}", f"out={self._out}"]
        words += [f"range={first:#x}-{end:#x}" for first, end in self.ranges]
        if self.parts:
            words.append(f"parts={self._written()}")
        return ("-plugin", ",".join([str(plugin), *words]))

    def _written(self) -> Path:
        """The file of the parts. Raises `EmulatorError` where they are too many."""
        count = 1 + max(part for _, _, part in self.parts)
        if count > PARTS or len(self.parts) > PLACES:
            raise EmulatorError(
                f"{len(self.parts):,} pieces of code in {count:,} parts are to be counted: "
                f"expected at most {PLACES:,} and {PARTS:,}"
            )
        path = self.folder / "parts"
        lines = (f"{first} {end} {part}\n" for first, end, part in self.parts)
        storage.write(path, "".join(lines))
        return path

    def _run(self, command: Sequence[str]) -> None:
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise EmulatorError(f"{self.compiler} does not start: {error}") from error
        if done.returncode != 0:
            raise EmulatorError(
                f"{self.compiler} cannot make QEMU's plugin: {done.stderr[:300]}"
            )

    @property
    def _out(self) -> Path:
        return self.folder / "counts"

    def counts(self) -> tuple[int, ...]:
        """What was counted, each time. Raises `EmulatorError` where nothing was."""
        return tuple(line[0] for line in self._lines())

    def split(self) -> tuple[tuple[int, ...], ...]:
        """What of it was counted in each part, likewise."""
        return tuple(line[1:] for line in self._lines())

    def _lines(self) -> list[tuple[int, ...]]:
        text = self._out.read_text()
        if not text:
            raise EmulatorError("QEMU's plugin has counted nothing: expected a count")
        return [tuple(map(int, line.split())) for line in text.splitlines()]
