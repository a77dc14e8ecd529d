"""How long an answer is waited for before a request is sent again.

It follows the round trip that was measured (RFC 6298), of each kind of request by
itself: a checkpoint takes a device longer than a sample does.
"""

from __future__ import annotations

from dataclasses import dataclass

LOSSY = 0.05
"""Seconds of silence after which all in flight is sent again, at the earliest, on a
line that has lost something before."""
GAIN, SPREAD_GAIN, SPREADS = 1 / 8, 1 / 4, 4
"""Gain of the mean round trip and of its deviation, and how many deviations above the
mean an answer is waited for."""
LONGEST_ROUND = 4.0
"""Seconds up to which rounds of silence grow, each twice the one before."""
DOUBLINGS = 16
"""Times a round is doubled, at most: by then it is the longest, whatever it was."""
LOSSY_GROWTH = 2
"""On a line that has lost something rounds grow up to so many times the round trip that
was measured (or to the first round of a quiet line): there silence tells of a lost frame
rather than of a device that takes longer. Each time that sending again proves hasty
doubles it."""


@dataclass(frozen=True)
class Patience:
    """Seconds of silence after which all in flight is sent `again` (on a line that
    has lost nothing yet; later than that where answers are known to take longer, and
    each further round takes longer), and after which nobody is believed to be there,
    `limit`: from when a request is the oldest in flight until it is answered,
    whatever else comes in meanwhile."""

    again: float
    limit: float


@dataclass
class _RoundTrip:
    mean: float
    spread: float

    def learn(self, took: float) -> None:
        off = took - self.mean
        self.mean += GAIN * off
        self.spread += SPREAD_GAIN * (abs(off) - self.spread)

    @property
    def enough(self) -> float:
        return self.mean + SPREADS * self.spread


class Pace:
    """Round trips by kind of request, and the silent rounds since the last answer."""

    def __init__(self) -> None:
        self._trips: dict[int, _RoundTrip] = {}
        self._rounds = 0
        self._held = 0
        self._slack = 1

    def wait(self, kinds: set[int], patience: Patience, lossy: bool) -> float:
        """Seconds of silence after which requests of these kinds are sent again."""
        known = [self._trips[kind] for kind in kinds if kind in self._trips]
        least = min(LOSSY, patience.again) if lossy else patience.again
        first = max([least, *(trip.enough for trip in known)])
        longest = LONGEST_ROUND
        if lossy:
            measured = len(known) == len(kinds)
            grown = first * LOSSY_GROWTH if measured else max(first, patience.again)
            longest = min(longest, grown * self._slack)
        return max(first, min(first * 2**self._rounds, longest))

    def silent(self) -> None:
        """A round has passed in which nothing came: the next takes longer."""
        self._rounds = min(self._rounds + 1, DOUBLINGS)

    def answered(self, kind: int, took: float | None) -> None:
        """An answer; `took` is its round trip, None where the request was sent more
        than once, so that nobody knows which of them it answers (Karn)."""
        if took is None:
            self._held = max(self._held, self._rounds)
        elif kind in self._trips:
            self._trips[kind].learn(took)
        else:
            self._trips[kind] = _RoundTrip(took, took / 2)
        if took is not None:
            self._held = 0
            self._slack = 1
        self._rounds = 0

    def hasty(self) -> None:
        """A request was sent again although its answer was on its way: rounds are as
        long again as they had become, and may be longer, until a round trip is
        measured."""
        self._rounds = max(self._rounds, self._held)
        self._slack = min(2 * self._slack, 2**DOUBLINGS)
