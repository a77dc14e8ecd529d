"""Lockstep: the device learns while the reference computes the same.

Both are kept busy: STEP frames go out while the window has room, the reference
has batches of steps to compute in its own process, and what both have done is
compared at once. Neither runs more than `LEAD` steps ahead of what has been
compared, or more than two frames where those are longer. Beyond the lesson's
prefix the device goes on alone, as fast as the line lets it.

More than 400 lines because what either side told is matched in one state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from codegen.protocol import Cause, StepFlag
from codegen.reference.serving import Answer, Asked
from hil.device.device import Commit, Device
from hil.device.replies import StepResult
from hil.errors import DeviceFault, LinkError
from hil.learning import feed
from hil.learning.compare import Difference, Expected, compare, digest_difference, same
from hil.learning.divergence import Snapshot
from hil.learning.reference_process import ReferenceProcess
from hil.learning.steering import Steering
from hil.learning.telling import Learned, Telling
from hil.lesson.lesson import Lesson

LEAD = 128
BATCH = 8
"""Steps that the reference is given at a time; the first comes alone, since
somebody waits for it."""
SERVE_EVERY = 0.05
"""Seconds for which, at most, the device is left alone to wait for the reference."""
SNAPSHOT_EVERY = 64
"""Steps, at least, between the states that a search for a difference may start
from. They are taken where digests are compared."""
TELEMETRY_EVERY = 16
"""Frames between two that ask for telemetry when instructions are not counted."""


def _as_told(expected: Expected) -> StepResult:
    """A step that a device folded into an equal fold: so it told just this."""
    result = expected.result
    return StepResult(expected.step, result.loss, result.p, expected.digest)


class Lockstep:
    """One lesson on one device. `reference` is None when nothing is compared;
    `initial` is the state that both start from. `run` learns up to step `until`,
    which is the lesson's end unless somebody sets it: then both sides have
    their state of just that step.

    `compared` counts steps, `written` the weights that they wrote; `difference` is
    what ended `run` early; `verified` the last state that both shared; `final` the
    reference's newest at an end of a leg, or of the prefix, after which
    `prefix_digest` is the device's digest, which was found equal.

    A device that has fallen back to a checkpoint is brought forward: after `rewind`,
    `run` goes on from there, and what is told again must be what was told.
    `resumed` is where a device stood at its start, (step, digest): beyond step 0 it
    had learned before. `steering` is looked at between two frames.
    """

    def __init__(
        self,
        device: Device,
        lesson: Lesson,
        reference: ReferenceProcess | None,
        initial: Snapshot,
        tell: Callable[[Learned], None],
        resumed: tuple[int, int | None] = (0, None),
        steering: Steering | None = None,
    ) -> None:
        self.until = lesson.steps
        self.learned = resumed[0]
        self.compared = 0
        self.written = 0
        self.difference: Difference | None = None
        self.prefix_digest: int | None = None
        self.verified = initial
        self.final = initial
        self._device = device
        self._lesson = lesson
        self._reference = reference
        self._telling = Telling(device, lesson, tell)
        self._steering = steering or Steering()
        self._resumed = resumed
        self._sent = self._heard = self._reached = resumed[0]
        self._uncommitted: int | None = None
        self._committing = False
        self._committed: dict[int, int] = {}
        self._repeatable: dict[int, StepResult] = {}
        self._latest: StepResult | None = None
        self._asked = 0
        self._computed = 0
        self._next_state = SNAPSHOT_EVERY
        self._frames = 0
        self._told: deque[StepResult] = deque()
        self._signals: deque[int] = deque()
        self._expected: deque[Expected] = deque()
        self._candidates: deque[Snapshot] = deque()
        self._lead = max(LEAD, 2 * (lesson.experiment.thin or 0))
        self._non_finite: str | None = None

    def run(self) -> None:
        """Learn every step up to `until`, or to the first difference.

        Raises `DeviceFault` when the device faults (after the reference was
        asked whether it does too), every `LinkError`, and `ReferenceLost`.
        """
        try:
            self._run()
            if self._telling and self.difference is None:
                self._device.digest()  # the last telemetry comes before its reply
        finally:
            self._telling.end()

    @property
    def committed(self) -> int:
        """The step of the newest checkpoint that the device has told of, or of the
        one that it was resumed from."""
        return max(self._committed, default=self._resumed[0])

    @property
    def heard(self) -> int:
        """Steps that the device has told of."""
        return self._heard

    @property
    def done(self) -> bool:
        """Whether every step up to `until` was learned and compared, and is where it
        belongs."""
        ended = min(self.learned, self._reached) >= self.until
        return ended and not self._uncommitted and not self._committing

    def digest_at(self, step: int) -> int | None:
        """What the device told of its state after the steps before `step`; None
        where it did not, or too long ago."""
        told = self._repeatable.get(step - 1, self._latest)
        if told is not None and told.step == step - 1 and told.digest is not None:
            return told.digest
        return (
            self._resumed[1] if step == self._resumed[0] else self._committed.get(step)
        )

    def rewind(self, step: int) -> None:
        """The device's next step is `step`, which it has learned before."""
        self._sent = self._reached = step
        self._uncommitted, self._committing = None, False

    def _run(self) -> None:
        steering = self._steering
        while self._unfinished() and self.difference is None:
            steering.look()
            if not steering.paused:
                self._send()
            self._ask()
            waiting = bool(self._told) or not self._in_flight()
            if waiting and steering.paused and not self._told:
                steering.rest()
            limit = min(self._device.limits.step, steering.patience)
            try:
                self._take(0.0 if waiting else limit)
            except DeviceFault as fault:
                self._explain(fault)
                return
            self._collect(SERVE_EVERY if self._waits_for_reference() else 0.0)
            self._match()

    def _unfinished(self) -> bool:
        """Whether something is to be sent, told or compared."""
        behind = min(self.learned, self._reached) < self.until
        return behind or bool(self._uncommitted) or self._in_flight()

    def _in_flight(self) -> bool:
        return self._device.credit < self._device.greeting.window

    def _waits_for_reference(self) -> bool:
        return bool(self._told) and len(self._expected) < self._told[0].steps

    # -- device -----------------------------------------------------------

    def _send(self) -> None:
        lesson = self._lesson
        while self._device.credit and (self._uncommitted or self._sent < self.until):
            if self._committing:
                return  # a step that overtakes it would leave nothing to commit
            if self._uncommitted:
                self._device.post_commit(self._uncommitted)
                self._uncommitted, self._committing = None, True
                return
            if self._steering.take_commit():
                self._uncommitted = self._sent
                continue
            alone = self._sent >= lesson.prefix
            if self._sent - self.learned >= self._lead and not alone:
                return
            end = self.until if alone else min(lesson.prefix, self.until)
            steps = feed.portion(lesson, self._sent, end, self._device)
            feed.post(self._device, lesson, steps, self._flags(steps.end))
            self._sent = steps.end
            self._frames += 1
            if lesson.commits_after(steps.end - 1):
                self._uncommitted = steps.end

    def _flags(self, end: int) -> StepFlag:
        last = end == self.until
        wanted = last or self._counting or self._frames % TELEMETRY_EVERY == 0
        flags = StepFlag.TELEMETRY if wanted else StepFlag(0)
        return flags | StepFlag.ALONE if self._counting else flags

    def _take(self, limit: float) -> None:
        self._hear(self._device.take_steps(limit))

    def _hear(self, told: Sequence[StepResult]) -> None:
        for result in told:
            self._reached = result.step + 1
            if result.step < self._heard:
                self._require_same(result)
                continue
            self._heard, self._latest = result.step + 1, result
            if self._lesson.recoverable:
                self._repeatable[result.step] = result
            self._told.append(result)
            if self._steered and not self._alone(result):
                self._signals.append(result.signal)
        for commit in self._device.take_commits():
            self._committing = False
            self._check_commit(commit)

    def _require_same(self, again: StepResult) -> None:
        """A step that is done again after a fall back ends as it did before."""
        before = self._repeatable.get(again.step)
        if before is not None and not same(before, again) and self.difference is None:
            note = "done again from a checkpoint it told something else than before"
            self.difference = Difference(again.step, "result", when="again", note=note)

    def _check_commit(self, commit: Commit) -> None:
        """What was written is what the device had told, and what came before it
        need not be done again any more."""
        told = self.digest_at(commit.step)
        if told is not None and self.difference is None:
            self.difference = digest_difference(
                commit.step, commit.digest, told, "commit"
            )
        self._committed = {commit.step: commit.digest}
        for step in [s for s in self._repeatable if s < commit.step - 1]:
            del self._repeatable[step]

    @property
    def _steered(self) -> bool:
        """Whether the reference must know what the device's counter saw."""
        return self._lesson.spec.gate.budget is not None

    # -- reference --------------------------------------------------------

    def _ask(self) -> None:
        """Give the reference steps as far as it may go; where the device had learned
        before, those steps too."""
        lesson, reference = self._lesson, self._reference
        if reference is None or self._non_finite is not None:
            return
        end = min(lesson.prefix, self.until, self.learned + self._lead)
        if self._steered:
            end = min(end, self._asked + len(self._signals))
        while self._asked < end and reference.room:
            count = BATCH if self._asked else 1
            steps = range(self._asked, min(self._asked + count, end))
            reference.post([self._question(step) for step in steps])
            self._asked = steps.stop

    def _question(self, step: int) -> Asked:
        sample, given = self._lesson.sample(step)
        digest = self._lesson.digest_after(step) or step + 1 == self._resumed[0]
        state = digest and step + 1 >= self._next_state
        state |= step + 1 in (self._lesson.prefix, *self._lesson.legs)
        if state:
            self._next_state = step + 1 + SNAPSHOT_EVERY
        signal = self._signals.popleft() if self._steered else 0
        every = self._lesson.experiment.health
        health = every is not None and (step + 1) % every == 0
        return Asked(
            sample, given, self._lesson.eta(step), digest, state, health, signal
        )

    def _collect(self, limit: float) -> None:
        """Take what the reference has computed; waits at most `limit` seconds
        for the first of it."""
        reference = self._reference
        while reference is not None and self._computed < self._asked:
            answers = reference.take(limit) if self._non_finite is None else []
            if not answers:
                return
            limit = 0.0
            for answer in answers:
                self._note(answer)

    def _note(self, answer: Answer) -> None:
        if answer.result is None:
            self._non_finite = answer.non_finite
            return
        step, self._computed = self._computed, self._computed + 1
        label = self._lesson.label(step)
        expected = Expected(step, answer.result, answer.digest, label)
        if self._computed > self._resumed[0]:
            if answer.health is not None:
                self._telling.note(expected.step, answer.health)
            self.written += answer.written
            self._expected.append(expected)
        elif self._computed == self._resumed[0]:
            self._check_resumed(answer.digest)
        if answer.state is not None:
            self.final = Snapshot(self._computed, answer.state)
            if answer.digest is not None:
                self._candidates.append(self.final)

    def _check_resumed(self, digest: int | None) -> None:
        """The state that the device took from its checkpoint is the reference's."""
        step, told = self._resumed
        if told is not None and digest is not None and self.difference is None:
            self.difference = digest_difference(step, told, digest, "resume")

    # -- both -------------------------------------------------------------

    def _match(self) -> None:
        while self._told and self.difference is None:
            told = self._told[0]
            proved = [told]
            if not self._alone(told):
                if len(self._expected) < told.steps:
                    if self._non_finite is not None:
                        self.difference = self._only_reference_stops(told)
                    return
                expected = [self._expected.popleft() for _ in range(told.steps)]
                self.difference = compare(told, expected)
                if self.difference is not None:
                    return
                self.compared += told.steps
                if told.step + 1 == self._lesson.prefix:
                    self.prefix_digest = told.digest
                self._verify(told)
                proved = [_as_told(each) for each in expected[:-1]]
                proved.append(replace(told, steps=1, right=None))
            self._told.popleft()
            self.learned += told.steps
            self._telling.add(proved)

    def _alone(self, told: StepResult) -> bool:
        """Whether no reference has repeated these steps."""
        return self._reference is None or told.step >= self._lesson.prefix

    def _verify(self, told: StepResult) -> None:
        """Every candidate has its state's digest among what was compared."""
        while self._candidates and self._candidates[0].step <= told.step + 1:
            self.verified = self._candidates.popleft()

    @property
    def _counting(self) -> bool:
        """Whether instructions are counted: only icount counts exactly."""
        return self._lesson.experiment.icount

    def _only_reference_stops(self, told: StepResult) -> Difference:
        note = f"the reference met a non-finite {self._non_finite}, the device did not"
        return Difference(told.step, str(self._non_finite), note=note)

    def _explain(self, fault: DeviceFault) -> None:
        """After a FAULT: compare what was told before it, then see whether the
        reference stops at the same step; re-raises unless that differs."""
        try:
            while True:
                told = self._device.take_steps(0.0)
                if not told:
                    break
                self._hear(told)
        except (DeviceFault, LinkError):
            pass  # nothing more came before the fault, which is what is told
        while self._told and self._expected_soon() and self.difference is None:
            self._match()
        if self.difference is not None:
            return
        step, under_way = fault.step, range(self._reached, self._sent)
        if fault.cause != Cause.NON_FINITE or self._reference is None:
            raise fault
        if step is None or step not in under_way:
            there = (
                f"{under_way.start} to {under_way.stop - 1}" if under_way else "none"
            )
            hint = f"no such step was under way ({there}): the device is confused"
            fault.hints = (hint, *fault.hints)
            raise fault
        if step >= self._lesson.prefix:
            raise fault
        self._let_reference_reach(step)
        if self._non_finite is None or self._computed != step:
            went = "went on" if self._non_finite is None else "stopped before"
            note = f"{fault}; the reference {went}"
            self.difference = Difference(step, "fault", note=note)
            return
        fault.hints = ("the reference stops at the same step", *fault.hints)
        raise fault

    def _let_reference_reach(self, step: int) -> None:
        """Wait until the reference has done this step, or has stopped before. What a
        counter saw of it was not told, and matters only to the steps after it."""
        self._lead = max(self._lead, step + 1 - self.learned)
        if self._steered:
            self._signals += [0] * (step + 1 - self._asked - len(self._signals))
        while self._computed <= step and self._non_finite is None:
            if not self._compute():
                return

    def _expected_soon(self) -> bool:
        """Wait until the reference has what is to be compared next, or ends."""
        told = self._told[0]
        wanted = told.steps
        while (
            not self._alone(told)
            and len(self._expected) < wanted
            and self._non_finite is None
            and self._compute()
        ):
            pass
        return self._alone(told) or len(self._expected) >= wanted

    def _compute(self) -> bool:
        """Let the reference get on, and nothing else; false where it has nothing to
        do, so that nobody waits for what it will never say."""
        self._ask()
        busy = self._computed < self._asked
        self._collect(SERVE_EVERY)
        return busy
