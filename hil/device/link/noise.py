"""How much of what is sent arrives, and so how long a frame may be.

A damaged byte costs its whole frame. A long frame loses more often, a short one
spends more of its bytes on header and checksum. With a rate `p` of damaged bytes and
`h` bytes that every exchange has whatever it carries, the most gets through at about
`h/2 + sqrt(h*h/4 + h/p)` bytes an exchange (the maximum of `(n - h)/n * exp(-p*n)`).
An exchange is a request and its reply: one is worth nothing without the other. A line
that is new is trusted with an exchange as long as all that it has carried: for a long
frame that was done, and whose reply was lost, nothing shorter can be sent.
"""

from __future__ import annotations

import math

from codegen.protocol import CRC_BYTES, HEADER, Message

FRAMING = HEADER.size + CRC_BYTES + 3
"""Bytes of a frame besides its payload: COBS adds one (of 254), delimiters are two."""
TRUSTED = 2048
"""Bytes that every line is taken to have carried unharmed before its first."""
REMEMBERED = 1 << 15
"""Bytes after which what was seen of the line counts half: a line that is clean again
has long frames again after some times as much."""


class Noise:
    """What a line does to bytes, as far as lost and answered requests tell.

    A frame that was lost counts as the damaged bytes to be expected in a lost frame of
    its length (the maximum likelihood, by expectation and maximisation). `carried` are
    the bytes of all that was answered. A frame that
    is lost as a whole looks the same, so its line gets shorter frames too; they cost
    little there.
    """

    def __init__(self) -> None:
        self.carried = 0
        self._damage = 0.0
        self._bytes = float(TRUSTED)

    @property
    def rate(self) -> float:
        """Damaged bytes, of all bytes."""
        return self._damage / self._bytes

    def lost(self, size: int) -> None:
        """A request was sent and had no answer; `size` bytes, its reply's included."""
        expected = self.rate * size
        self._damage += expected / -math.expm1(-expected) if expected else 1.0
        self._passed(size)

    def arrived(self, size: int) -> None:
        """One was answered."""
        self.carried += size
        self._passed(size)

    def found(self) -> None:
        """An answer came after all to one that was taken for lost."""
        self._damage = max(0.0, self._damage - 1.0)

    def _passed(self, size: int) -> None:
        self._bytes += size
        if self._bytes > TRUSTED + REMEMBERED:
            self._bytes /= 2
            self._damage /= 2

    def chance(self, size: int) -> float:
        """Of an exchange of so many bytes, to come through whole."""
        return math.exp(-self.rate * size)

    def items(self, message: Message, each: int, most: int) -> int:
        """How many items, at most `most` and at least one, a request of this kind
        should have now; `each` is an item's bytes in request and reply together."""
        fixed, best = frame_bytes(message), float(self.carried)
        if self._damage:
            fitting = fixed / 2 + math.sqrt(fixed * fixed / 4 + fixed / self.rate)
            best = min(best, fitting)
        return max(1, min(most, int((best - fixed) / each)))


def frame_bytes(message: Message) -> int:
    """Bytes of request and reply on the line, without what follows their fields."""
    assert message.request is not None and message.reply is not None
    return 2 * FRAMING + message.request.size + message.reply.size
