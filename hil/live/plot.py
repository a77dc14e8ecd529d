"""Curves as text: braille dots, two across and four down a character."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille character, by column and row."""
BRAILLE = 0x2800
BLOCKS = " ▁▂▃▄▅▆▇█"
EIGHTHS = " ▏▎▍▌▋▊▉"

Cell = tuple[str, int]
"""A character, and which curve it is of (-1: none)."""


class Curve:
    """A curve of any length in bounded memory: means of `stride` values each, which
    is doubled whenever `LENGTH` of them are full."""

    LENGTH = 1024

    def __init__(self) -> None:
        self.points: list[float] = []
        self._stride = 1
        self._rest = np.empty(0)

    def add(self, values: np.ndarray) -> None:
        """Put values [n] at the end."""
        left = np.concatenate([self._rest, values])
        while len(left) >= self._stride:
            room = self.LENGTH - len(self.points)
            count = min(len(left) // self._stride, room)
            taken, left = np.split(left, [count * self._stride])
            self.points += taken.reshape(count, self._stride).mean(axis=1).tolist()
            if len(self.points) == self.LENGTH:
                pairs = np.reshape(self.points, (-1, 2))
                self.points = pairs.mean(axis=1).tolist()
                self._stride *= 2
        self._rest = left


def fitted(points: Sequence[float], width: int) -> list[float]:
    """`points` as at most `width` of them: means of as many as come together."""
    count = len(points)
    if count <= width:
        return list(points)
    edges = [place * count // width for place in range(width + 1)]
    return [sum(points[first:last]) / (last - first) for first, last in pairwise(edges)]


def plot(
    curves: Sequence[Sequence[float]], width: int, height: int, low: float, high: float
) -> list[list[Cell]]:
    """`curves` as `height` rows of `width` cells each, from `low` at the bottom to
    `high` at the top; where they meet, the first is seen. A curve that is shorter
    than the others begins as they do and is stretched to the same width."""
    bits = [[0] * width for _ in range(height)]
    owner = [[-1] * width for _ in range(height)]
    for number in reversed(range(len(curves))):
        for x, y in _line(fitted(curves[number], 2 * width), width, height, low, high):
            row, column = y // 4, x // 2
            if owner[row][column] != number:
                bits[row][column], owner[row][column] = 0, number
            bits[row][column] |= DOTS[x % 2][y % 4]
    return [
        [(chr(BRAILLE + b), o) if b else (" ", -1) for b, o in zip(*rows, strict=True)]
        for rows in zip(bits, owner, strict=True)
    ]


def _line(
    points: Sequence[float], width: int, height: int, low: float, high: float
) -> list[tuple[int, int]]:
    """The dots (x, y) of a curve, y from the top; steep parts are filled."""
    span, last = (high - low) or 1.0, 4 * height - 1
    dots: list[tuple[int, int]] = []
    before = None
    for place, value in enumerate(points):
        x = place
        if 1 < len(points) < 2 * width:
            x = place * (2 * width - 1) // (len(points) - 1)
        y = last - round(min(1.0, max(0.0, (value - low) / span)) * last)
        start = (x, y) if before is None else before
        dots += _between(start, (x, y))
        before = (x, y)
    return dots


def _between(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots of a straight line."""
    across, down = end[0] - start[0], end[1] - start[1]
    steps = max(abs(across), abs(down), 1)
    return [
        (start[0] + round(across * k / steps), start[1] + round(down * k / steps))
        for k in range(steps + 1)
    ]


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """A character a value."""
    span = (high - low) or 1.0
    top = len(BLOCKS) - 2
    shares = (min(1.0, max(0.0, (value - low) / span)) for value in values)
    return "".join(BLOCKS[1 + round(share * top)] for share in shares)


def bar(share: float, width: int) -> str:
    """A bar of `width` characters, filled to an eighth of one."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)
