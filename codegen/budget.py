"""Rows of a memory bill, and whether there is as much as they add up to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """A row of the memory bill. `kind`: const, state, pending, scratch, rehearsal,
    link, runtime or stack; all but const are RAM."""

    name: str
    bytes: int
    kind: str


@dataclass(frozen=True)
class Fit:
    """How many bytes of RAM an image needs, and how many there are: `limit` is
    `whose`, None where nothing limits it. `largest` are the largest items. `least`:
    it may need more, for nothing is compiled yet that would tell its stack."""

    needs: int
    limit: int | None
    whose: str
    largest: tuple[Item, ...]
    least: bool = False

    @property
    def fits(self) -> bool:
        """Whether there is enough."""
        return self.limit is None or self.needs <= self.limit
