"""Long requests asked for in shorter ones, when they do not get through.

A request whose items (samples, words) can be told one after another is divided: what
its parts are told, joined, is what it would have been told. Why no step can be learned
twice, or be missed, by that is in docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codegen.protocol import INFER, READ, REHEARSE, STEP, WRITE, Message, StepFlag
from hil.device.link.noise import frame_bytes
from hil.device.replies import Asked, answer

ORDERED = (STEP.kind, REHEARSE.kind)
"""Kinds whose parts follow one another, each done exactly once."""
FIRST = {
    STEP.kind: "step",
    REHEARSE.kind: "step",
    READ.kind: "offset",
    WRITE.kind: "offset",
}
"""The field that says where a request's items begin."""
DIVISIBLE = (*FIRST, INFER.kind)


@dataclass(frozen=True)
class Division:
    """A request of `count` items, as something to be divided. `each` is an item's bytes
    in request and reply together."""

    message: Message
    values: Sequence[object]
    tail: bytes
    count: int
    each: int

    @classmethod
    def of(
        cls, message: Message, values: Sequence[object], tail: bytes, told: int
    ) -> Division | None:
        """Of a request whose reply has `told` bytes an item; None: it is not divided."""
        if message.kind not in DIVISIBLE:
            return None
        fields = _fields(message, values)
        count, flags = fields["count"], fields.get("flags", 0)
        if count < 2 or flags & (StepFlag.KEEP | StepFlag.ALONE):
            return None
        return cls(message, values, tail, count, len(tail) // count + told)

    @property
    def ordered(self) -> bool:
        """Whether its parts are steps."""
        return self.message.kind in ORDERED

    def size(self, count: int) -> int:
        """Bytes on the line of a part of so many items, reply included."""
        return frame_bytes(self.message) + count * self.each

    def part(self, first: int, count: int) -> tuple[tuple[object, ...], bytes]:
        """Field values and tail of the part of items `first` .. `first` + `count` - 1.
        Telemetry tells of the frame before it, so no part asks for any."""
        fields = _fields(self.message, self.values)
        fields["count"] = count
        if self.message.kind in FIRST:
            fields[FIRST[self.message.kind]] += first
        if "flags" in fields:
            fields["flags"] &= ~StepFlag.TELEMETRY
        width = len(self.tail) // self.count
        return tuple(fields.values()), self.tail[
            first * width : (first + count) * width
        ]

    def told(self, first: int, count: int, payload: bytes) -> bytes:
        """What follows the fields in a part's reply. Raises `ValueError` when it is
        the reply to another part."""
        fields = _fields(self.message, self.part(first, count)[0])
        return answer(Asked(self.message, fields), payload)[1]

    def joined(self, tails: Sequence[bytes]) -> bytes:
        """The payload that the whole would have been answered with."""
        assert self.message.reply is not None
        fields = _fields(self.message, self.values)
        names = [field.name for field in self.message.reply.fields]
        return self.message.reply.pack(
            *(fields.get(name, 0) for name in names), tail=b"".join(tails)
        )


def _fields(message: Message, values: Sequence[object]) -> dict[str, Any]:
    assert message.request is not None
    return dict(zip((f.name for f in message.request.fields), values, strict=True))
