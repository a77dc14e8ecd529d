"""A scaler: constants of the image that bring each element of a sample to the
network's own range (docs/arithmetic.md, section 4)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from codegen.errors import SpecError
from codegen.front import Front

LARGEST = 2.0**125
"""Of a constant for floats."""
LARGEST_OF_INTEGERS = 2.0**20
"""Of a constant for integers: with those up to here every x is finite."""
UNIT = 64
"""A divisor away from the offset, in the integer formats: an input of 8 bits holds two of
them either way."""
LEAST_DIVISOR, MOST_OFFSET = 2.0**-5, 2.0**16
"""There: a smaller divisor counts as this one, by which a whole number more is 32 divisors; and
what an offset's magnitude may be."""


@dataclass(frozen=True)
class Scaler(Front):
    """`x_j = fl(fl(v_j - offset_j) / divisor_j)`: an offset and a divisor for each
    element of a sample, rounded to binary32.

    Raises `SpecError` when it is no such scaler.
    """

    offsets: tuple[float, ...]
    divisors: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.offsets or len(self.offsets) != len(self.divisors):
            raise SpecError(
                f"a scaler has {len(self.offsets)} offsets and {len(self.divisors)} "
                "divisors: expected one of each for an element of a sample"
            )
        self.require_within(LARGEST)

    def require_within(self, largest: float) -> None:
        """Raise `SpecError` unless offsets are -largest to largest, and divisors
        1 / largest to largest."""
        for j, offset in enumerate(self.offsets):
            if not -largest <= offset <= largest:
                raise SpecError(
                    f"offset {j} of a scaler is {offset!r}: expected -{largest:g} to "
                    f"{largest:g}"
                )
        for j, divisor in enumerate(self.divisors):
            if not 1 / largest <= divisor <= largest:
                raise SpecError(
                    f"divisor {j} of a scaler is {divisor!r}: expected {1 / largest:g} to "
                    f"{largest:g}"
                )

    @property
    def elements(self) -> int:
        """Elements of a sample."""
        return len(self.offsets)

    @property
    def features(self) -> int:
        """As many as elements."""
        return self.elements

    @property
    def made_by(self) -> str:
        """The front that scales."""
        return "scaler"

    @property
    def gives(self) -> str:
        """The end of a sentence about what the network sees."""
        return f"its scaler has constants for {self.elements}"

    @property
    def integer(self) -> bool:
        """A product and a shift make a level of a whole number."""
        return True

    def require_levels(self) -> None:
        """Raise `SpecError` for an offset that leaves the product of a whole number no room."""
        for j, offset in enumerate(self.offsets):
            if abs(offset) > MOST_OFFSET:
                raise SpecError(
                    f"offset {j} of a scaler is {offset:g} in an integer format: expected "
                    f"-{MOST_OFFSET:g} to {MOST_OFFSET:g}"
                )

    def constants(self) -> Iterable[float]:
        """Offsets, then divisors, as they lie in the image: binary32."""
        return as_binary32((*self.offsets, *self.divisors))


def as_binary32(values: Sequence[float]) -> Iterable[float]:
    """Each value rounded once to binary32."""
    form = f"<{len(values)}f"
    return struct.unpack(form, struct.pack(form, *values))
