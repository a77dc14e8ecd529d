"""Cells that spike, hear each other with delays, and go on from sample to sample.

A sample is one moment: which stimuli begin. What the network sees are the cells' traces,
so that it can learn what comes after a stimulus, and when (docs/spiking.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from codegen.errors import SpecError
from codegen.front import Front
from codegen.homeostat import Homeostat

CELLS = (2, 256)
"""Of a front: a source is named by 8 bits."""
STIMULI = 32
"""At most."""
SOURCES = 16
"""Cells that a cell hears, each after 1 to 16 ticks."""
THRESHOLD = 4096
"""Potential at which a cell spikes that has not tired."""
SHARE = 5
"""A stimulus drives one of so many cells."""


@dataclass(frozen=True)
class Delays(Front):
    """`cells` that `stimuli` excite, drawn from `seed`. Raises `SpecError` when it is no
    such front."""

    name: ClassVar[str] = "delays"
    stimuli: int
    seed: int
    cells: int = 256
    homeostat: Homeostat | None = None

    def __post_init__(self) -> None:
        for what, value, least, most in (
            ("cells", self.cells, *CELLS), ("stimuli", self.stimuli, 1, STIMULI),
        ):  # fmt: skip
            if not least <= value <= most:
                raise SpecError(
                    f"front delays with {value} {what}: expected {least} to {most}"
                )

    def __str__(self) -> str:
        return f"delays of {self.cells} cells"

    @property
    def made_by(self) -> str:
        """The front that lets them spike."""
        return self.name

    @property
    def elements(self) -> int:
        """A number for each stimulus: not zero where it begins."""
        return self.stimuli

    @property
    def features(self) -> int:
        """A trace a cell."""
        return self.cells

    @property
    def gives(self) -> str:
        """The end of a sentence about its features."""
        return f"front delays of {self.cells} cells gives {self.features} features"

    @property
    def integer(self) -> bool:
        """Traces are integers."""
        return True

    @property
    def carries(self) -> bool:
        """They are never reset."""
        return True

    @property
    def moments(self) -> bool:
        """What begins at a tick."""
        return True
