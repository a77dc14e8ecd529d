"""Frames on the line: `0x00 COBS(header payload crc32) 0x00`.

DESIGN section 7; docs/protocol.md has the bytes. COBS comes from the `cobs`
package and CRC-32 from zlib. Decoding never raises: a line may carry anything,
and the good frame behind a damaged one must still be seen.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from typing import NamedTuple

from cobs import cobs

from codegen.protocol import CRC_BYTES, HEADER

DELIMITER = b"\0"
SHORTEST = HEADER.size + CRC_BYTES
LONGEST = 1 << 17
"""Bytes without a delimiter after which they can be no frame any more (a frame
of the longest payload, 65535 bytes, is about half of it)."""
PIECES = 8
"""Damaged frames are kept, each by itself, up to so many, the latest."""
KEPT = 4096
"""Bytes that form no frame are kept up to this many, the latest."""

TEXT = frozenset(b"\t\r\n" + bytes(range(0x20, 0x7F)))
"""Bytes of plain text."""

_CRC = struct.Struct("<I")


class Frame(NamedTuple):
    """A frame taken apart; `status` means something in replies only."""

    kind: int
    status: int
    seq: int
    boot: int
    payload: bytes


def encode(kind: int, status: int, seq: int, boot: int, payload: bytes) -> bytes:
    """The bytes of one frame, delimiters included."""
    body = HEADER.pack(kind, status, seq, boot) + payload
    return DELIMITER + cobs.encode(body + _CRC.pack(zlib.crc32(body))) + DELIMITER


def parse(coded: bytes) -> Frame | None:
    """The frame between two delimiters, or None when it is damaged."""
    try:
        body = cobs.decode(coded)
    except cobs.DecodeError:
        return None
    if len(body) < SHORTEST:
        return None
    checked, crc = body[:-CRC_BYTES], body[-CRC_BYTES:]
    if _CRC.pack(zlib.crc32(checked)) != crc:
        return None
    kind, status, seq, boot = HEADER.unpack_from(checked)
    return Frame(kind, status, seq, boot, checked[HEADER.size :])


class Decoder:
    """Takes bytes as they come, gives the frames among them.

    What lies before the first delimiter is stray (text of a boot loader, the
    tail of an older session); what lies between delimiters and is no frame is
    stray too and counts as damaged.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._stray = bytearray()
        self._loose = bytearray()
        self._told = 0
        self._tail = bytearray()
        self._overlong = False
        self._synchronised = False
        self.pieces: deque[bytes] = deque(maxlen=PIECES)

    @property
    def stray(self) -> bytes:
        """The latest bytes that form no frame, an unfinished one included."""
        return bytes(self._stray + self._tail)[-KEPT:]

    def loose(self) -> bytes:
        """The bytes that form no frame since this was asked last. Lines of text are
        among them before anything ends them: no frame begins as text does, for the
        second byte of one is its kind."""
        line_end = self._tail.rfind(b"\n") + 1
        if line_end > self._told and set(self._tail[:line_end]) <= TEXT:
            self._loose += self._tail[self._told : line_end]
            self._told = line_end
        found = bytes(self._loose)
        self._loose.clear()
        return found

    def feed(self, data: bytes) -> list[Frame]:
        """Frames that `data` completes, in order. Never raises."""
        *complete, rest = data.split(DELIMITER)
        frames = []
        for part in complete:
            self._take(part)
            frame = self._close()
            if frame is not None:
                frames.append(frame)
        self._take(rest)
        return frames

    def _take(self, part: bytes) -> None:
        """Bytes that are no delimiter. What is too long to be a frame is none to
        its end, wherever the line was cut."""
        self._tail += part
        if self._overlong or len(self._tail) > LONGEST:
            self._keep(self._tail)
            self._tail.clear()
            self._overlong = True

    def _close(self) -> Frame | None:
        """What the delimiter just met ends: a frame, damage, or nothing."""
        opened, self._synchronised = self._synchronised, True
        if self._overlong:
            self._overlong = False
            self.damaged += opened
            return None
        if not self._tail:
            return None
        coded = bytes(self._tail)
        self._tail.clear()
        frame = parse(coded)
        if frame is None:
            self._keep(coded)
            self.pieces.append(coded)
            self.damaged += opened
        self._told = 0
        return frame

    def _keep(self, data: bytes | bytearray) -> None:
        self._stray += data
        del self._stray[:-KEPT]
        self._loose += data[self._told :]
        del self._loose[:-KEPT]
        self._told = 0
