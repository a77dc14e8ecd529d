"""One request on its way, with all that was sent and heard of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from codegen.protocol import Message
from hil.device.link.division import Division
from hil.device.link.frame import Frame, encode
from hil.device.link.noise import FRAMING


@dataclass(eq=False)
class Request:
    """`size`: its bytes on the line, with its reply's. While it is divided, `part` is
    what is asked for in its place: its items from `taken` on, what those before were
    told being in `tails`. Whoever is known to be done as a `whole` is divided no more.

    `sent` has the number of each of its transmissions, among all; `losses` of them had
    no answer as far as is known.
    """

    message: Message
    seq: int
    step: int
    frame: bytes
    posted: float
    size: int
    division: Division | None = None
    sent: list[int] = field(default_factory=list)
    answers: int = 0
    refusals: int = 0
    losses: int = 0
    reply: Frame | None = None
    whole: bool = False
    taken: int = 0
    tails: list[bytes] = field(default_factory=list)
    part: Request | None = None

    @classmethod
    def made(
        cls,
        message: Message,
        values: Sequence[object],
        tail: bytes,
        told: int,
        seq: int,
        boot: int,
        posted: float,
    ) -> Request:
        """Of these field values, not sent yet. Its reply has `told` bytes for each item
        that it names."""
        assert message.request is not None and message.reply is not None
        frame = encode(
            message.kind, 0, seq, boot, message.request.pack(*values, tail=tail)
        )
        fields = dict(
            zip((f.name for f in message.request.fields), values, strict=True)
        )
        count, step = fields.get("count", 1), fields.get("step", 0)
        assert isinstance(count, int) and isinstance(step, int)
        size = len(frame) + FRAMING + message.reply.size + count * told
        return cls(message, seq, step, frame, posted, size)

    @property
    def kind(self) -> int:
        """What its frame is."""
        return self.message.kind

    @property
    def live(self) -> Request:
        """What is asked for now."""
        return self.part or self
