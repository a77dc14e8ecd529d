"""Lockstep: the device learns while the reference computes the same.

Both are kept busy: STEP frames go out while the window has room, the reference
has batches of steps to compute in its own process, and what both have done is
compared at once. Neither runs more than `LEAD` steps ahead of what has been
compared, or more than two frames where those are longer. Beyond the lesson's
prefix the device goes on alone, as fast as the line lets it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from codegen.protocol import Cause, StepFlag
from hil.device.device import Commit, Device
from hil.device.replies import StepResult
from hil.errors import DeviceFault, LinkError
from hil.learning import feed
from hil.learning.compare import Difference, Expected, compare, digest_difference, same
from hil.learning.divergence import Snapshot
from hil.learning.reference_process import ReferenceProcess
from hil.learning.repeated import Repeated
from hil.learning.steering import Steering
from hil.learning.telling import Learned, Telling
from hil.lesson.lesson import Lesson

LEAD = 128
SERVE_EVERY = 0.05
"""Seconds for which, at most, the device is left alone to wait for the reference."""
TELEMETRY_EVERY = 16
"""Frames between two that ask for telemetry when instructions are not counted."""


def _as_told(expected: Expected) -> StepResult:
    """The result of one step of a resident frame whose fold is equal: the device folded
    just what the reference expects."""
    result = expected.result
    return StepResult(expected.step, result.loss, result.p, expected.digest)


class Lockstep:
    """One lesson on one device. `reference` is None when nothing is compared;
    `initial` is the state that both start from. `run` learns up to step `until`,
    which is the lesson's end unless somebody sets it: then both sides have
    their state of just that step.

    `compared` counts steps; `difference` is what ended `run` early; `verified` the last
    state that both shared; `prefix_digest` the device's digest after the prefix, which
    was found equal.

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
        tell: Callable[[Sequence[Learned]], None],
        resumed: tuple[int, int | None] = (0, None),
        steering: Steering | None = None,
    ) -> None:
        self.until = lesson.steps
        self.learned = resumed[0]
        self.compared = 0
        self.difference: Difference | None = None
        self.prefix_digest: int | None = None
        self.verified = initial
        self._device = device
        self._lesson = lesson
        self._compares = reference is not None
        self._telling = Telling(device, lesson, tell)
        self._repeated = Repeated(
            lesson, reference, resumed, initial, self._telling.note
        )
        self._steering = steering or Steering()
        self._resumed = resumed
        self._sent = self._heard = self._reached = resumed[0]
        self._uncommitted: int | None = None
        self._committing = False
        self._committed: dict[int, int] = {}
        self._repeatable: dict[int, StepResult] = {}
        self._latest: StepResult | None = None
        self._frames = 0
        self._told: deque[StepResult] = deque()
        self._lead = max(LEAD, 2 * (lesson.experiment.thin or 0))

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
    def written(self) -> int:
        """Weights that the steps of the reference wrote."""
        return self._repeated.written

    @property
    def final(self) -> Snapshot:
        """The reference's newest state at an end of a leg, or of the prefix."""
        return self._repeated.final

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
        """Whether every step up to `until` was learned and compared, and no checkpoint is
        asked for: what is in flight then is not part of learning."""
        return min(self.learned, self._reached) >= self.until and not self._committing

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

    def place(self, snapshot: Snapshot, digest: int) -> None:
        """Both sides were given another state, of this digest, between two steps."""
        self.verified, self._latest = snapshot, None
        self._resumed = snapshot.step, digest
        self._committed, self._repeatable = {}, {}

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
        return bool(self._told) and len(self._repeated.expected) < self._told[0].steps

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
            if not self._alone(result):
                self._repeated.see(result.signal)
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

    # -- reference --------------------------------------------------------

    def _ask(self) -> None:
        """Give the reference steps as far as it may go; where the device had learned
        before, those steps too."""
        ahead = self.learned + self._lead
        self._repeated.ask(min(self._lesson.prefix, self.until, ahead))

    def _collect(self, limit: float) -> None:
        """Take what the reference has computed, waiting at most `limit` seconds."""
        self._repeated.collect(limit)
        self.difference = self.difference or self._repeated.difference

    # -- both -------------------------------------------------------------

    def _match(self) -> None:
        """Compare what both have done, and tell what is equal, or was done alone."""
        proved: list[StepResult] = []
        try:
            while self._told and self.difference is None and self._settled(proved):
                self.learned += self._told.popleft().steps
        finally:  # what counts as learned is told
            self._telling.add(proved)

    def _settled(self, proved: list[StepResult]) -> bool:
        """Whether what the device told first may be `proved`: it was done alone, or is
        found equal now."""
        told = self._told[0]
        if self._alone(told):
            proved.append(told)
            return True
        if len(self._repeated.expected) < told.steps:
            if self._repeated.non_finite is not None:
                self.difference = self._only_reference_stops(told)
            return False
        expected = self._repeated.take(told.steps)
        self.difference = compare(told, expected)
        if self.difference is None:
            proved += self._proved(told, expected)
        return self.difference is None

    def _proved(
        self, told: StepResult, expected: Sequence[Expected]
    ) -> list[StepResult]:
        """The steps that a device has told of, found equal, one by one."""
        self.compared += told.steps
        if told.step + 1 == self._lesson.prefix:
            self.prefix_digest = told.digest
        self.verified = self._repeated.shared(told.step) or self.verified
        return [
            *(_as_told(each) for each in expected[:-1]),
            told._replace(steps=1, right=None),
        ]

    def _alone(self, told: StepResult) -> bool:
        """Whether no reference has repeated these steps."""
        return not self._compares or told.step >= self._lesson.prefix

    @property
    def _counting(self) -> bool:
        """Whether instructions are counted: only icount counts exactly."""
        return self._lesson.experiment.icount

    def _only_reference_stops(self, told: StepResult) -> Difference:
        tensor = self._repeated.non_finite
        note = f"the reference met a non-finite {tensor}, the device did not"
        return Difference(told.step, str(tensor), note=note)

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
        if fault.cause != Cause.NON_FINITE or not self._compares:
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
        repeated = self._repeated
        if repeated.non_finite is None or repeated.computed != step:
            went = "went on" if repeated.non_finite is None else "stopped before"
            note = f"{fault}; the reference {went}"
            self.difference = Difference(step, "fault", note=note)
            return
        fault.hints = ("the reference stops at the same step", *fault.hints)
        raise fault

    def _let_reference_reach(self, step: int) -> None:
        """Wait until the reference has done this step, or has stopped before."""
        self._lead = max(self._lead, step + 1 - self.learned)
        self._repeated.see_nothing_until(step + 1)
        while self._repeated.computed <= step and self._repeated.non_finite is None:
            if not self._compute():
                return

    def _expected_soon(self) -> bool:
        """Wait until the reference has what is to be compared next, or ends."""
        told = self._told[0]
        while (
            self._waits_for_reference()
            and not self._alone(told)
            and self._repeated.non_finite is None
            and self._compute()
        ):
            pass
        return self._alone(told) or not self._waits_for_reference()

    def _compute(self) -> bool:
        """Let the reference get on, and nothing else; false where it has nothing to
        do, so that nobody waits for what it will never say."""
        self._ask()
        busy = self._repeated.busy
        self._collect(SERVE_EVERY)
        return busy
