"""Files of LIBSVM and svmlight, `label place:value place:value ...` a line, as arrays
x and y. What a line leaves out is 0; `#` begins a comment."""

from __future__ import annotations

from array import array
from math import isfinite
from pathlib import Path

import numpy as np

from hil.data import arrays, text
from hil.data.arrays import Given
from hil.errors import DataError

SUFFIXES = (".libsvm", ".svmlight", ".svm")
MOST = 1 << 20
"""The largest place of a feature."""
SHOWN = 40


def read(path: Path) -> Given:
    """The samples and their labels (or numbers to learn). Places count from 1, or from
    0 where there is a place 0. Raises `DataError`, naming the line."""
    origin = f"data file {str(path)!r}"
    found = _Lines(origin)
    with text.opened(path, origin) as lines:
        for number, line in enumerate(lines, 1):
            words = line.partition("#")[0].split()
            if words:
                found.take(number, words)
    return found.given()


class _Lines:
    """What was read so far: of each line a label and how many pairs, and all pairs."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.labels, self.values = array("d"), array("d")
        self.places, self.counts = array("L"), array("L")
        self.whole_labels = self.whole_values = True

    def take(self, number: int, words: list[str]) -> None:
        """One line that is not blank."""
        label, *pairs = words
        self.labels.append(self._number(number, label, label))
        self.whole_labels = self.whole_labels and text.is_whole(label)
        self.counts.append(len(pairs))
        last = -1
        for pair in pairs:
            place, colon, value = pair.partition(":")
            right = colon and place.isascii() and place.isdecimal() and len(place) < 9
            if not right or not last < int(place) <= MOST:
                raise DataError(
                    f"{self.origin}: line {number} holds {pair[:SHOWN]!r}: expected "
                    f"place:value with ascending places up to {MOST:,}"
                )
            last = int(place)
            self.places.append(last)
            self.values.append(self._number(number, value, pair))
            self.whole_values = self.whole_values and text.is_whole(value)

    def _number(self, number: int, word: str, told: str) -> float:
        try:
            value = float(word)
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise DataError(
                f"{self.origin}: line {number} holds {told[:SHOWN]!r}: expected a label "
                "and place:value pairs of finite numbers"
            )
        return value

    def given(self) -> Given:
        """All of it."""
        if not self.places:
            raise DataError(f"{self.origin} has no place:value pair: expected samples")
        places = np.frombuffer(self.places, self.places.typecode).astype(np.int64)
        start = min(int(places.min()), 1)
        rows, width = len(self.labels), int(places.max()) - start + 1
        if rows * width * 8 > arrays.MOST:
            raise DataError(
                f"{self.origin} has {rows:,} lines with places up to {places.max():,}: "
                f"{rows * width * 8:,} bytes with their zeros, expected {arrays.MOST:,}"
            )
        values = text.numbers(self.values, self.whole_values)
        counts = np.frombuffer(self.counts, self.counts.typecode).astype(np.int64)
        x = np.zeros((rows, width), values.dtype)
        x[np.repeat(np.arange(rows), counts), places - start] = values
        y = text.numbers(self.labels, self.whole_labels)
        said = f"{rows:,} lines, places from {start}"
        return Given(self.origin, {"x": x, "y": y}, (said,))
