"""Requests in flight: sent in order, answered in order, none lost.

The device never retries and has no timers (DESIGN section 7), so all of that is
here. A request is sent again as exactly the same frame: the device does a STEP
once and gives its kept reply again, so that sending again is always safe.

Two things make a request be sent again: nothing came for a while, or a reply
shows that it was overtaken. Frames hardly ever pass each other on a line, so the
n-th reply to a request means that everything sent before the request's n-th
transmission has reached the device or is lost. Where they do pass each other,
or come twice, something is sent once more than it need be.

The oldest request, when it is too long for what the line has become, is asked for in
parts (`hil.device.link.division`), one at a time; what was sent behind it waits for
that.

More than 400 lines because it is one machine: what is in flight is one value.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from codegen import protocol
from codegen.protocol import REPLY, Status
from emulation.faults import Line
from hil.device.link import silence, transparency
from hil.device.link.division import Division
from hil.device.link.frame import Decoder, Frame
from hil.device.link.noise import Noise
from hil.device.link.pace import Pace, Patience
from hil.device.link.request import Request
from hil.device.link.transparency import Alteration
from hil.device.ssh import shown
from hil.errors import DeviceReset, LineClosed, LinkError, NoAnswer

REFUSALS = 100
"""The oldest request in flight, refused as often, will never be answered."""
DIVIDED_AFTER = 3
"""Transmissions without an answer, after which a request may be divided."""
RECENT = 64
"""Requests that were answered are remembered up to so many: a late second answer
shows that sending again was hasty."""
OTHERS = "another program may be talking to this device"
REQUESTS = frozenset(m.kind for m in protocol.MESSAGES if m.request is not None)


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


class Window:
    """Requests in flight on one channel.

    `unsolicited` is given every frame the device sends of its own accord
    (telemetry, faults) at the moment it arrives, so in order with replies. `noise` is
    what the line is known to do to bytes.
    """

    def __init__(self, channel: Line, unsolicited: Callable[[Frame], None]) -> None:
        self.channel = channel
        self.boot = 0
        self.replayed = 0
        self.resent = 0
        self.answered = 0
        self.parts = 0
        self.noise = Noise()
        self._pace = Pace()
        self._unsolicited = unsolicited
        self._decoder = Decoder()
        self._arrived: deque[Frame] = deque()
        self._flight: deque[Request] = deque()
        self._recent: deque[Request] = deque(maxlen=RECENT)
        self._next_seq = 0
        self._transmissions = 0
        self._progress = 0.0
        self._asked = 0.0
        self._heard = self._echoed = False
        self._overtaken = False

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
        self,
        message: protocol.Message,
        *values: object,
        tail: bytes = b"",
        told: int | None = None,
    ) -> None:
        """Put one request of these field values on the line, behind those that
        are in flight. Its reply has `told` bytes for each item that it names; None:
        it is sent as it is, whatever becomes of it."""
        request = self._made(message, values, tail, told or 0)
        if told is not None:
            request.division = Division.of(message, values, tail, told)
        if not self._flight:
            self._progress = self._asked = time.monotonic()
        self._flight.append(request)
        if not self._waits(request):
            self._transmit(request)

    def _made(
        self,
        message: protocol.Message,
        values: Sequence[object],
        tail: bytes,
        told: int,
    ) -> Request:
        """A request that has not been sent."""
        seq, self._next_seq = self._next_seq, (self._next_seq + 1) & 0xFFFF
        now = time.monotonic()
        return Request.made(message, values, tail, told, seq, self.boot, now)

    def drop(self) -> None:
        """Forget all that is in flight; late replies to it are ignored."""
        self._flight.clear()

    def repeat(self) -> None:
        """Send all that is in flight and unanswered again."""
        self._progress = self._asked = time.monotonic()
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
            self._pump(wait)
            self._sort()
            done = self._take_done()
            now = time.monotonic()
            if done:
                return done
            self._be_patient(now, patience)
            if now >= end:
                return []

    def _pump(self, limit: float) -> bool:
        """Send and receive, for at most `limit` seconds; whether anything came."""
        data = self.channel.pump(limit)
        self._heard |= bool(data)
        self._arrived += self._decoder.feed(data)
        return bool(data)

    def _require_alive(self) -> None:
        """Raise `LineClosed` when nobody is at the other end any more, and nothing is
        left of what was said before."""
        try:
            self.channel.require_alive()
        except LineClosed:
            if not self._pump(0.0):
                raise

    def _round(self, patience: Patience) -> float:
        lossy = self._overtaken or self._decoder.damaged > 0
        return self._pace.wait({r.kind for r in self._flight}, patience, lossy)

    def _be_patient(self, now: float, patience: Patience) -> None:
        if not self._flight:
            return
        if now - self._progress >= patience.limit:
            raise self._no_answer(now - self._progress)
        if now - self._asked >= self._round(patience):
            self._require_alive()
            if not self._heard:  # what comes damaged shows that somebody answers
                self._pace.silent()
            self._heard = False
            self._transmit_all()
            self._asked = now

    def altered(self) -> Alteration | None:
        """What the line does to bytes, as far as can be told, which takes a few
        seconds; None: it leaves them alone, or nobody answers."""
        if self._echoed:
            return transparency.ECHOES
        seen = transparency.recognised(self._decoder)
        with suppress(LinkError):
            if seen is None:
                boot = self.boot if self.noise.carried else None
                noisy = self.noise.rate >= silence.NOISY
                return transparency.Probe(self.channel).result(boot, noisy)
        return seen

    def _no_answer(self, waited: float) -> NoAnswer:
        oldest = self._flight[0].live
        if altered := self.altered():
            return silence.altered(self.channel, oldest, waited, altered)
        return silence.no_answer(self.channel, oldest, waited, self.stray, self.noise)

    def _transmit_all(self) -> None:
        for request in self._flight:
            self._repeat(request)

    def _repeat(self, request: Request, lost: bool = True) -> None:
        """Send a request again, if it is still to be answered and its turn; the oldest
        in shorter parts where it does not get through."""
        if request.reply is not None or self._waits(request):
            return
        if request is self._oldest():
            self._divide(request)
        self._transmit(request.live, lost)

    def _oldest(self) -> Request | None:
        """The first that is not answered."""
        return next((r for r in self._flight if r.reply is None), None)

    def _waits(self, request: Request) -> bool:
        """Whether one before it is divided: the device would refuse it until that is
        done, of which one part at a time is asked for."""
        oldest = self._oldest()
        return oldest is not None and oldest is not request and oldest.part is not None

    def _transmit(self, request: Request, lost: bool = True) -> None:
        if request.sent:
            self.resent += 1
            if lost and request.kind != protocol.HELLO.kind:
                request.losses += 1
                self.noise.lost(request.size)
        request.sent.append(self._transmissions)
        self._transmissions += 1
        self.channel.send(request.frame)

    def _divide(self, request: Request) -> None:
        """Ask for a request that does not get through in parts, or for its part in a
        shorter one. A step's parts are single steps: they are never divided again."""
        division, now = request.division, request.live
        if division is None or request.whole or len(now.sent) < DIVIDED_AFTER:
            return
        if division.ordered and (request.part or self._done_behind(request)):
            return
        there = self._items(request)
        fit = self.noise.items(division.message, division.each, division.count)
        wanted = 1 if division.ordered else fit
        if fit < there:
            request.part = self._part(request, min(wanted, there))

    def _done_behind(self, request: Request) -> bool:
        """Whether a step after it is answered: then it is done itself."""
        return any(r.reply is not None for r in self._flight if r is not request)

    def _items(self, request: Request) -> int:
        """How many items it asks for now."""
        division = request.division
        assert division is not None
        return (request.live.size - division.size(0)) // division.each

    def _part(self, request: Request, count: int) -> Request:
        """Its part of so many items that comes next."""
        division = request.division
        assert division is not None
        values, tail = division.part(request.taken, count)
        told = division.each - len(tail) // count
        return self._made(division.message, values, tail, told)

    def _take_done(self) -> list[Frame]:
        done = []
        while self._flight and self._flight[0].reply is not None:
            request = self._flight.popleft()
            self._recent.append(request)
            done.append(request.reply)
        self.answered += len(done)
        return [frame for frame in done if frame is not None]

    def _sort(self) -> None:
        """Hand out what arrived; after an exception the rest is still there."""
        while self._arrived:
            self._receive(self._arrived.popleft())

    def _receive(self, frame: Frame) -> None:
        if not frame.kind & REPLY:
            if frame.kind in REQUESTS:  # nobody asks the host: its own frame is back
                self._echoed = True
            else:
                self._unsolicited(frame)
            return
        asked = (frame.seq, frame.kind & ~REPLY)
        found = next(self._asked_by(*asked), None)
        if found is None:
            return
        owner, request = found
        in_flight = owner in self._flight
        if frame.status == Status.STALE_BOOT and in_flight:
            raise DeviceReset(
                f"the device on {shown(self.channel.url)!r} was reset in mid-session: "
                "it no longer knows this session",
                "what it had learned since the last checkpoint is lost",
            )
        if frame.boot != self.boot:
            return
        if owner.reply is not None:
            self._note_hasty(request)
        elif frame.status == Status.OUT_OF_STEP:
            self._refused(owner, request, frame)
        else:
            self._answered(owner, request, frame)

    def _asked_by(self, seq: int, kind: int) -> Iterator[tuple[Request, Request]]:
        """Requests of this number and kind, each with the one that it is a part of, or
        twice itself: those in flight first."""
        for owner in chain(self._flight, self._recent):
            for request in (owner, owner.part):
                if request is not None and request.seq == seq and request.kind == kind:
                    yield owner, request

    def _answered(self, owner: Request, request: Request, frame: Frame) -> None:
        now = time.monotonic()
        if owner is self._oldest():
            self._progress = now
        self._asked = now
        if not request.answers:
            self._measure(request, now)
        self.replayed += frame.status == Status.REPLAYED
        answered = self._count_answer(request)
        division = owner.division
        kept = division is not None and division.ordered
        done = (Status.OK, Status.REPLAYED) if kept else (Status.OK,)
        if request is owner or frame.status not in done:
            owner.reply, owner.part = frame, None
        else:
            self._take_part(owner, request, frame)
        self._repeat_overtaken(answered)

    def _measure(self, request: Request, now: float) -> None:
        if request.kind == protocol.HELLO.kind:
            # nobody may have been there at first: only damaged answers were lost
            for _ in range(min(self.damaged, len(request.sent) - 1)):
                self.noise.lost(request.size)
        self.noise.arrived(request.size)
        once = len(request.sent) == 1
        self._pace.answered(request.kind, now - request.posted if once else None)

    def _note_hasty(self, request: Request) -> None:
        """A second answer: so one transmission that was taken for lost was not."""
        if request.losses:
            request.losses -= 1
            self._pace.hasty()
            self.noise.found()

    def _take_part(self, owner: Request, part: Request, frame: Frame) -> None:
        """A part is done: the next one, or the whole is."""
        self.parts += 1
        division, count = owner.division, self._items(owner)
        assert division is not None
        try:
            owner.tails.append(division.told(owner.taken, count, frame.payload))
        except ValueError as error:
            name = division.message.name.upper()
            raise LinkError(
                f"the device on {shown(self.channel.url)!r} sent a reply to {name} that "
                f"is malformed: {error}"
            ) from error
        owner.taken += count
        left = division.count - owner.taken
        if not left:
            owner.reply = frame._replace(payload=division.joined(owner.tails))
            owner.part = None
            return
        fit = self.noise.items(division.message, division.each, left)
        owner.part = self._part(owner, 1 if division.ordered else fit)
        self._transmit(owner.part)

    def _count_answer(self, request: Request) -> int:
        """The number of the transmission that this answer is to, at the earliest."""
        answered = request.sent[min(request.answers, len(request.sent) - 1)]
        request.answers += 1
        return answered

    def _repeat_overtaken(self, answered: int, refused: Request | None = None) -> None:
        """Send again what was lost before an answer to this transmission, in order, and
        with it what the device has refused for want of that."""
        for other in list(self._flight):
            sent = other.live.sent
            if other is refused or not sent or sent[-1] < answered:
                self._overtaken |= bool(sent)
                self._repeat(other, lost=other is not refused)

    def _refused(self, owner: Request, request: Request, frame: Frame) -> None:
        """A step was refused: a step before it was lost, or the refusal comes late and
        the step has been done since. A device that is past the oldest step in flight
        has kept the reply to that step. Only where the oldest is divided may it have
        none to the part that was asked for: then the whole was done after all, and its
        reply is kept."""
        if request is owner and owner.part is not None:
            return  # it is asked for in parts now
        expects = self._expected(frame)
        oldest = owner is self._oldest()
        past = oldest and expects > request.step
        if past and request is not owner and not owner.taken:
            owner.part, owner.whole = None, True
            self._transmit(owner)
            return
        request.refusals += oldest
        if past or request.refusals > REFUSALS:
            raise LinkError(
                f"the device on {shown(self.channel.url)!r} expects step {expects}, but "
                f"step {request.step} is the next in flight",
                silence.FORGOTTEN if expects < request.step else OTHERS,
            )
        self.noise.arrived(len(request.frame))
        self._repeat_overtaken(self._count_answer(request), refused=owner)

    def _expected(self, frame: Frame) -> int:
        """The step of the device, from its refusal."""
        try:
            expects = protocol.OUT_OF_STEP.unpack(frame.payload)[0]["step"]
        except ValueError as error:
            raise LinkError(
                f"the device on {shown(self.channel.url)!r} sent an OUT_OF_STEP reply that is "
                f"malformed: {error}"
            ) from error
        assert isinstance(expects, int)
        return expects
