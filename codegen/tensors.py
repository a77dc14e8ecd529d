"""Tensors: what a program reads and writes, and how each begins.

A tensor has a role, which says where it lies and how long it lives:

    input    the sample, as it travels
    const    in the image
    learned  what learning changes: weights, biases, thresholds
    dynamic  what a step changes and nobody calls a weight: traces, membranes
    scratch  what does not outlive a step, in the arena
    pending  what a step leaves for the next one to do
    drawn    random words that are there from the seed on, and never change

Learned and dynamic tensors are the state: a checkpoint holds them, and the digest
runs over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from codegen.formats import F32, Format

if TYPE_CHECKING:
    import numpy as np

WORD = 4
"""Bytes of a word: what the line, the digest and the arena count in."""


@dataclass(frozen=True)
class Uniform:
    """Uniform numbers in [-limit, limit): number k of `stream` for element k."""

    stream: int
    limit: float


@dataclass(frozen=True)
class Drawn:
    """Whole numbers from 0 on: word k of `stream`, without its lowest `shift` bits, for
    element k."""

    stream: int
    shift: int


@dataclass(frozen=True)
class Fill:
    """The same number everywhere."""

    value: float = 0.0


@dataclass(frozen=True)
class Values:
    """These elements, flat: what a tensor in the image holds."""

    make: Callable[[], Iterable[float]]


@dataclass(frozen=True)
class Words:
    """Random words of `stream`, from number `first` on."""

    stream: int
    first: int


@dataclass(frozen=True)
class Tensor:
    """A tensor by its name, which is unique in its program.

    `initial` says what a state or a constant holds at first. `inner` marks what
    means nothing outside the device, such as a list of pointers. `index` and
    `offset` are what the link calls it and its place in bytes among those of its
    role, once it is planned; of `passed` scratch others have taken the place when a
    step ends, of `kept` scratch nothing may. `limits` are those that learning keeps a state's elements within, where it
    is not the limit of weights that does.
    """

    name: str
    shape: tuple[int, ...]
    format: Format = F32
    role: str = "scratch"
    initial: Uniform | Drawn | Fill | Values | Words = Fill()
    inner: bool = False
    index: int = -1
    offset: int = -1
    passed: bool = False
    kept: bool = False
    limits: tuple[float, float] | None = None

    @property
    def size(self) -> int:
        """Elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its elements, packed."""
        return self.format.bytes(self.size)

    @property
    def words(self) -> int:
        """Words that hold them, the last padded with zeros."""
        return self.format.words(self.size)

    def packed(self, values: np.ndarray) -> bytes:
        """`values` as they lie in memory and travel: little-endian, packed, the last
        word padded with zeros."""
        import numpy as np  # the command line knows tensors, and starts without it

        found = np.ascontiguousarray(values, self.format.dtype).tobytes()
        return found + bytes(WORD * self.words - len(found))

    def unpacked(self, data: bytes) -> np.ndarray:
        """The values that `packed` has made `data` of, in its shape."""
        import numpy as np

        found = np.frombuffer(data, self.format.dtype, self.size)
        return found.reshape(self.shape)

    @property
    def align(self) -> int:
        """Words that its place in the arena is a multiple of."""
        return max(1, self.format.bits // (8 * WORD))

    @property
    def state(self) -> bool:
        """Whether it is part of the state."""
        return self.role in ("learned", "dynamic")

    @property
    def held(self) -> tuple[int, int] | None:
        """Limits of a state of whole numbers: a step that begins within them ends within
        them, and of what lies beyond nothing is known. So nobody may bring it there."""
        if self.limits is None or self.format.floating:
            return None
        assert self.format.c_type.startswith("int"), "hil_held.c takes it with a sign"
        return int(self.limits[0]), int(self.limits[1])

    def values(self) -> Iterable[float]:
        """The elements of a constant, flat; raises `TypeError` of any other."""
        if not isinstance(self.initial, Values):
            raise TypeError(f"tensor {self.name!r} is no constant of given values")
        return self.initial.make()
