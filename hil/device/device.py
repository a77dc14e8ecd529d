"""A device as the host sees it: what can be asked of it, and when.

    SILENT --hello--> GREETED --init--> READY --leave--> LEFT
                                         `---FAULT frame---> FAULTED --init--> READY

A method called in the wrong state is a mistake of the calling code and raises
`StateError`; everything the device or the line does wrong is a
`hil.errors.HilError`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codegen import goals, protocol
from codegen.planning.planned import Linked
from codegen.protocol import StepFlag
from codegen.reference.goals import Given
from emulation.faults import Line
from hil.device import replies
from hil.device.exchange import (
    DONE,
    State,
    StateError,
    fresh_number,
    malformed,
    say_hello,
)
from hil.device.greeting import Greeting
from hil.device.link.frame import Frame
from hil.device.link.pace import Patience
from hil.device.reading import NOTHING, Readable
from hil.device.replies import Asked, StepResult
from hil.errors import DeviceFault, LinkError
from targets import Limits

NO_FLAGS = StepFlag(0)
COMMITS = 64
"""Checkpoints that are remembered, the latest."""


def _ranged(places: np.ndarray) -> bool:
    """Whether each of these places is the one after the place before it."""
    first = int(places[0])
    return bool((places == np.arange(first, first + len(places))).all())


@dataclass(frozen=True)
class Commit:
    """A checkpoint that was written: the next step then, the state's digest, and
    how many the flash has had."""

    step: int
    digest: int
    sequence: int


def _wire(given: Given) -> bytes:
    """What a sample is learned from, as it travels before it."""
    if given is None:
        return b""
    if isinstance(given, int):
        return given.to_bytes(2, "little")
    return given.astype("<f4").tobytes()


def travel(samples: np.ndarray, given: np.ndarray | None) -> bytes:
    """Samples [n, elements] as they travel, each behind what it is `given` to learn
    from: labels [n] of two bytes, or vectors [n, outputs] of binary32."""
    rows = [samples] if given is None else [given, samples]
    count = len(samples)
    parts = [np.ascontiguousarray(row).reshape(count, -1) for row in rows]
    return np.hstack([part.view(np.uint8) for part in parts]).tobytes()


class Device(Readable):
    """A session with the device on `channel`, which runs an image of `plan`:
    the file `image`, when a fault's addresses are to be told by name."""

    def __init__(
        self,
        channel: Line,
        plan: Linked,
        limits: Limits,
        image: Path | None = None,
    ) -> None:
        super().__init__(channel, plan, limits, image)
        self.commits: deque[Commit] = deque(maxlen=COMMITS)
        self._new_commits: list[Commit] = []
        self._replied: deque[tuple[Asked, Frame]] = deque()
        self._run = fresh_number()

    # -- HELLO, INIT, LEAVE -----------------------------------------------

    def hello(self, digest: str, vlen: int, limit: float) -> Greeting:
        """Open a session within `limit` seconds.

        `digest` is the build digest of the image that should answer (hex, at
        least 32 digits), `vlen` the VLEN it should find (bits, 0: none). Raises
        `FirmwareMismatch` when another one does, `NoAnswer` when none does.
        """
        self.forget()
        self._greeting = None
        reply = say_hello(self._window, limit)
        try:
            payload = self._checked(Asked(protocol.HELLO, {}), reply)
            self._greeting = Greeting.of(payload)
        except ValueError as error:
            raise malformed("a reply to HELLO", error) from error
        self._greeting.require(self._linked, digest, vlen)
        self.state = State.GREETED
        return self._greeting

    def init(self, seed: int, step: int = 0, *, keep: bool = False) -> int:
        """Set all weights from `seed` (or `keep` those that were written) and
        the number of the next step; returns the state digest."""
        self._need(State.GREETED, State.READY, State.FAULTED)
        self._begun = NOTHING
        flags = protocol.InitFlag.KEEP_STATE if keep else 0
        reply = self._ask(protocol.INIT, seed, step, flags, self._run)
        self.state = State.READY
        return int(reply["digest"])

    def resume(self, seed: int, last: int | None = None) -> tuple[int, int]:
        """Take state and step from the newest checkpoint, which must be of this
        network, rule and seed; returns (next step, state digest). With `last` from
        one of this session's own run, of step `last` or before; without it of any
        run, which goes on. Raises `NoCheckpoint` where there is none, and `Refused`."""
        self._need(State.GREETED, State.READY, State.FAULTED)
        self._begun = NOTHING
        flag = protocol.InitFlag.RESUME
        wanted = (protocol.NEVER, 0) if last is None else (last, self._run)
        reply = self._ask(protocol.INIT, seed, wanted[0], flag, wanted[1])
        if last is not None and (reply["step"] > last or reply["run"] != self._run):
            raise LinkError(
                f"the device went on from step {reply['step']} of run {reply['run']:08x}, "
                f"expected step {last} or before, of run {self._run:08x}"
            )
        self.state, self._run = State.READY, int(reply["run"])
        return int(reply["step"]), int(reply["digest"])

    def leave(self, code: int = 0) -> None:
        """End the session: an emulator exits with `code`, a board resets."""
        self._need(State.GREETED, State.READY, State.FAULTED)
        self._ask(protocol.LEAVE, code)
        self.state = State.LEFT

    # -- learning ---------------------------------------------------------

    @property
    def credit(self) -> int:
        """STEP frames that may be posted now."""
        return self.greeting.window - len(self._window)

    def _need_credit(self) -> None:
        self._need(State.READY)
        if self.credit < 1:
            raise StateError("no credit: the device's window is full")

    def samples_a_frame(self, sample: int, most: int) -> int:
        """How many samples of so many bytes, at most `most`, the next STEP should
        have: as many as the line lets through."""
        each = 2 + sample + 4 * replies.result_words(self.plan)
        return self._window.noise.items(protocol.STEP, each, most)

    def places_a_frame(self, places: np.ndarray) -> int:
        """The same of places in the resident set, and STEP_RESIDENT; a range of them
        has no length."""
        if _ranged(places):
            return len(places)
        return self._window.noise.items(protocol.STEP_RESIDENT, 4, len(places))

    def post_steps(
        self,
        step: int,
        eta: np.float32,
        samples: Sequence[tuple[Given, bytes]],
        flags: StepFlag = NO_FLAGS,
        keep: int | None = None,
    ) -> None:
        """Put one STEP frame on the line: `samples` are (label, vector or
        None, element bytes), learned one after another as steps `step`, `step` + 1, ...;
        one alone may be kept in slot `keep` of the rehearsal buffer."""
        tail = b"".join(_wire(given) + data for given, data in samples)
        self.post_together(step, eta, len(samples), tail, flags, keep)

    def post_together(
        self,
        step: int,
        eta: np.float32,
        count: int,
        tail: bytes,
        flags: StepFlag = NO_FLAGS,
        keep: int | None = None,
    ) -> None:
        """The same of `count` samples that are together already, as they `travel`. A
        sample that goes in parts is there, all but its target, when this returns."""
        self._need_credit()
        if keep is not None:
            flags |= StepFlag.KEEP
        if self.plan.chunk is not None:
            target = goals.goal(self.plan.spec).bytes(self.plan.spec)
            self._send_parts(step, tail[target:], self.plan.chunk)
            tail = tail[:target]
        fields = (step, flags, count, keep or 0, float(eta))
        self._post_learning(protocol.STEP, *fields, tail=tail)

    def begin_sample(self, step: int, begun: bytes) -> None:
        """Send what there is of the sample that step `step`, the next, will learn from:
        all of it from its first byte on. What was sent before does not travel again."""
        self._need_credit()
        assert self.plan.chunk is not None
        self._send_parts(step, begun, self.plan.chunk)

    def post_rehearsal(
        self,
        step: int,
        eta: np.float32,
        slots: Sequence[int],
        flags: StepFlag = NO_FLAGS,
    ) -> None:
        """Put one REHEARSE frame on the line: steps from the samples in these slots
        of the rehearsal buffer."""
        self._need_credit()
        tail = np.array(slots, "<u2").tobytes()
        fields = (step, flags, len(slots), 0, float(eta))
        self._post_learning(protocol.REHEARSE, *fields, tail=tail)

    def post_resident(
        self,
        step: int,
        eta: np.float32,
        places: np.ndarray,
        flags: StepFlag = NO_FLAGS,
        digest_every: int = 0,
    ) -> None:
        """Put one STEP_RESIDENT frame on the line: the samples at these `places`
        of the resident set, as a range where they follow one another."""
        self._need_credit()
        first, count = int(places[0]), len(places)
        ranged = _ranged(places)
        tail = b"" if ranged else places.astype("<u4").tobytes()
        fields = (
            step,
            flags,
            0,
            count,
            float(eta),
            first if ranged else 0,
            digest_every,
        )
        self._post_learning(protocol.STEP_RESIDENT, *fields, tail=tail)

    def _post_learning(
        self, message: protocol.Message, *values: object, tail: bytes
    ) -> None:
        alone = message == protocol.STEP_RESIDENT  # one result, whatever its count
        told = None if alone else 4 * replies.result_words(self.plan)
        asked = self._post(message, *values, tail=tail, told=told)
        if asked.values["flags"] & StepFlag.TELEMETRY:
            self.telemetry.expect(asked.end, asked.values["count"])

    def post_commit(self, step: int) -> None:
        """Have a checkpoint written once the steps before `step` are learned, which
        are on the line already; `take_commits` tells when it is done."""
        self._need_credit()
        self._post(protocol.COMMIT, step, tail=b"")

    def commit(self) -> Commit:
        """Write a checkpoint now, nothing being in flight."""
        self._need(State.READY)
        step, digest = self.digest()
        self._note_commit(self._ask(protocol.COMMIT, step))
        done = self.commits[-1]
        if done.digest != digest:
            raise LinkError(
                f"the device has written a checkpoint of digest {done.digest:08x}, but "
                f"its state has {digest:08x}"
            )
        return done

    def take_commits(self) -> list[Commit]:
        """Checkpoints that have been told of since this was asked last."""
        taken, self._new_commits = self._new_commits, []
        return taken

    def _note_commit(self, values: dict[str, Any]) -> None:
        told = Commit(values["step"], values["digest"], values["sequence"])
        self.commits.append(told)
        self._new_commits.append(told)

    def take_steps(self, limit: float) -> list[StepResult]:
        """Results that have come, in order; waits at most `limit` seconds for
        the first reply. Raises `DeviceFault` and every `LinkError`."""
        self._need(State.READY, State.FAULTED)
        if not self._replied:
            patience = Patience(self.again, self.limits.step)
            self._replied += self._poll(limit, patience)
        results: list[StepResult] = []
        while self._replied and (self._replied[0][1].status in DONE or not results):
            results += self._results(*self._replied.popleft())
        return results

    def _results(self, asked: Asked, frame: Frame) -> list[StepResult]:
        try:
            payload = self._checked(asked, frame)
            if asked.message == protocol.COMMIT:
                self._note_commit(replies.answer(asked, payload)[0])
                return []
            self.telemetry.settle(asked.end)
            if asked.message == protocol.STEP_RESIDENT:
                return [replies.resident_result(asked, payload, self.plan)]
            return replies.step_results(asked, payload, self.plan)
        except ValueError as error:
            raise malformed(f"a reply to {asked}", error) from error

    def repeat(self) -> None:
        """Send what is in flight again at once: the line was lost with it."""
        self._window.repeat()

    def forget(self) -> None:
        """Give up what is in flight, and what has come and was not taken."""
        self._window.drop()
        self._flight.clear()
        self._replied.clear()
        self.telemetry.forget()

    def settle(self) -> None:
        """Wait until nothing is in flight; what arrives is dropped, and a FAULT
        that is found on the way only changes the state. Raises `NoAnswer`, also for a
        device that says nothing but that it has stopped."""
        self._replied.clear()
        patience = Patience(self.again, self.limits.step)
        end = time.monotonic() + self.limits.step
        while len(self._window):
            try:
                self._poll(patience.limit, patience)
            except DeviceFault:
                self.state = State.FAULTED
                if time.monotonic() >= end:
                    raise
        self.telemetry.forget()
