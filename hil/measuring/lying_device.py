"""A device that lies: well-formed frames with right CRCs, whose words are not so.

`LyingLine` stands between the host and a real device and changes what the device
says. Where a word may be changed, the declaration of the messages tells
(`codegen.protocol`), so that a new message is lied about without a new word here.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codegen import protocol
from codegen.protocol import HEADER, REPLY, Cause, Message, Status
from emulation.faults import Line, PassThrough
from hil.device.link.frame import Decoder, Frame, encode

WORD = 4
HEADER_SIZES = {"kind": 1, "status": 1, "seq": 2, "boot": 4}
"""Bytes of the header's fields."""
assert sum(HEADER_SIZES.values()) == HEADER.size
TAIL = {"tail[0]": 0, "tail[1]": 1, "tail[2]": 2, "tail[-1]": -1}
"""Words of a tail that are changed: of a step these are its loss, its digest, an
output, and the last output."""
VALUES = ("zero", "max", "plus 1", "a bit")
"""What becomes of a number; "a bit" is any one of it."""
BITS = ("bit 0", "bit 1", "bit 2", "bit 3")
"""Flags are set and cleared: what becomes of a number of one byte, besides."""
PAYLOADS = ("empty", "a word less", "a word more")
FRAMES = ("dropped", "twice", "as before", "ahead", "flood", "drowned")
"""What becomes of a frame: "as before" it says what the one of its kind before it has
said, "ahead" it answers the next request too, "flood" comes with copies, "drowned" is
followed by nothing but copies."""
FLOOD = 3000
"""Copies of a frame that come at a time."""


@dataclass(frozen=True)
class Lie:
    """A lie: this `change` in this `place` of the `message`. With `which` None every
    such frame lies. Else one frame does: the first that tells of item number `which`,
    from 0. Items are the steps, samples or words that such messages tell of; a message
    that tells of none is an item itself. So neither the length of frames nor resending
    moves a lie."""

    message: str
    place: str
    change: str
    which: int | None = None

    def __str__(self) -> str:
        often = "every" if self.which is None else f"number {self.which + 1}"
        return f"{self.message}.{self.place} {self.change} ({often})"


def said_alone(message: Message) -> bool:
    """Whether a device says it of its own accord, and in no run that passes: then it is
    said only as a lie."""
    return message is protocol.FAULT


def places(message: Message) -> Iterator[tuple[str, Sequence[str]]]:
    """Everything in what a device says in a message that may be changed, and how."""
    assert message.reply is not None
    sizes = HEADER_SIZES | {field.name: field.size for field in message.reply.fields}
    for name, size in sizes.items():
        yield name, VALUES + BITS if size == 1 else VALUES
    if message.reply.tail:
        for name in TAIL:
            yield name, VALUES
    yield "payload", PAYLOADS
    yield "frame", ("flood",) if said_alone(message) else FRAMES


def _changed(value: int, size: int, change: str, dice: random.Random) -> int:
    """A number of `size` bytes after a change."""
    top = 256**size - 1
    if change == "zero":
        return 0
    if change == "max":
        return top
    if change == "plus 1":
        return value + 1 & top
    bit = dice.randrange(8 * size) if change == "a bit" else int(change.split()[1])
    return value ^ 1 << bit


def _put(payload: bytes, at: int, size: int, change: str, dice: random.Random) -> bytes:
    """A payload with another number in this place, if it reaches so far."""
    if at < 0 or at + size > len(payload):
        return payload
    value = int.from_bytes(payload[at : at + size], "little")
    number = _changed(value, size, change, dice).to_bytes(size, "little")
    return payload[:at] + number + payload[at + size :]


def forged(frame: Frame, message: Message, lie: Lie, dice: random.Random) -> Frame:
    """A frame with one place of its header or payload changed."""
    assert message.reply is not None
    if lie.place in HEADER_SIZES:
        value, size = getattr(frame, lie.place), HEADER_SIZES[lie.place]
        fields = frame._asdict() | {lie.place: _changed(value, size, lie.change, dice)}
        return Frame(**fields)
    payload, head = frame.payload, message.reply.size
    if lie.place == "payload":
        cut = {"empty": b"", "a word less": payload[:-WORD]}
        return frame._replace(payload=cut.get(lie.change, payload + bytes(WORD)))
    if lie.place in TAIL:
        number = TAIL[lie.place]
        at = head + WORD * number if number >= 0 else len(payload) + WORD * number
        at = at if at >= head else -1
        return frame._replace(payload=_put(payload, at, WORD, lie.change, dice))
    at = 0
    for field in message.reply.fields:
        if field.name == lie.place:
            break
        at += field.size
    return frame._replace(payload=_put(payload, at, field.size, lie.change, dice))


