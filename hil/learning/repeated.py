"""What the reference has repeated of a lesson: its half of lockstep.

It is given batches of steps to compute in its own process, and what it answers waits
here until the device has told the same steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from codegen.reference.health import Health
from codegen.reference.serving import Answer, Asked
from hil.learning.compare import Difference, Expected, digest_difference
from hil.learning.divergence import Snapshot
from hil.learning.reference_process import ReferenceProcess
from hil.lesson.lesson import Lesson

BATCH = 8
"""Steps that the reference is given at a time; the first comes alone, since
somebody waits for it."""
SNAPSHOT_EVERY = 64
"""Steps, at least, between the states that a search for a difference may start
from. They are taken where digests are compared."""


class Repeated:
    """The steps of `lesson` as `reference` computes them; None computes nothing.

    `expected` are those that the device is to tell, in order; where it had learned
    before (`resumed`: its step then, and its state's digest), the steps before are
    computed too, and `difference` says when they end in another state. `note` hears of
    the learner's health after a step.

    `computed` counts steps, `written` the weights that they wrote; `non_finite` is the
    tensor at which the reference stopped, if it did; `final` its newest state at an end
    of a leg, or of the prefix.
    """

    def __init__(
        self,
        lesson: Lesson,
        reference: ReferenceProcess | None,
        resumed: tuple[int, int | None],
        initial: Snapshot,
        note: Callable[[int, Health], None],
    ) -> None:
        self.expected: deque[Expected] = deque()
        self.difference: Difference | None = None
        self.non_finite: str | None = None
        self.computed = 0
        self.written = 0
        self.final = initial
        self._lesson = lesson
        self._reference = reference
        self._resumed = resumed
        self._tell = note
        self._asked = 0
        self._next_state = SNAPSHOT_EVERY
        self._signals: deque[int] = deque()
        self._candidates: deque[Snapshot] = deque()

    @property
    def steered(self) -> bool:
        """Whether it must know what the device's counter saw: then it computes no
        step before `see` has been told of it."""
        return self._lesson.spec.gate.budget is not None

    @property
    def busy(self) -> bool:
        """Whether it has been given what it has not answered."""
        return self.computed < self._asked

    def see(self, signal: int) -> None:
        """What the device's counter saw of the next step."""
        if self.steered:
            self._signals.append(signal)

    def see_nothing_until(self, end: int) -> None:
        """Steps before `end` may be computed though nobody told what a counter saw of
        them: that matters only to the steps after them."""
        if self.steered:
            self._signals += [0] * (end - self._asked - len(self._signals))

    def ask(self, end: int) -> None:
        """Give it the steps before `end`, as far as it takes them."""
        reference = self._reference
        if reference is None or self.non_finite is not None:
            return
        if self.steered:
            end = min(end, self._asked + len(self._signals))
        while self._asked < end and reference.room:
            count = BATCH if self._asked else 1
            steps = range(self._asked, min(self._asked + count, end))
            reference.post([self._question(step) for step in steps])
            self._asked = steps.stop

    def _question(self, step: int) -> Asked:
        sample, label = self._lesson.sample(step)
        digest = self._lesson.digest_after(step) or step + 1 == self._resumed[0]
        state = digest and step + 1 >= self._next_state
        state |= step + 1 in (self._lesson.prefix, self._lesson.leg_end(step))
        if state:
            self._next_state = step + 1 + SNAPSHOT_EVERY
        signal = self._signals.popleft() if self.steered else 0
        every = self._lesson.experiment.health
        health = every is not None and (step + 1) % every == 0
        return Asked(
            sample, label, self._lesson.eta(step), digest, state, health, signal,
            self._lesson.experiment.watch_cells or (),
        )  # fmt: skip

    def collect(self, limit: float) -> None:
        """Take what it has computed; waits at most `limit` seconds for the first of
        it. Raises `ReferenceLost`."""
        reference = self._reference
        while reference is not None and self.busy:
            answers = reference.take(limit) if self.non_finite is None else []
            if not answers:
                return
            limit = 0.0
            for answer in answers:
                self._note(answer)

    def _note(self, answer: Answer) -> None:
        if answer.result is None:
            self.non_finite = answer.non_finite
            return
        step, self.computed = self.computed, self.computed + 1
        label = self._lesson.label(step)
        expected = Expected(step, answer.result, answer.digest, label)
        if self.computed > self._resumed[0]:
            if answer.health is not None:
                self._tell(expected.step, answer.health)
            self.written += answer.written
            self.expected.append(expected)
        elif self.computed == self._resumed[0]:
            self._check_resumed(answer.digest)
        if answer.state is not None:
            self.final = Snapshot(self.computed, answer.state)
            if answer.digest is not None:
                self._candidates.append(self.final)

    def _check_resumed(self, digest: int | None) -> None:
        """The state that the device took from its checkpoint is the reference's."""
        step, told = self._resumed
        if told is not None and digest is not None:
            self.difference = digest_difference(step, told, digest, "resume")

    def take(self, count: int) -> list[Expected]:
        """The next `count` steps, which are there."""
        return [self.expected.popleft() for _ in range(count)]

    def shared(self, step: int) -> Snapshot | None:
        """The newest state, after step `step` at the latest, whose digest was among
        what was compared; None where none is newer than before."""
        newest = None
        while self._candidates and self._candidates[0].step <= step + 1:
            newest = self._candidates.popleft()
        return newest
