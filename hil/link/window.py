"""Requests in flight: sent in order, answered in order, none lost.

The device never retries and has no timers (DESIGN section 7), so all of that is
here. A request is sent again as exactly the same frame: the device does a STEP
once and gives its kept reply again, so that sending again is always safe.

Two things make a request be sent again: nothing came for a while, or a reply
shows that it was overtaken. Frames hardly ever pass each other on a line, so the
n-th reply to a request means that everything sent before the request's n-th
transmission has reached the device or is lost. Where they do pass each other,
or come twice, something is sent once more than it need be.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from codegen import protocol
from codegen.protocol import REPLY, Status
from emulation.faults import Line
from hil.errors import DeviceReset, LinkError, NoAnswer
from hil.link.frame import Decoder, Frame, encode
from hil.ssh import shown

LOSSY = 0.05
"""Seconds of silence after which all in flight is sent again, at the earliest, on a
line that has lost something before."""
GAIN, SPREAD_GAIN, SPREADS = 1 / 8, 1 / 4, 4
"""How a line's round trip is estimated (RFC 6298): the mean's and the deviation's
gain, and how many deviations above the mean an answer is waited for."""
REFUSALS = 100
"""A request refused as often will never be answered."""
LONGEST_ROUND = 4.0
"""Seconds up to which rounds of silence grow, each twice the one before."""
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
    """Seconds of silence after which all in flight is sent `again` (on a line that
    has lost nothing yet; later than that where answers are known to take longer, and
    each further round takes longer), and after which nobody is believed to be there,
    `limit`."""

    again: float
    limit: float


@dataclass
class _Request:
    kind: int
    seq: int
    step: int
    frame: bytes
    posted: float
    sent: list[int] = field(default_factory=list)
    answers: int = 0
    refusals: int = 0
    reply: Frame | None = None


def _step_of(message: protocol.Message, values: Sequence[object]) -> int:
    """The step that a request names, 0 where it names none."""
    assert message.request is not None
    names = [field.name for field in message.request.fields]
    step = values[names.index("step")] if "step" in names else 0
    assert isinstance(step, int)
    return step


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

    def __init__(self, channel: Line, unsolicited: Callable[[Frame], None]) -> None:
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
        self._overtaken = False
        self._round_trip = self._spread = 0.0

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
        request = _Request(
            message.kind, seq, _step_of(message, values), frame, time.monotonic()
        )
        if not self._flight:
            self._restart()
        self._flight.append(request)
        self._transmit(request)

    def drop(self) -> None:
        """Forget all that is in flight; late replies to it are ignored."""
        self._flight.clear()

    def repeat(self) -> None:
        """Send all that is in flight and unanswered again."""
        self._restart()
        self._transmit_all()

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

    def _round(self, patience: Patience) -> float:
        lossy = self._overtaken or self._decoder.damaged
        least = min(LOSSY, patience.again) if lossy else patience.again
        first = max(least, self._round_trip + SPREADS * self._spread)
        return max(first, min(first * 2**self._rounds, LONGEST_ROUND))

    def _learn_round_trip(self, request: _Request) -> None:
        """Of an answer that can only be to the first transmission; until there is
        one, rounds stay as long as they have become (Karn)."""
        if len(request.sent) > 1:
            return
        self._rounds = 0
        took = time.monotonic() - request.posted
        if not self._round_trip:
            self._round_trip, self._spread = took, took / 2
        off = took - self._round_trip
        self._round_trip += GAIN * off
        self._spread += SPREAD_GAIN * (abs(off) - self._spread)

    def _be_patient(self, now: float, patience: Patience) -> None:
        if not self._flight:
            return
        if now - self._progress >= patience.limit:
            raise self._no_answer(now - self._progress)
        if now - self._asked >= self._round(patience):
            self.channel.require_alive()
            self._transmit_all()
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
            if self.channel.url.startswith("socket://"):
                hints.append("another session may have it: it answers one at a time")
        return NoAnswer(
            f"no answer to {names[oldest.kind]} on {shown(self.channel.url)!r} within "
            f"{waited:.1f} s (sent {len(oldest.sent)} times)",
            *hints,
            "`hil doctor` boots a probe that needs neither compiler nor this protocol",
        )

    def _transmit_all(self) -> None:
        for request in self._flight:
            if request.reply is None:
                self._transmit(request)

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
                f"the device on {shown(self.channel.url)!r} was reset in mid-session: "
                "it no longer knows this session",
                "what it had learned since the last checkpoint is lost",
            )
        if frame.boot == self.boot and request.reply is None:
            self._answer(request, frame)

    def _answer(self, request: _Request, frame: Frame) -> None:
        refused = frame.status == Status.OUT_OF_STEP
        if not refused:
            self._restart()
        answered = request.sent[min(request.answers, len(request.sent) - 1)]
        request.answers += 1
        if refused:
            self._require_hope(request, frame)
        if not refused:
            self._learn_round_trip(request)
            request.reply = frame
            self.replayed += frame.status == Status.REPLAYED
        for other in list(self._flight):
            overtaken = other.reply is None and other.sent[-1] < answered
            if overtaken or (refused and other is request):
                self._overtaken = True
                self._transmit(other)

    def _require_hope(self, request: _Request, frame: Frame) -> None:
        """A step was refused: because one before it was lost, or, before it was
        done, and the refusal was late. The device cannot be past the oldest step
        in flight and have no reply to it."""
        request.refusals += 1
        try:
            expects = protocol.OUT_OF_STEP.unpack(frame.payload)[0]["step"]
        except ValueError as error:
            raise LinkError(
                f"the device on {shown(self.channel.url)!r} sent an OUT_OF_STEP reply that is "
                f"malformed: {error}"
            ) from error
        assert isinstance(expects, int)
        past = request is self._flight[0] and expects > request.step
        if past or request.refusals > REFUSALS:
            raise LinkError(
                f"the device on {shown(self.channel.url)!r} expects step {expects}, but "
                f"step {request.step} is the next in flight",
                "another program may be talking to this device",
            )
