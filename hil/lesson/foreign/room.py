"""How much may be made of one file: a short one may ask for gigabytes."""

from __future__ import annotations

from hil.errors import DataError

MOST = 64 << 20
"""Bytes that any file may be unpacked to."""
TIMES = 4
"""Bytes for each byte of a file that is read as a whole, where that is more."""


class Room:
    """Bytes that may still be made of the file `origin`, which has `length` bytes."""

    def __init__(self, origin: str, length: int = 0) -> None:
        self._origin = origin
        self._most = self._left = max(MOST, TIMES * length)

    def take(self, bytes_: int) -> None:
        """Count these, before they are made. Raises `DataError` when there are too many."""
        self._left -= bytes_
        if self._left < 0:
            raise DataError(
                f"{self._origin} unpacks to more than {self._most >> 20:,} MiB: expected "
                "the weights of a network that a device can learn"
            )
