"""A line that lies: what serial lines, adapters and benches do to bytes.

`FaultyChannel` stands between the host and any channel, and does to each piece
that passes (a frame, delimiters included, or what lies between two) what `Faults`
asks for. The same seed makes the same choices, piece by piece; how pieces fall in
time is the machine's affair.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol

from targets.errors import HilError

DELIMITER = 0
HELD = 0.02
"""Seconds after which a piece that waits to be overtaken goes by itself."""
DELAYS = (0.005, 0.05)
SILENCES = (0.05, 0.5)
ABSENCES = (0.02, 0.3)
"""Shortest and longest, in seconds: a piece's delay (what follows waits too), a
silence, and the time an adapter is unplugged."""
CUT_WITHIN = 0.05
"""Seconds after a piece within which the power goes, at any moment of them."""
LONGEST_PIECE = 1 << 17
"""Bytes without a delimiter that are one piece, at most: no frame is so long."""
LONGEST_NOISE = 32
"""Bytes of one burst, at most."""


@dataclass(frozen=True)
class Faults:
    """Probabilities, each 0..1 and for each piece of either direction; `flip` is
    for each byte.

    drop: it is lost. flip: one bit is another. duplicate: it comes twice. reorder:
    the next one overtakes it. delay: it comes late, and what follows it.
    truncate: its end is lost. noise: a burst of any bytes comes before it.
    silence: for a while nothing passes either way. unplug: for a while there is
    no line, and what is under way is lost. cut: the device loses its power.
    """

    drop: float = 0.0
    flip: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    truncate: float = 0.0
    noise: float = 0.0
    silence: float = 0.0
    unplug: float = 0.0
    cut: float = 0.0
    seed: int = 1

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Of "drop=0.01,flip=0.001,seed=7". Raises `ValueError` with what was
        expected."""
        values: dict[str, float] = {}
        for part in text.split(","):
            name, equals, number = part.strip().partition("=")
            if not equals or (name not in KINDS and name != "seed"):
                raise ValueError(
                    "faults such as drop=0.01,seed=7, of " + ", ".join(KINDS)
                )
            values[name] = _number(name, number)
        seed = int(values.pop("seed", 1))
        return cls(**values, seed=seed)


KINDS = tuple(field.name for field in fields(Faults) if field.name != "seed")


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if name == "seed":
        if not 0 <= value < 2**32 or value != int(value):
            raise ValueError("seed to be an integer from 0 to 4294967295")
    elif not 0 <= value <= 0.5:
        raise ValueError(f"{name} to be a probability from 0 to 0.5")
    return value


class Line(Protocol):
    """What the host has of a channel: bytes both ways, and whether anybody is there."""

    @property
    def url(self) -> str:
        """What it was opened by."""

    @property
    def received(self) -> int:
        """Bytes that have come in all."""

    def send(self, data: bytes) -> None:
        """Queue bytes."""

    def pump(self, limit: float) -> bytes:
        """Send and receive, for at most `limit` seconds."""

    def require_alive(self) -> None:
        """Raise when nobody is at the other end."""

    def reopen(self, url: str) -> None:
        """Close the line, and open this one in its place."""

    def close(self) -> None:
        """Close the line."""


class PassThrough(Line):
    """A line around another, `inner`, that passes everything on. A line that disturbs
    what it carries overrides what it changes."""

    def __init__(self, inner: Line) -> None:
        self._inner = inner

    @property
    def url(self) -> str:
        """What `inner` was opened by."""
        return self._inner.url

    @property
    def received(self) -> int:
        """Bytes that the device has sent, whatever became of them."""
        return self._inner.received

    def send(self, data: bytes) -> None:
        """Queue bytes."""
        self._inner.send(data)

    def pump(self, limit: float) -> bytes:
        """Send and receive, for at most `limit` seconds."""
        return self._inner.pump(limit)

    def require_alive(self) -> None:
        """Raise when nobody is at the other end."""
        self._inner.require_alive()

    def reopen(self, url: str) -> None:
        """Close `inner`, and open `url` in its place."""
        self._inner.reopen(url)

    def close(self) -> None:
        """Close `inner`."""
        self._inner.close()


