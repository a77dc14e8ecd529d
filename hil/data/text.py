"""Lines of text files that nobody vouches for: of bounded length, from a file of
bounded size, in UTF-8."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from hil.errors import DataError

MOST = 1 << 28
"""Bytes of a file at most: what is made of it has eight times as many at most."""
LONGEST = 1 << 20
"""Characters of a line at most."""
KEPT, SHORT = 4096, 8
"""Numbers that are kept, and the characters of the longest."""
BESIDE_DIGITS = str.maketrans("", "", "+- \t")
BYTE_ORDERS = (b"\xff\xfe", b"\xfe\xff")
"""What UTF-16 begins with."""
EXACT = 1 << 53
"""Integers up to this size are float64 as well."""


@contextmanager
def opened(path: Path, origin: str) -> Iterator[Iterator[str]]:
    """The lines of the file, without a byte order mark. Raises `DataError`, also while
    they are read; `origin` begins its sentence."""
    if not path.exists():
        raise DataError(f"there is no {origin}")
    if not path.is_file():
        raise DataError(f"{origin} is no file: expected lines of text")
    size = path.stat().st_size
    if not size:
        raise DataError(
            f"{origin} is empty: expected lines of text",
            f'np.savetxt("{path.name}", np.column_stack([x, y]), "%g", ",") writes one',
        )
    if size > MOST:
        raise DataError(
            f"{origin} has {size:,} bytes: expected {MOST:,} at most",
            'numpy.savez("mine.npz", x=x, y=y) makes a smaller file of it (docs/data.md)',
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield _lines(file, origin)
    except UnicodeDecodeError as error:
        coding = "utf-16" if error.object[:2] in BYTE_ORDERS else "latin-1"
        raise DataError(
            f"{origin} is no text in UTF-8: byte {error.object[error.start]} does not "
            "belong there",
            f'p = pathlib.Path("{path.name}"); p.write_text(p.read_text("{coding}"), "utf-8")',
        ) from None
    except OSError as error:
        raise DataError(f"{origin} cannot be read: {error.strerror}") from error


def _lines(file: TextIO, origin: str) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise DataError(
                f"{origin}: line {number} is longer than {LONGEST:,} characters"
            )
        yield line


class Numbers(dict[str, float]):
    """Numbers by how they are written, a few of them kept: pixels have 256 values, and
    four times as many are looked up in a second as are parsed."""

    def __missing__(self, written: str) -> float:
        value = float(written)
        if len(self) < KEPT and len(written) <= SHORT:
            self[written] = value
        return value


def is_whole(cells: str) -> bool:
    """Whether numbers written one after the other are all integers."""
    return cells.translate(BESIDE_DIGITS).isdecimal()


def numbers(values: array[float], whole: bool) -> np.ndarray:
    """These numbers as float64, or as int64 where all of them are `whole`."""
    found = np.frombuffer(values, np.float64)
    if whole and np.abs(found).max(initial=0) <= EXACT:
        return found.astype(np.int64)
    return found