def _done(frame: Frame) -> bool:
    """Whether it says that something was done; a refusal has a payload of its own."""
    return frame.status in (Status.OK, Status.REPLAYED)


class LyingLine(PassThrough):
    """A line whose device tells these `lies`. The same seed makes the same choices.

    `told` counts the frames that said something else than the device's own, `heard` has
    for each message the number of what each of its frames first tells of.
    """

    def __init__(self, inner: Line, lies: Sequence[Lie], seed: int = 1) -> None:
        super().__init__(inner)
        self.told = 0
        self.heard: dict[str, list[int]] = defaultdict(list)
        self._ends: dict[str, int] = defaultdict(int)
        self._answered: set[tuple[int, int]] = set()
        self._lies = lies
        self._dice = random.Random(seed)
        self._decoder = Decoder()
        self._before: dict[str, deque[Frame]] = defaultdict(lambda: deque(maxlen=2))
        self._asked = Decoder()
        self._step = 0
        self._drowned: Frame | None = None

    def reopen(self, url: str) -> None:
        """Open the line again."""
        super().reopen(url)
        self._decoder = Decoder()

    def send(self, data: bytes) -> None:
        """Queue what the host says, which nobody changes."""
        for asked in self._asked.feed(data):
            if asked.kind == protocol.STEP.kind:
                self._step = int.from_bytes(asked.payload[:WORD], "little")
        self._inner.send(data)

    def pump(self, limit: float) -> bytes:
        """Send and receive, for at most `limit` seconds."""
        data = self._inner.pump(0.0 if self._drowned else limit)
        if self._drowned is not None:
            return encode(*self._drowned) * FLOOD
        said = (out for f in self._decoder.feed(data) for out in self._said(f))
        return b"".join(encode(*frame) for frame in said)

    def _said(self, frame: Frame) -> list[Frame]:
        """What comes in place of a frame."""
        by_kind = {m.kind: m for m in protocol.MESSAGES}
        message = by_kind.get(frame.kind & ~REPLY)
        if message is None:
            return [frame]
        out, news = [frame], self._news(frame, message)
        for lie in self._lies:
            if lie.which is not None and lie.which not in news:
                continue
            if lie.message == protocol.FAULT.name and message is protocol.STEP:
                out += self._fault(frame.boot, lie)
            elif lie.message == message.name:
                out = [said for one in out for said in self._lied(one, message, lie)]
        self._before[message.name].append(frame)
        self.told += out != [frame]
        return out

    def _news(self, frame: Frame, message: Message) -> range:
        """Numbers of what a frame tells of for the first time: none for a refusal, and
        for a reply to a request that was answered before."""
        if not _done(frame):
            return range(0)
        if frame.kind & REPLY:
            if (frame.boot, frame.seq) in self._answered:
                return range(0)
            self._answered.add((frame.boot, frame.seq))
        assert message.reply is not None
        count = message.reply.unpack(frame.payload)[0].get("count", 1)
        assert isinstance(count, int)
        first = self._ends[message.name]
        self.heard[message.name].append(first)
        self._ends[message.name] += count
        return range(first, first + count)

    def _lied(self, frame: Frame, message: Message, lie: Lie) -> list[Frame]:
        if lie.place != "frame":
            if not _done(frame):
                return [frame]
            return [forged(frame, message, lie, self._dice)]
        if lie.change == "dropped":
            return []
        if lie.change == "as before":
            before = self._before[message.name]
            said = before[-1].payload if before else frame.payload
            return [frame._replace(payload=said)]
        if lie.change == "ahead":
            return [frame, frame._replace(seq=frame.seq + 1 & 0xFFFF)]
        if lie.change == "drowned":
            self._drowned = frame
        return [frame] * (2 if lie.change == "twice" else FLOOD)

    def _fault(self, boot: int, lie: Lie) -> list[Frame]:
        """A FAULT frame that nobody has sent: of the step asked last, but for the lie."""
        assert protocol.FAULT.reply is not None
        payload = protocol.FAULT.reply.pack(Cause.NON_FINITE, self._step, 0, 0)
        frame = Frame(protocol.FAULT.kind, Status.FAULTED, 0, boot, payload)
        if lie.place == "frame":
            return [frame] * FLOOD
        return [forged(frame, protocol.FAULT, lie, self._dice)]
