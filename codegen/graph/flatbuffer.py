"""A FlatBuffer, read with suspicion.

Whatever a file says is a number until it was compared with where the file ends. Each
offset is bounded before it is followed, and the elements that are made of a
file are counted: offsets may lead to one place many times, so that a small file could
ask for a large memory.

Layout: https://flatbuffers.dev/internals. A table begins with the distance to its
vtable, which holds its own size, the table's size, and for each field its place.
"""

from __future__ import annotations

import struct
from typing import Any

from codegen.errors import ModelError

AGAIN = 4
"""Elements that are made of a file at most, for each of its bytes: writers let
vectors and names that are alike be one."""
LEAST = 4096
"""And so many besides, for a file of a few bytes."""


class Bytes:
    """The bytes of a file, and how many elements may yet be made of them."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self._left = AGAIN * len(data) + LEAST

    def number(self, code: str, at: int, what: str) -> Any:
        """The number of struct's `code` at a place. Raises `ModelError`."""
        size = struct.calcsize(f"<{code}")
        if not 0 <= at <= len(self.data) - size:
            raise outside(what, at, len(self.data))
        return struct.unpack_from(f"<{code}", self.data, at)[0]

    def span(self, at: int, count: int, size: int, what: str) -> memoryview:
        """`count` elements of `size` bytes at a place. Raises `ModelError`."""
        if at < 0 or count * size > len(self.data) - at:
            raise outside(what, at + count * size, len(self.data))
        return self.data[at : at + count * size]

    def spend(self, count: int, what: str) -> None:
        """Count elements that are made. Raises `ModelError` when they are too many."""
        self._left -= count
        if self._left < 0:
            raise ModelError(
                f"{what} makes more elements than {AGAIN} for each byte of the file"
            )

    def table(self, at: int, what: str) -> Table:
        """The table to which the offset at a place leads. Raises `ModelError`."""
        return Table(self, at + self.number("I", at, what), what)


def outside(what: str, at: int, size: int) -> ModelError:
    """The error of a place that is not in the file."""
    return ModelError(f"{what} reaches to byte {at:,} of a file of {size:,} bytes")


class Table:
    """A table of the file. `what` names it in errors."""

    def __init__(self, source: Bytes, at: int, what: str) -> None:
        source.spend(1, what)
        self.what, self._source, self._at = what, source, at
        self._fields = at - source.number("i", at, what)
        self._count = (source.number("H", self._fields, what) - 4) // 2
        self._size = source.number("H", self._fields + 2, what)

    def _place(self, slot: int) -> int | None:
        """Where a field lies; None where the table leaves it out."""
        if slot >= self._count:
            return None
        off = self._source.number("H", self._fields + 4 + 2 * slot, self.what)
        if off == 0:
            return None
        if off >= self._size:
            raise ModelError(f"{self.what} has a field behind its end")
        return self._at + int(off)

    def has(self, slot: int) -> bool:
        """Whether the table has this field."""
        return self._place(slot) is not None

    def number(self, slot: int, code: str, default: Any) -> Any:
        """A number of struct's `code`."""
        at = self._place(slot)
        return default if at is None else self._source.number(code, at, self.what)

    def table(self, slot: int, what: str) -> Table | None:
        """A table that this one refers to."""
        at = self._place(slot)
        return None if at is None else self._source.table(at, what)

    def _vector(self, slot: int, size: int, what: str) -> tuple[int, int]:
        """Where a vector's first element lies, and how many it has."""
        at = self._place(slot)
        if at is None:
            return 0, 0
        at += self._source.number("I", at, what)
        count = self._source.number("I", at, what)
        self._source.span(at + 4, count, size, what)
        return at + 4, count

    def tables(self, slot: int, what: str) -> list[Table]:
        """A vector of tables; they are called `what` with their number."""
        at, count = self._vector(slot, 4, what)
        return [self._source.table(at + 4 * k, f"{what} {k}") for k in range(count)]

    def numbers(self, slot: int, code: str, what: str) -> tuple[Any, ...]:
        """A vector of numbers of struct's `code`."""
        size = struct.calcsize(f"<{code}")
        at, count = self._vector(slot, size, what)
        self._source.spend(count, what)
        return struct.unpack_from(f"<{count}{code}", self._source.data, at)

    def bytes(self, slot: int, what: str) -> memoryview:
        """A vector of bytes, as it lies in the file."""
        at, count = self._vector(slot, 1, what)
        return self._source.span(at, count, 1, what)

    def text(self, slot: int, what: str) -> str:
        """A string; what is no UTF-8 is told as such."""
        at, count = self._vector(slot, 1, what)
        self._source.spend(count, what)
        found = self._source.span(at, count, 1, what)
        return str(found, "utf-8", "backslashreplace")
