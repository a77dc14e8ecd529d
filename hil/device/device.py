"""A device as the host sees it: what can be asked of it, and when.

    SILENT --hello--> GREETED --init--> READY --leave--> LEFT
                                         `---FAULT frame---> FAULTED --init--> READY

A method called in the wrong state is a mistake of the calling code and raises
`StateError`; everything the device or the line does wrong is a
`hil.errors.HilError`.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np

from codegen import protocol
from codegen.planning.plan import Tensor
from codegen.planning.planned import Linked, Plan
from codegen.protocol import Status, StepFlag
from emulation.faults import Line
from hil.device import replies
from hil.device.greeting import Greeting
from hil.device.link.frame import Frame
from hil.device.link.pace import Patience
from hil.device.link.transparency import Alteration
from hil.device.link.window import LinkCounts, Window
from hil.device.replies import Asked, StepResult
from hil.device.telemetry import Condition, Telemetry
from hil.errors import (
    DeviceFault,
    LinkError,
    NoCheckpoint,
    Refused,
)
from targets import Limits

AGAIN = 0.5
"""Seconds of silence after which a request is sent again, at the earliest."""
DONE = (Status.OK, Status.REPLAYED)
KEPT = (protocol.STEP, protocol.STEP_RESIDENT, protocol.REHEARSE, protocol.COMMIT)
"""What a device does once and keeps its reply to: nothing else is REPLAYED."""
RANGE_BYTES = 8
"""Fields of READ and WRITE, in requests and replies; the words follow them."""
NO_FLAGS = StepFlag(0)
COMMITS = 64
"""Checkpoints that are remembered, the latest."""
GREETING_AGAIN = 0.05
"""Seconds after which HELLO is sent again: a device that is still starting
drops what it receives."""


class State(Enum):
    """What has been said so far."""

    SILENT = auto()
    GREETED = auto()
    READY = auto()
    FAULTED = auto()
    LEFT = auto()


class StateError(RuntimeError):
    """A method was called in a state in which it means nothing."""


def _malformed(what: str, error: ValueError | str) -> LinkError:
    return LinkError(f"the device sent {what} that is malformed: {error}")


def _words(tail: bytes, count: int, message: protocol.Message) -> np.ndarray:
    """The float32 words of a reply that was to have `count` of them."""
    if len(tail) != 4 * count:
        raise _malformed(
            f"a reply to {message.name.upper()}",
            f"{len(tail)} bytes of words, expected {4 * count}",
        )
    return np.frombuffer(tail, "<f4")


def _ranged(places: np.ndarray) -> bool:
    """Whether they follow one another."""
    first = int(places[0])
    return bool((places == np.arange(first, first + len(places))).all())


def fresh_number() -> int:
    """A session's nonce, or a run's number: one that nobody else has, never 0."""
    return 1 + secrets.randbelow(2**32 - 1)


def say_hello(window: Window, limit: float) -> Frame:
    """Open a session with whoever is on the line, within `limit` seconds; returns
    the reply to HELLO. Raises `NoAnswer`."""
    window.boot = fresh_number()
    window.post(protocol.HELLO, protocol.VERSION, protocol.VERSION)
    frames: list[Frame] = []
    while not frames:
        frames = window.poll(limit, Patience(GREETING_AGAIN, limit))
    return frames[0]


@dataclass(frozen=True)
class Commit:
    """A checkpoint that was written: the next step then, the state's digest, and
    how many the flash has had."""

    step: int
    digest: int
    sequence: int


class Device:
    """A session with the device on `channel`, which runs an image of `plan`:
    the file `image`, when a fault's addresses are to be told by name."""

    def __init__(
        self,
        channel: Line,
        plan: Linked,
        limits: Limits,
        image: Path | None = None,
    ) -> None:
        self._linked = plan
        self._image = image
        self.limits = limits
        self.state = State.SILENT
        self.telemetry = Condition()
        self.commits: deque[Commit] = deque(maxlen=COMMITS)
        self._new_commits: list[Commit] = []
        self._window = Window(channel, self._unsolicited)
        self._flight: deque[Asked] = deque()
        self._replied: deque[tuple[Asked, Frame]] = deque()
        self._greeting: Greeting | None = None
        self._run = fresh_number()

    # -- what has happened ------------------------------------------------

    @property
    def plan(self) -> Plan:
        """The plan of its network."""
        if not isinstance(self._linked, Plan):
            raise StateError("the device has no network")
        return self._linked

    @property
    def greeting(self) -> Greeting:
        """What the device said in HELLO."""
        if self._greeting is None:
            raise StateError("the device has not been greeted")
        return self._greeting

    @property
    def counts(self) -> LinkCounts:
        """What the line did so far."""
        line = self._window
        return LinkCounts(
            frames=line.answered,
            resent=line.resent,
            damaged=line.damaged,
            replayed=line.replayed,
            lost_telemetry=self.telemetry.lost,
        )

    @property
    def parts(self) -> int:
        """Parts of long requests that were answered, one step each."""
        return self._window.parts

    @property
    def stray(self) -> bytes:
        """The latest bytes that formed no frame."""
        return self._window.stray

    def _unsolicited(self, frame: Frame) -> None:
        """Take a FAULT or telemetry of this session. Before HELLO is answered a
        device that traps as it starts knows no nonce yet, and says so by none."""
        starting = self._greeting is None and frame.boot == 0
        if frame.boot != self._window.boot and not starting:
            return
        try:
            if frame.kind == protocol.FAULT.kind:
                self.state = State.FAULTED
                raise replies.fault(frame.payload, self._linked, self._image)
            if frame.kind == protocol.TELEMETRY.kind:
                self.telemetry.take(replies.telemetry(frame.payload))
        except ValueError as error:
            raise _malformed("a frame of its own accord", error) from error

    # -- one request at a time --------------------------------------------

    def _need(self, *states: State) -> None:
        if self.state not in states:
            wanted = " or ".join(state.name for state in states)
            raise StateError(f"the device is {self.state.name}, expected {wanted}")

    def _checked(self, asked: Asked, frame: Frame) -> bytes:
        """The payload of a reply that says that it was done; else raises."""
        status, message = frame.status, asked.message
        if status in DONE:
            if status == Status.REPLAYED and message not in KEPT:
                raise ValueError(
                    "it says that it was kept, and nobody keeps such a reply"
                )
            return frame.payload
        try:
            text = protocol.STATUS_TEXT[Status(status)]
        except ValueError:
            text = "a status this protocol does not know"
        if status == Status.FAULTED:
            self.state = State.FAULTED
            raise DeviceFault(f"the device learns no more: {text}")
        if status == Status.NO_CHECKPOINT:
            raise NoCheckpoint(
                f"the device has nothing to resume from: {text}",
                "--commit N has it write a checkpoint every N steps",
            )
        raise Refused(f"the device refused {message.name.upper()}: {text}")

    def _post(
        self,
        message: protocol.Message,
        *values: object,
        tail: bytes,
        told: int | None = None,
    ) -> Asked:
        """Put a request on the line, behind those that are in flight. Its reply has
        `told` bytes for each item that it names."""
        assert message.request is not None
        self._window.post(message, *values, tail=tail, told=told)
        names = (field.name for field in message.request.fields)
        asked = Asked(message, dict(zip(names, values, strict=True)))
        self._flight.append(asked)
        return asked

    def _poll(self, limit: float, patience: Patience) -> list[tuple[Asked, Frame]]:
        """What has come, each reply with what it was asked by."""
        frames = self._window.poll(limit, patience)
        return [(self._flight.popleft(), frame) for frame in frames]

    def _ask(self, message: protocol.Message, *values: object) -> dict[str, Any]:
        """One request and its reply; nothing else may be in flight."""
        return next(self._ask_all(message, [(values, b"")]))[0]

    def _ask_all(
        self,
        message: protocol.Message,
        requests: Iterable[tuple[Sequence[object], bytes]],
        told: int | None = None,
    ) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Requests of one kind, each (field values, tail), as many in flight
        as the device takes; gives the fields and tail of each reply, which has `told`
        bytes for each item that was asked for."""
        if len(self._window):
            raise StateError("replies to earlier requests have not been taken")
        patience = Patience(AGAIN, self.limits.reply)
        for values, tail in requests:
            while len(self._window) >= self._room():
                yield from self._take(patience)
            self._post(message, *values, tail=tail, told=told)
        while len(self._window):
            yield from self._take(patience)

    def _take(self, patience: Patience) -> Iterator[tuple[dict[str, Any], bytes]]:
        for asked, frame in self._poll(patience.limit, patience):
            self.telemetry.settle()  # all of it comes before such a reply
            try:
                told = replies.answer(asked, self._checked(asked, frame))
            except ValueError as error:
                raise _malformed(f"a reply to {asked}", error) from error
            yield told

    def _room(self) -> int:
        return self._greeting.window if self._greeting else 1

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
            raise _malformed("a reply to HELLO", error) from error
        self._greeting.require(self._linked, digest, vlen)
        self.state = State.GREETED
        return self._greeting

    def init(self, seed: int, step: int = 0, *, keep: bool = False) -> int:
        """Set all weights from `seed` (or `keep` those that were written) and
        the number of the next step; returns the state digest."""
        self._need(State.GREETED, State.READY, State.FAULTED)
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
        samples: Sequence[tuple[int, bytes]],
        flags: StepFlag = NO_FLAGS,
        keep: int | None = None,
    ) -> None:
        """Put one STEP frame on the line: `samples` are (label, element
        bytes), learned one after another as steps `step`, `step` + 1, ...; one alone
        may be kept in slot `keep` of the rehearsal buffer."""
        self._need(State.READY)
        if self.credit < 1:
            raise StateError("no credit: the device's window is full")
        tail = b"".join(label.to_bytes(2, "little") + data for label, data in samples)
        if keep is not None:
            flags |= StepFlag.KEEP
        fields = (step, flags, len(samples), keep or 0, float(eta))
        self._post_learning(protocol.STEP, *fields, tail=tail)

    def post_rehearsal(
        self,
        step: int,
        eta: np.float32,
        slots: Sequence[int],
        flags: StepFlag = NO_FLAGS,
    ) -> None:
        """Put one REHEARSE frame on the line: steps from the samples in these slots
        of the rehearsal buffer."""
        self._need(State.READY)
        if self.credit < 1:
            raise StateError("no credit: the device's window is full")
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
        self._need(State.READY)
        if self.credit < 1:
            raise StateError("no credit: the device's window is full")
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
        self._need(State.READY)
        if self.credit < 1:
            raise StateError("no credit: the device's window is full")
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
            patience = Patience(AGAIN, self.limits.step)
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
            raise _malformed(f"a reply to {asked}", error) from error

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
        patience = Patience(AGAIN, self.limits.step)
        end = time.monotonic() + self.limits.step
        while len(self._window):
            try:
                self._poll(patience.limit, patience)
            except DeviceFault:
                self.state = State.FAULTED
                if time.monotonic() >= end:
                    raise
        self.telemetry.forget()

    # -- looking and touching ----------------------------------------------

    def infer(self, samples: Sequence[bytes]) -> np.ndarray:
        """Outputs [n, n_out] of `samples` (element bytes); changes nothing."""
        nothing = np.empty((0, self.plan.spec.network.n_out), np.float32)
        return np.concatenate([nothing, *self.inferred(samples)])

    def inferred(self, samples: Sequence[bytes]) -> Iterator[np.ndarray]:
        """The same as it comes, frame by frame: outputs [k, n_out] of the next k."""
        self._need(State.READY)
        network, room = self.plan.spec.network, self.greeting.max_payload
        if not samples:
            return
        sent, answered = len(samples[0]), 4 * network.n_out
        most, message = (room - 4) // max(sent, answered), protocol.INFER
        pieces, asked = tee(self._pieces(message, len(samples), sent + answered, most))
        requests = (([n], b"".join(samples[first : first + n])) for first, n in pieces)
        told = self._ask_all(message, requests, answered)
        for (_, count), (_, tail) in zip(asked, told, strict=True):
            yield _words(tail, count * network.n_out, message).reshape(count, -1)

    def _pieces(
        self, message: protocol.Message, total: int, each: int, most: int
    ) -> Iterator[tuple[int, int]]:
        """(first, count) of one frame's items after the other, of `total`: as many as
        fit, and as the line lets through when they are asked for. `each` is an item's
        bytes in request and reply together."""
        first = 0
        while first < total:
            fit = min(most, total - first)
            count = self._window.noise.items(message, each, fit)
            yield first, count
            first += count

    def _ranges(
        self, message: protocol.Message, tensor: Tensor
    ) -> Iterator[tuple[int, int, int]]:
        """(tensor, count, offset) of one frame's words after the other."""
        most = (self.greeting.max_payload - RANGE_BYTES) // 4
        for first, count in self._pieces(message, tensor.words, 4, most):
            yield tensor.index, count, first

    def read(self, tensor: Tensor) -> np.ndarray:
        """The values of a tensor, in its shape."""
        self._need(State.READY, State.FAULTED)
        message = protocol.READ
        pieces, asked = tee(self._ranges(message, tensor))
        told = self._ask_all(message, ((piece, b"") for piece in pieces), 4)
        parts = [
            _words(tail, count, message)
            for (_, count, _), (_, tail) in zip(asked, told, strict=True)
        ]
        return np.concatenate(parts).reshape(tensor.shape)

    def write(self, tensor: Tensor, values: np.ndarray) -> None:
        """Replace the values of a state tensor."""
        self._need(State.GREETED, State.READY)
        words = np.ascontiguousarray(values, "<f4").ravel()
        asked = (
            (piece, words[piece[2] : piece[2] + piece[1]].tobytes())
            for piece in self._ranges(protocol.WRITE, tensor)
        )
        for _ in self._ask_all(protocol.WRITE, asked, 0):
            pass

    def digest(self) -> tuple[int, int]:
        """(next step, state digest)."""
        self._need(State.READY, State.FAULTED)
        reply = self._ask(protocol.DIGEST)
        return int(reply["step"]), int(reply["digest"])

    def ping(self) -> Telemetry:
        """How the device is, now."""
        self._need(State.GREETED, State.READY, State.FAULTED)
        return Telemetry(**self._ask(protocol.PING))

    def altered(self) -> Alteration | None:
        """What the line does to bytes that it should leave alone, by an ECHO of every
        byte value; None: nothing that shows. Nothing may be in flight."""
        self._need(State.GREETED, State.READY)
        return self._window.altered()

    def echo(self, payloads: Iterable[bytes]) -> Iterator[bytes]:
        """Each payload back, as many in flight as the device takes."""
        self._need(State.GREETED, State.READY)
        for _, tail in self._ask_all(protocol.ECHO, (((), p) for p in payloads)):
            yield tail