class _Way:
    """One direction: pieces go in, bytes come out when their time has come."""

    def __init__(self, faults: Faults, direction: int) -> None:
        self.counts = dict.fromkeys(KINDS, 0)
        self._faults = faults
        self._dice = random.Random(2 * faults.seed + direction)
        self._due: deque[tuple[float, bytes]] = deque()
        self._held: tuple[float, bytes] | None = None
        self._free = 0.0

    def fate(self, kind: str) -> bool:
        """Whether a fault of this kind happens now. Counts it if it does."""
        happens = self._dice.random() < getattr(self._faults, kind)
        self.counts[kind] += happens
        return happens

    def between(self, least: float, most: float) -> float:
        """A number in this range."""
        return self._dice.uniform(least, most)

    def put(self, piece: bytes, now: float) -> None:
        """A piece enters."""
        if self.fate("drop"):
            return
        piece = self._damaged(piece)
        if self.fate("delay"):
            self._free = max(self._free, now + self.between(*DELAYS))
        copies = 1 + self.fate("duplicate")
        held, self._held = self._held, None
        if held is None and self.fate("reorder"):
            self._held = (now + HELD, piece)
            copies -= 1
        for _ in range(copies):
            self._due.append((max(self._free, now), piece))
        if held is not None:
            self._due.append((max(self._free, now), held[1]))

    def _damaged(self, piece: bytes) -> bytes:
        made = bytearray(piece)
        if self._faults.flip:
            hit = False
            for place in range(len(made)):
                if self._dice.random() < self._faults.flip:
                    made[place] ^= 1 << self._dice.randrange(8)
                    hit = True
            self.counts["flip"] += hit
        if self.fate("truncate"):
            del made[self._dice.randrange(len(made)) :]
        if self.fate("noise"):
            burst = self._dice.randbytes(self._dice.randint(1, LONGEST_NOISE))
            made = bytearray(burst) + made
        return bytes(made)

    def take(self, now: float) -> bytes:
        """Bytes whose time has come."""
        if self._held is not None and self._held[0] <= now:
            self._due.append((max(self._free, now), self._held[1]))
            self._held = None
        out = bytearray()
        while self._due and self._due[0][0] <= now:
            out += self._due.popleft()[1]
        return bytes(out)

    def next(self) -> float | None:
        """When the next piece will come out; None when nothing is under way."""
        times = [self._due[0][0]] if self._due else []
        times += [self._held[0]] if self._held else []
        return min(times, default=None)

    def clear(self) -> None:
        """Lose all that is under way."""
        self._due.clear()
        self._held = None


class FaultyChannel(PassThrough):
    """A channel with `faults` in both directions.

    `cut` takes the device's power and gives it back as it pleases; it must be
    given where a cut is asked for. `lost` is raised while the line is unplugged.
    """

    def __init__(
        self,
        inner: Line,
        faults: Faults,
        lost: Callable[[str], HilError],
        cut: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(inner)
        self._lost = lost
        self._cut = cut
        self._out = _Way(faults, 0)
        self._in = _Way(faults, 1)
        self._partial = bytearray()
        self._silent_until = 0.0
        self._absent_until = 0.0
        self._cut_at: float | None = None

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Faults so far, by direction and kind; silence, unplug and cut are
        counted where their turn came, on the way out."""
        return {"to_device": dict(self._out.counts), "to_host": dict(self._in.counts)}

    def reopen(self, url: str) -> None:
        """Open the channel again; raises while it is unplugged."""
        self._require_there()
        super().reopen(url)
        self._forget()

    def _forget(self) -> None:
        for way in (self._out, self._in):
            way.clear()
        self._partial.clear()

    def _require_there(self) -> None:
        if time.monotonic() < self._absent_until:
            raise self._lost(f"the line {self.url!r} is unplugged (--faults)")

    def send(self, data: bytes) -> None:
        """Queue a piece; whatever happens to it happens here."""
        now = time.monotonic()
        if self._out.fate("silence"):
            self._silent_until = now + self._out.between(*SILENCES)
        if self._out.fate("unplug"):
            self._absent_until = now + self._out.between(*ABSENCES)
            self._forget()
        if self._cut_at is None and self._cut is not None and self._out.fate("cut"):
            self._cut_at = now + self._out.between(0, CUT_WITHIN)
        if now >= max(self._silent_until, self._absent_until):
            self._out.put(data, now)

    def pump(self, limit: float) -> bytes:
        """As a channel's `pump`; returns early when something is due."""
        self._require_there()
        now = time.monotonic()
        self._inner.send(self._out.take(now))
        times = (self._out.next(), self._in.next(), self._cut_at)
        wait = min([limit, *(max(0.0, t - now) for t in times if t is not None)])
        data = self._inner.pump(wait)
        now = time.monotonic()
        if self._cut is not None and self._cut_at is not None and now >= self._cut_at:
            self._cut_at = None
            self._cut()
        for piece in self._pieces(data):
            if now >= self._silent_until:
                self._in.put(piece, now)
        return self._in.take(now)

    def _pieces(self, data: bytes) -> list[bytes]:
        """Whole pieces: what ends in a delimiter, and is more than that; and what has
        become too long."""
        found = []
        for byte in data:
            self._partial.append(byte)
            ended = byte == DELIMITER and len(self._partial) > 1
            if ended or len(self._partial) >= LONGEST_PIECE:
                found.append(bytes(self._partial))
                self._partial.clear()
        return found
