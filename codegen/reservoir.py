"""Reservoirs: fixed recurrent networks that turn a sequence into features.

A sample is a sequence: `rows` of `axes` numbers, row after row. It is played to cells
that nobody teaches; what they did in each part of it is what the network learns from
(docs/arithmetic.md, section 4). Their weights are drawn from a seed of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import ClassVar

from codegen.constants import WINDOW_ROWS
from codegen.errors import SpecError
from codegen.front import Front
from codegen.homeostat import Homeostat
from codegen.scaler import LARGEST_OF_INTEGERS, as_binary32

MOST_AXES = 64
MOST_CELLS = 256
"""A source is named by 8 bits."""
MOST_TICKS = 4096
THRESHOLD = 4096
"""Potential at which a cell of a liquid spikes that has not tired."""
LEVEL_UNIT = 32
"""What a scaled number of 1 is to a reservoir of integers."""
SQUASHES = ("hard", "tanh")
SHAPE = ("rows", "axes", "seed", "scaling", "standards")
"""What data and seed decide; the other fields are a user's options."""

Pairs = tuple[tuple[float, float], ...]
"""(offset, divisor) each."""


@dataclass(frozen=True)
class Reservoir(Front):
    """`cells` that see every `every`-th row of a sequence for `hold` ticks, and have
    `sources` cells each that they hear. What they did is summed up in `segments` parts
    of the sequence.

    `scaling` has the offset and divisor of each axis; `standards` those of each feature,
    segments one after the other. Raises `SpecError` when it is no such reservoir.
    """

    name: ClassVar[str]
    integer: ClassVar[bool]
    rows: int
    axes: int
    seed: int
    scaling: Pairs
    standards: Pairs = ()
    cells: int = 128
    sources: int = 8
    segments: int = 4
    hold: int = 1
    every: int = 1

    def __post_init__(self) -> None:
        for what, least, most in (
            ("rows", 1, WINDOW_ROWS), ("axes", 1, MOST_AXES), ("cells", 2, MOST_CELLS),
            ("sources", 1, 32), ("segments", 1, 64), ("hold", 1, 64), ("every", 1, 64),
        ):  # fmt: skip
            self._require(what, least, most)
        if self.seen % self.segments:
            raise SpecError(
                f"front {self.name} sees {self.seen} rows in {self.segments} segments: "
                "expected as many rows in each"
            )
        if self.ticks > MOST_TICKS:
            raise SpecError(
                f"front {self.name} has {self.ticks} ticks a sample: expected at most "
                f"{MOST_TICKS}"
            )
        if len(self.scaling) != self.axes:
            raise SpecError(
                f"front {self.name} has constants for {len(self.scaling)} axes: expected "
                f"{self.axes}"
            )
        if self.standards and len(self.standards) != self.features:
            raise SpecError(
                f"front {self.name} has constants for {len(self.standards)} features: "
                f"expected {self.features}"
            )
        for offset, divisor in (*self.scaling, *self.standards):
            if (
                abs(offset) > LARGEST_OF_INTEGERS
                or not 1 / LARGEST_OF_INTEGERS <= divisor <= LARGEST_OF_INTEGERS
            ):
                raise SpecError(
                    f"front {self.name} has an offset of {offset!r} and a divisor of "
                    f"{divisor!r}: expected -2^20 to 2^20, and 2^-20 to 2^20"
                )

    def _require(self, what: str, least: float, most: float) -> None:
        value = getattr(self, what)
        if not least <= value <= most:
            raise SpecError(
                f"front {self.name} with {what} {value:g}: expected {least:g} to {most:g}"
            )

    def __str__(self) -> str:
        return f"{self.name} of {self.cells} cells"

    @property
    def made_by(self) -> str:
        """The front that plays the sequence."""
        return self.name

    @property
    def elements(self) -> int:
        """Numbers of a sequence."""
        return self.rows * self.axes

    @property
    def features(self) -> int:
        """One a cell and segment."""
        return self.segments * self.cells

    @property
    def gives(self) -> str:
        """The end of a sentence about its features."""
        return (
            f"front {self.name} of {self.cells} cells gives {self.features} features in "
            f"{self.segments} segments"
        )

    @property
    def seen(self) -> int:
        """Rows that it sees."""
        return -(-self.rows // self.every)

    @property
    def ticks(self) -> int:
        """Of a sample."""
        return self.seen * self.hold

    def constants(self, pairs: Pairs) -> Iterable[float]:
        """Offsets, then divisors, as they lie in the image: binary32."""
        return as_binary32(
            tuple(value for part in zip(*pairs, strict=True) for value in part)
        )


@dataclass(frozen=True)
class Echo(Reservoir):
    """An echo state network: r <- r + leak (squash(Win u + W r) - r), `radius` the size
    of W's row, in binary32."""

    name: ClassVar[str] = "echo"
    integer: ClassVar[bool] = False
    leak: float = 0.3
    radius: float = 0.9
    squash: str = "hard"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("leak", 1e-3, 1.0)
        self._require("radius", 0.0, 16.0)
        if self.squash not in SQUASHES:
            raise SpecError(
                f"front echo with squash {self.squash!r}: expected one of "
                + ", ".join(SQUASHES)
            )


@dataclass(frozen=True)
class Liquid(Reservoir):
    """Cells that spike, in integers: V <- V - (V >> leak) + Win u + W s, a threshold
    that rises with every spike. A cell hears `inputs` axes by +-`gain`, or by +gain where
    numbers have no sign (`signs`). With a `homeostat`, their thresholds follow their
    rates."""

    name: ClassVar[str] = "liquid"
    integer: ClassVar[bool] = True
    sources: int = 12
    leak: int = 3
    inputs: int = 3
    gain: int = 60
    excite: int = 900
    inhibit: int = 1400
    signs: bool = False
    homeostat: Homeostat | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for what, least, most in (
            ("leak", 1, 15), ("inputs", 1, 16), ("gain", 0, 1024), ("excite", 0, 32767),
            ("inhibit", 0, 32767),
        ):  # fmt: skip
            self._require(what, least, most)

    @property
    def carries(self) -> bool:
        """Thresholds that follow rates go on; all else is reset with every sample."""
        return self.homeostat is not None


KINDS: dict[str, type[Reservoir]] = {kind.name: kind for kind in (Echo, Liquid)}
"""By name."""


def options(kind: type[Reservoir]) -> dict[str, object]:
    """What a user may say of one, with its defaults."""
    own = {"signs", "homeostat", *SHAPE}
    return {f.name: f.default for f in fields(kind) if f.name not in own}
