"""What a device tells of itself between its replies, in bounded memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

KEPT = 512
"""Frames of telemetry that can be looked up, the latest: more than there are steps
between what a device has told of and what has been compared."""


@dataclass(frozen=True)
class Telemetry:
    """How a device is; `step` is the step that follows, NEVER without a network, and
    `number` telemetry frames that were sent before. Instructions and cycles are those
    of the `steps` before it that came in one frame."""

    number: int
    step: int
    instructions: int
    cycles: int
    damaged: int
    overruns: int
    stack: int
    threshold: float
    steps: int = 1


class Condition:
    """The telemetry of one device. A frame is taken because it was asked for: what
    comes unasked, or twice, changes nothing.

    `lost` counts what was asked for and did not come before the next reply; `steps`,
    `instructions` and `cycles` are sums over all that was taken.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.steps = self.instructions = self.cycles = 0
        self._expected: dict[int, int] = {}
        self._latest: deque[Telemetry] = deque(maxlen=KEPT)

    @property
    def last(self) -> Telemetry | None:
        """The newest, None before the first."""
        return self._latest[-1] if self._latest else None

    @property
    def latest(self) -> tuple[Telemetry, ...]:
        """The newest `KEPT`, in order."""
        return tuple(self._latest)

    def after(self, step: int) -> Telemetry | None:
        """What came after a step; None where nothing did, or too long ago."""
        for entry in reversed(self._latest):
            if entry.step <= step + 1:
                return entry if entry.step == step + 1 else None
        return None

    def expect(self, end: int, count: int) -> None:
        """A frame is asked for, after the `count` steps before step `end`; unless it
        was told before, and those steps are only done again."""
        if self.last is None or end > self.last.step:
            self._expected[end] = count

    def take(self, found: Telemetry) -> None:
        """A frame has come."""
        count = self._expected.pop(found.step, None)
        if count is None:
            return
        self._latest.append(replace(found, steps=count))
        self.steps += count
        self.instructions += found.instructions
        self.cycles += found.cycles

    def settle(self, end: int | None = None) -> None:
        """A reply to steps before `end` has come, or to something else that was asked
        after all steps: what belongs to earlier ones is lost."""
        late = [step for step in self._expected if end is None or step < end]
        self.lost += len(late)
        for step in late:
            del self._expected[step]

    def forget(self) -> None:
        """Nothing more is expected."""
        self._expected.clear()
