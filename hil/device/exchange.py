"""Requests and their replies: one session with whoever is on a line.

What can be asked, and when, is told by `hil.device.device`.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Any

from codegen import protocol
from codegen.planning.planned import Linked, Plan
from codegen.protocol import Status
from emulation.faults import Line
from hil.device import replies
from hil.device.greeting import Greeting
from hil.device.link.frame import Frame
from hil.device.link.pace import Patience
from hil.device.link.window import LinkCounts, Window
from hil.device.replies import Asked
from hil.device.telemetry import Condition
from hil.errors import DeviceFault, LinkError, NoCheckpoint, Refused
from targets import Limits

AGAIN = 0.5
"""Seconds of silence after which a request is sent again, at the earliest."""
DONE = (Status.OK, Status.REPLAYED)
KEPT = (protocol.STEP, protocol.STEP_RESIDENT, protocol.REHEARSE, protocol.COMMIT)
"""What a device does once and keeps its reply to: nothing else is REPLAYED."""
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


def malformed(what: str, error: ValueError | str) -> LinkError:
    """What to raise for a frame that is no `what`, and why it is none."""
    return LinkError(f"the device sent {what} that is malformed: {error}")


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


class Exchange:
    """A session on `channel` with a device that runs an image of `plan`:
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
        self.again = AGAIN
        """Seconds of silence before it asks again, at least: more where every answer
        comes, however late."""
        self.telemetry = Condition()
        self._window = Window(channel, self._unsolicited)
        self._flight: deque[Asked] = deque()
        self._greeting: Greeting | None = None

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
            raise malformed("a frame of its own accord", error) from error

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
        limit: float | None = None,
    ) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Requests of one kind, each (field values, tail), as many in flight
        as the device takes; gives the fields and tail of each reply, which has `told`
        bytes for each item that was asked for. A reply comes within `limit` seconds,
        by default what any reply takes."""
        if len(self._window):
            raise StateError("replies to earlier requests have not been taken")
        patience = Patience(self.again, limit or self.limits.reply)
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
                raise malformed(f"a reply to {asked}", error) from error
            yield told

    def _room(self) -> int:
        return self._greeting.window if self._greeting else 1
