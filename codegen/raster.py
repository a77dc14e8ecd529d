"""Samples that are spikes in time: which inputs spike in which tick.

A sample is a raster, `ticks` rows of `inputs` bits, or a list of its events. Nothing is
made of it before a rule begins: the rule has it played, tick by tick.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from codegen.errors import SpecError
from codegen.formats import BITS, U16, Format
from codegen.front import Front

TYPES = (BITS.name, U16.name)
"""Of elements of such samples."""
UNUSED = 0xFFFF
"""Tick and address of a place that holds no event."""
MOST_TICKS = 1024
MOST_EVENTS = 16384


@dataclass(frozen=True)
class Raster(Front):
    """Spikes of so many `inputs` in so many `ticks`. Raises `SpecError` when it is no
    such raster."""

    ticks: int
    inputs: int

    def __post_init__(self) -> None:
        self._require("ticks", self.ticks, MOST_TICKS)
        self._require("inputs", self.inputs, UNUSED)

    def _require(self, what: str, value: int, most: int) -> None:
        if not 1 <= value <= most:
            raise SpecError(
                f"spikes of {value:,} {what} a sample: expected 1 to {most:,}"
            )

    def __str__(self) -> str:
        ticks = "one tick" if self.ticks == 1 else f"{self.ticks} ticks"
        return f"{self.made_by} of {self.inputs} inputs in {ticks}"

    @property
    @abstractmethod
    def format(self) -> Format:
        """What an element of a sample is as it travels."""

    @property
    def features(self) -> int:
        """What the network hears in a tick."""
        return self.inputs

    @property
    def integer(self) -> bool:
        """A spike is the same in all numbers."""
        return True

    @property
    def gives(self) -> str:
        """The end of a sentence about its inputs."""
        return f"a sample is {self}"


@dataclass(frozen=True)
class Spikes(Raster):
    """A bit an input and tick; each tick begins with a word of its own."""

    @property
    def made_by(self) -> str:
        """The front that plays it."""
        return "spikes"

    @property
    def format(self) -> Format:
        """A word of bits."""
        return BITS

    @property
    def words(self) -> int:
        """Of a tick."""
        return -(-self.inputs // BITS.bits)

    @property
    def elements(self) -> int:
        """Words of a sample."""
        return self.ticks * self.words


@dataclass(frozen=True)
class Events(Raster):
    """A list of (tick, address) with room for `capacity`, ticks ascending; places behind
    the last are `UNUSED`."""

    capacity: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("events", self.capacity, MOST_EVENTS)

    @property
    def made_by(self) -> str:
        """The front that plays it."""
        return "events"

    @property
    def format(self) -> Format:
        """A tick, or an address."""
        return U16

    @property
    def elements(self) -> int:
        """Two a place."""
        return 2 * self.capacity


def require_format(raster: Raster | None, format: Format) -> None:
    """Raise `SpecError` for spikes in time whose elements are of another format than
    theirs, and for numbers (None) of one of theirs."""
    if raster is not None and raster.format != format:
        raise SpecError(
            f"{raster} that come as {format.name}: expected {raster.format.name}"
        )
    if raster is None and format.name in TYPES:
        raise SpecError(
            f"samples that come as {format.name}: expected a front that plays them"
        )
