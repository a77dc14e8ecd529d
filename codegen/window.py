"""Windows of sensor readings, of which the device computes features itself.

A sample that travels is a window: `rows` readings of `axes` int16 numbers, row
after row. The network's input are three features of each axis, standardised by
constants that lie in the image (docs/arithmetic.md, section 4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from codegen.constants import WINDOW_ROWS
from codegen.errors import SpecError
from codegen.front import Front
from codegen.scaler import as_binary32

PER_AXIS = 3
"""Features of an axis: mean, standard deviation, mean absolute difference of
successive rows."""
UNIT = 64
"""A deviation of a feature, in the integer formats: an input of 8 bits holds two of them
either way."""
MOST_AXES = 64
LARGEST = 2.0**20
"""Of a constant: with those up to here no feature can overflow."""


@dataclass(frozen=True)
class Window(Front):
    """`rows` readings of `axes` numbers, and the constants that standardise their
    features, `x_k = fl(fl(f_k - offset_k) / divisor_k)`, each [3 axes], rounded to
    binary32. Feature 3 a + 0 is axis a's mean, + 1 its standard deviation, + 2 its
    mean absolute difference.

    Raises `SpecError` when it is no such window.
    """

    rows: int
    axes: int
    offsets: tuple[float, ...]
    divisors: tuple[float, ...]

    def __post_init__(self) -> None:
        for value, what, least, most in (
            (self.rows, "rows", 2, WINDOW_ROWS),
            (self.axes, "axes", 1, MOST_AXES),
        ):
            if not least <= value <= most:
                raise SpecError(
                    f"a window has {value} {what}: expected {least} to {most}"
                )
        for found, what in ((self.offsets, "offsets"), (self.divisors, "divisors")):
            if len(found) != self.features:
                raise SpecError(
                    f"a window of {self.axes} axes has {len(found)} {what}: expected "
                    f"{self.features}, {PER_AXIS} an axis"
                )
        for k, offset in enumerate(self.offsets):
            if not -LARGEST <= offset <= LARGEST:
                raise SpecError(
                    f"offset {k} of a window is {offset!r}: expected -2^20 to 2^20"
                )
        for k, divisor in enumerate(self.divisors):
            if not 1 / LARGEST <= divisor <= LARGEST:
                raise SpecError(
                    f"divisor {k} of a window is {divisor!r}: expected 2^-20 to 2^20"
                )

    def __str__(self) -> str:
        return f"{self.rows}x{self.axes}"

    @property
    def elements(self) -> int:
        """Numbers of a window."""
        return self.rows * self.axes

    @property
    def features(self) -> int:
        """Features of a window: the network's input."""
        return PER_AXIS * self.axes

    @property
    def made_by(self) -> str:
        """The front that computes them."""
        return "window"

    @property
    def integer(self) -> bool:
        """Its sums are whole numbers, and so are the levels made of them."""
        return True

    @property
    def gives(self) -> str:
        """The end of a sentence about its features."""
        return f"a window of {self.axes} axes has {self.features} features"

    def constants(self) -> Iterable[float]:
        """Offsets, then divisors, as they lie in the image: binary32."""
        return as_binary32((*self.offsets, *self.divisors))
