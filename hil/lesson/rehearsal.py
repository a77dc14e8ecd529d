"""Experience replay: which samples of a stream the device keeps in its own RAM, and
which of those it learns from again.

A stream's samples are counted by their position, 0, 1, ...; each is learned once,
and after it `times` steps are taken from what is kept. The buffer is a reservoir
(Vitter 1985, Algorithm R): at any moment each position up to now lies in it with the
same probability. What is learned again is drawn evenly from the slots that are
filled, the latest sample's among them.

Nothing here is state: everything is a function of seed, slots and times, so the
device is told where to keep and what to learn again, and whoever repeats the
lesson knows what must lie there.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from codegen import streams
from codegen.reference import random

BLOCK = 4096
"""Random numbers that are drawn at a time."""


@dataclass(frozen=True)
class Turn:
    """What one learning step learns from: the sample at `position` of the stream. If
    `rehearsed`, the device has it in `slot`; else it comes, and is kept in `slot`
    (None: it is not kept)."""

    position: int
    slot: int | None
    rehearsed: bool


class Rehearsal:
    """A buffer of `slots` samples, `times` steps from it after each of the stream."""

    def __init__(self, seed: int, slots: int, times: int) -> None:
        self.slots = slots
        self.times = times
        self._seed = seed
        self._known = 0
        self._placed: dict[int, int] = {}
        self._held: list[list[int]] = [[] for _ in range(slots)]
        self._words = lru_cache(maxsize=2)(self._draw)

    def turn(self, step: int) -> Turn:
        """What learning step `step` learns from."""
        position, again = divmod(step, 1 + self.times)
        while self._known <= position:
            self._go_on()
        if again == 0:
            return Turn(position, self._placed.get(position), False)
        number = position * self.times + again - 1
        block, place = divmod(number, BLOCK)
        filled = min(position + 1, self.slots)
        slot = int(self._words(block)[place]) * filled >> 32
        held = self._held[slot]
        return Turn(held[bisect_right(held, position) - 1], slot, True)

    def _draw(self, block: int) -> np.ndarray:
        first = block * BLOCK & 0xFFFFFFFF
        return random.u32(self._seed, streams.REHEARSED, first, BLOCK)

    def _go_on(self) -> None:
        """Decide the next `BLOCK` positions: position i goes to a slot drawn evenly
        from 0..i, if there is such a slot; the first fill the buffer in order."""
        first, self._known = self._known, self._known + BLOCK
        words = random.u32(self._seed, streams.KEPT, first & 0xFFFFFFFF, BLOCK)
        positions = np.arange(first, self._known, dtype=np.uint64)
        drawn = words.astype(np.uint64) * (positions + np.uint64(1)) >> np.uint64(32)
        filling = positions < self.slots
        drawn[filling] = positions[filling]
        for place in np.flatnonzero(drawn < self.slots):
            slot = int(drawn[place])
            self._placed[first + int(place)] = slot
            self._held[slot].append(first + int(place))
