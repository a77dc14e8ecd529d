"""Rows of styled text of one exact width, which stand beside and above each other.

rich draws them; its own tables and panels would take ten times as long, and the
device waits meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style

Part = tuple[str, str]
"""A text and its style, in rich's words; every character is one column wide."""
FRAME = "bright_black"
style = lru_cache(maxsize=256)(Style.parse)


@dataclass(frozen=True)
class Block:
    """Rows of parts, each `width` columns in all; rich can print it."""

    width: int
    rows: Sequence[Sequence[Part]]

    @property
    def height(self) -> int:
        """How many rows."""
        return len(self.rows)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[Segment]:
        for place, row in enumerate(self.rows):
            if place:
                yield Segment.line()
            for text, named in row:
                yield Segment(text, style(named) if named else None)


def fitted(parts: Iterable[Part], width: int) -> list[Part]:
    """A row of exactly `width` columns: cut, or filled with spaces."""
    row: list[Part] = []
    left = width
    for text, named in parts:
        if left > 0 and text:
            row.append((text[:left], named))
            left -= len(text)
    return row + [(" " * left, "")] if left > 0 else row


def block(rows: Iterable[Iterable[Part]], width: int) -> Block:
    """Rows of any length as a block."""
    return Block(width, [fitted(row, width) for row in rows])


def whole(parts: Sequence[Part], width: int) -> list[Part]:
    """The first of `parts` that fit as they are."""
    row: list[Part] = []
    for text, named in parts:
        width -= len(text)
        if width < 0:
            break
        row.append((text, named))
    return row


def framed(title: Sequence[Part], rows: Sequence[Iterable[Part]], width: int) -> Block:
    """Rows in a frame that is `width` columns wide, its title in the upper edge."""
    told = whole(title, width - 6)
    rest = width - 5 - sum(len(text) for text, _ in told)
    top = [("╭─ ", FRAME), *told, (" " + "─" * rest + "╮", FRAME)]
    inner = [[("│", FRAME), *fitted(row, width - 2), ("│", FRAME)] for row in rows]
    return Block(width, [top, *inner, [("╰" + "─" * (width - 2) + "╯", FRAME)]])


def above(*blocks: Block) -> Block:
    """Blocks of one width, one under another."""
    rows = [row for each in blocks for row in each.rows]
    return Block(max(each.width for each in blocks), rows)


def beside(left: Block, right: Block) -> Block:
    """Two blocks side by side; the shorter is filled below."""
    height = max(left.height, right.height)
    pairs = zip(_tall(left, height), _tall(right, height), strict=True)
    return Block(left.width + right.width, [[*a, *b] for a, b in pairs])


def _tall(short: Block, height: int) -> list[Sequence[Part]]:
    empty: list[Part] = [(" " * short.width, "")]
    return [*short.rows, *([empty] * (height - short.height))]
