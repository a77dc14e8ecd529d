"""Requests in flight: sent in order, answered in order, none lost.

The device never retries and has no timers (DESIGN section 7), so all of that is
here. A request is sent again as exactly the same frame: the device does a STEP
once and gives its kept reply again, so that sending again is always safe.

Two things make a request be sent again: nothing came for a while, or a reply
shows that it was overtaken. Frames do not pass each other on a line, so the
n-th reply to a request means that everything sent before the request's n-th
transmission has reached the device or is lost.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from codegen import protocol
from codegen.protocol import REPLY, Status
from hil.errors import DeviceReset, LinkError, NoAnswer
from hil.link.channel import Channel
from hil.link.frame import Decoder, Frame, encode

SLACK = 8
LONGEST_ROUND = 8
"""A round of silence is at most so many times the first one."""
SHOWN = 160
"""Bytes that form no frame are shown in a failure up to this many."""


@dataclass(frozen=True)
class LinkCounts:
    """What the line did in one session.

    frames: requests answered. resent: transmissions beyond the first of each.
    damaged: pieces between delimiters that were no frame. replayed: answers
    the device had kept. lost_telemetry: gaps in telemetry's numbers.
    """

    frames: int = 0
    resent: int = 0
    damaged: int = 0
    replayed: int = 0
    lost_telemetry: int = 0


@dataclass(frozen=True)
class Patience:
    """Seconds of silence after which all in flight is sent `again` (at the
    earliest: a device known to be slow is given `SLACK` times its slowest
    answer, and each further round takes longer), and after which nobody is
    believed to be there, `limit`."""

    again: float
    limit: float


@dataclass
class _Request:
    kind: int
    seq: int
    frame: bytes
    sent: list[int] = field(default_factory=list)
    answers: int = 0
    reply: Frame | None = None


def hexdump(data: bytes, most: int = SHOWN) -> str:
    """`data` (its latest `most` bytes) as hex and as text, for a hint."""
    part = data[-most:]
    text = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
    cut = f" (the latest {most} of {len(data)})" if len(data) > most else ""
    return f"{part.hex(' ')}  |{text}|{cut}"


class Window:
    """Requests in flight on one channel.

    `unsolicited` is given every frame the device sends of its own accord
    (telemetry, faults) at the moment it arrives, so in order with replies.
    """

    def __init__(self, channel: Channel, unsolicited: Callable[[Frame], None]) -> None:
        self.channel = channel
        self.boot = 0
        self.replayed = 0
        self.resent = 0
        self.answered = 0
        self._unsolicited = unsolicited
        self._decoder = Decoder()
        self._arrived: deque[Frame] = deque()
        self._flight: deque[_Request] = deque()
        self._next_seq = 0
        self._transmissions = 0
        self._progress = 0.0
        self._asked = 0.0
        self._rounds = 0
        self._slowest = 0.0

    def __len__(self) -> int:
        return len(self._flight)

    @property
    def damaged(self) -> int:
        """Pieces between delimiters that were no frame."""
        return self._decoder.damaged

    @property
    def stray(self) -> bytes:
        """The latest bytes that form no frame."""
        return self._decoder.stray

    def post(
        self, message: protocol.Message, *values: object, tail: bytes = b""
    ) -> None:
        """Put one request of these field values on the line, behind those that
        are in flight."""
        assert message.request is not None
        payload = message.request.pack(*values, tail=tail)
        seq, self._next_seq = self._next_seq, (self._next_seq + 1) & 0xFFFF
        frame = encode(message.kind, 0, seq, self.boot, payload)
        request = _Request(message.kind, seq, frame)
        if not self._flight:
            self._restart()
        self._flight.append(request)
        self._transmit(request)

    def drop(self) -> None:
        """Forget all that is in flight; late replies to it are ignored."""
        self._flight.clear()

    def poll(self, limit: float, patience: Patience) -> list[Frame]:
        """Replies that are complete, in the order their requests were posted.

        Waits at most `limit` seconds and returns with the first reply. Raises
        `NoAnswer`, `DeviceReset`, `LineClosed`, `LinkError` (out of step).
        """
        end = time.monotonic() + limit
        while True:
            self._sort()
            done = self._take_done()
            if done or (limit > 0 and not self._flight):
                return done
            wait = min(end, self._asked + self._round(patience)) - time.monotonic()
            self._arrived += self._decoder.feed(self.channel.pump(wait))
            self._sort()
            done = self._take_done()
            now = time.monotonic()
            if done:
                return done
            self._be_patient(now, patience)
            if now >= end:
                return []

    def _restart(self) -> None:
        """Silence begins anew."""
        self._progress = self._asked = time.monotonic()
        self._rounds = 0

    def _round(self, patience: Patience) -> float:
        first = max(patience.again, SLACK * self._slowest)
        return first * min(2**self._rounds, LONGEST_ROUND)

    def _be_patient(self, now: float, patience: Patience) -> None:
        if not self._flight:
            return
        if now - self._progress >= patience.limit:
            raise self._no_answer(now - self._progress)
        if now - self._asked >= self._round(patience):
            self.channel.require_alive()
            for request in self._flight:
                if request.reply is None:
                    self._transmit(request)
            self._asked = now
            self._rounds += 1

    def _no_answer(self, waited: float) -> NoAnswer:
        names = {m.kind: m.name.upper() for m in protocol.MESSAGES}
        oldest = self._flight[0]
        hints = [
            f"{self.channel.received} bytes came in all; "
            + (f"no frame: {hexdump(self.stray)}" if self.stray else "all were frames")
        ]
        if not self.channel.received:
            hints = ["not one byte came: is it powered, flashed, and on this port?"]
        return NoAnswer(
            f"no answer to {names[oldest.kind]} on {self.channel.url!r} within "
            f"{waited:.1f} s (sent {len(oldest.sent)} times)",
            *hints,
            "`hil doctor` boots a probe that needs neither compiler nor this protocol",
        )

    def _transmit(self, request: _Request) -> None:
        self.resent += bool(request.sent)
        request.sent.append(self._transmissions)
        self._transmissions += 1
        self.channel.send(request.frame)

    def _take_done(self) -> list[Frame]:
        done = []
        while self._flight and self._flight[0].reply is not None:
            done.append(self._flight.popleft().reply)
        self.answered += len(done)
        return [frame for frame in done if frame is not None]

    def _sort(self) -> None:
        """Hand out what arrived; after an exception the rest is still there."""
        while self._arrived:
            self._receive(self._arrived.popleft())

    def _receive(self, frame: Frame) -> None:
        if not frame.kind & REPLY:
            self._unsolicited(frame)
            return
        asked = (frame.seq, frame.kind & ~REPLY)
        found = [r for r in self._flight if (r.seq, r.kind) == asked]
        if not found:
            return
        request = found[0]
        if frame.status == Status.STALE_BOOT:
            raise DeviceReset(
                f"the device on {self.channel.url!r} was reset in mid-session: "
                "it no longer knows this session",
                "what it had learned since the last checkpoint is lost",
            )
        if frame.boot == self.boot and request.reply is None:
            self._answer(request, frame)

    def _answer(self, request: _Request, frame: Frame) -> None:
        if not self._rounds:
            self._slowest = max(self._slowest, time.monotonic() - self._progress)
        self._restart()
        refused = frame.status == Status.OUT_OF_STEP
        answered = request.sent[min(request.answers, len(request.sent) - 1)]
        request.answers += 1
        if refused and request is self._flight[0]:
            raise self._out_of_step(request, frame)
        if not refused:
            request.reply = frame
            self.replayed += frame.status == Status.REPLAYED
        for other in list(self._flight):
            overtaken = other.reply is None and other.sent[-1] < answered
            if overtaken or (refused and other is request):
                self._transmit(other)

    def _out_of_step(self, request: _Request, frame: Frame) -> LinkError:
        try:
            expects = protocol.OUT_OF_STEP.unpack(frame.payload)[0]["step"]
        except ValueError as error:
            return LinkError(
                f"the device on {self.channel.url!r} sent an OUT_OF_STEP reply that is "
                f"malformed: {error}"
            )
        return LinkError(
            f"the device on {self.channel.url!r} expects step {expects}, and no step "
            f"before the refused one (frame {request.seq}) is in flight",
            "another program may be talking to this device",
        )
