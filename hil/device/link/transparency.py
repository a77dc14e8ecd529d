"""What a line does to bytes that it should leave alone.

A terminal in its line mode, a telnet server, software flow control and seven data bits
pass text and alter frames. Then no request is ever answered, and sending it again does
not help. What such a line does can be told in two ways: from damaged frames, of which
one that is undone by the right guess has a correct CRC; and by an ECHO of each byte
value.
"""

from __future__ import annotations

import random
import re
import struct
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from codegen.protocol import CRC_BYTES, ECHO, HEADER, HELLO, REPLY, VERSION
from emulation.faults import Line
from hil.device.link.frame import Decoder, Frame, encode, parse

CR, LF, XON, XOFF, IAC = 0x0D, 0x0A, 0x11, 0x13, 0xFF
GUESSED = 512
"""Bytes of a damaged frame that is looked at, at most."""
GUESSES = 1 << 10
"""Ways to put bytes back that are tried, at most."""
ENOUGH = 64
"""Bytes from which on it means something that none of them has its highest bit set."""
ATTEMPTS = 12
"""ECHOs of one byte value, of which one must come back: on a line that loses a quarter of
them, one of 256 values is blamed falsely once in sixty thousand searches."""
HELLOS = 2
AT_ONCE = 4
"""ECHOs in flight: fewer bytes than the smallest device's receive ring."""
ANSWER = 0.3
"""Seconds that an answer is waited for at first."""
QUICK = 0.05
"""The same once answers have come, at the least: four times as long as they took."""
MANY = 64
"""Byte values of which a second attempt is enough: noise does not take so many."""
PROBE = 8.0
"""Seconds that the whole search may take."""
PLAIN = frozenset(range(0x20, 0x7F))
"""Bytes that any line carries, but for zero and the smallest ones, which every frame
has."""
PLAIN_SEQ = ord("A")
DELICATE = frozenset({CR, LF, XON, XOFF, IAC})


@dataclass(frozen=True)
class Alteration:
    """`what` the line does, as the end of a sentence, and the cure."""

    what: str
    cure: str


_RAW = "`stty raw -echo` at the other end makes a terminal leave bytes alone"
ECHOES = Alteration(
    "gives back what is sent (local echo)",
    f"{_RAW}; a wire between TX and RX, or an adapter without a board, does the same",
)
TERMINAL = Alteration("is a terminal that echoes, control characters as text", _RAW)
ADDS_CR = Alteration("puts a CR (0x0d) before each LF (0x0a), as for text", _RAW)
CR_TO_LF = Alteration("turns CR (0x0d) into LF (0x0a), as for text", _RAW)
LF_TO_CR = Alteration("turns LF (0x0a) into CR (0x0d), as for text", _RAW)
DROPS_CR = Alteration("drops CR (0x0d), as for text", _RAW)
NO_CR = Alteration("alters or drops CR (0x0d), as for text", _RAW)
NO_LF = Alteration("alters or drops LF (0x0a), as for text", _RAW)
TEXT = Alteration("alters CR (0x0d) and LF (0x0a), as for text", _RAW)
FLOW = Alteration(
    "keeps XON and XOFF (0x11, 0x13) for itself: software flow control",
    "switch it off: `stty -ixon -ixoff`, or XONXOFF in the settings of ser2net",
)
SEVEN_BITS = Alteration(
    "carries seven bits of a byte",
    "eight data bits and no parity are needed: `stty cs8 -parenb -istrip`",
)
TELNET = Alteration(
    "speaks telnet, in which 0xff begins a command",
    "a server's raw mode with socket://, or rfc2217:// where it offers that",
)


def undone(pieces: Iterable[bytes]) -> Alteration | None:
    """What was done to one of these damaged frames; None where no guess fits."""
    for piece in pieces:
        for alteration, guesses in _GUESSES:
            if len(piece) <= GUESSED and any(parse(g) for g in guesses(piece)):
                return alteration
    return None


def _replaced(piece: bytes, there: int, was: int) -> Iterator[bytes]:
    """Each way in which some of its `there` were `was`."""
    places = [i for i, byte in enumerate(piece) if byte == there]
    if 0 < len(places) <= GUESSES.bit_length() - 1:
        for chosen in product((False, True), repeat=len(places)):
            made = bytearray(piece)
            for place, other in zip(places, chosen, strict=True):
                made[place] = was if other else there
            yield bytes(made)


def _put_back(piece: bytes, lost: Collection[int]) -> Iterator[bytes]:
    """Each way in which one or two of these bytes were dropped from it."""
    for place in range(len(piece) + 1):
        for byte in lost:
            yield piece[:place] + bytes([byte]) + piece[place:]
    if len(piece) ** 2 * len(lost) ** 2 <= GUESSES * 64:
        for one, two in combinations(range(len(piece) + 1), 2):
            for first, second in product(lost, repeat=2):
                yield (
                    piece[:one] + bytes([first]) + piece[one:two]
                    + bytes([second]) + piece[two:]
                )  # fmt: skip


_GUESSES: tuple[tuple[Alteration, Callable[[bytes], Iterable[bytes]]], ...] = (
    (ADDS_CR, lambda p: [p.replace(b"\r\n", b"\n")] if b"\r\n" in p else []),
    (TELNET, lambda p: [p.replace(b"\xff\xff", b"\xff")] if b"\xff\xff" in p else []),
    (CR_TO_LF, lambda p: _replaced(p, LF, CR)),
    (LF_TO_CR, lambda p: _replaced(p, CR, LF)),
    (FLOW, lambda p: _put_back(p, (XON, XOFF))),
    (DROPS_CR, lambda p: _put_back(p, (CR,))),
)


def recognised(decoder: Decoder) -> Alteration | None:
    """What was done to what a line has brought, as far as that tells."""
    return undone(decoder.pieces) or looks_like(decoder.stray)


def looks_like(came: bytes) -> Alteration | None:
    """What bytes of which none formed a frame look like; None: like nothing known."""
    if re.search(rb"\xff[\xfb-\xfe][\x00-\x2c]", came):
        return TELNET
    if len(re.findall(rb"\^[@-_]", came)) >= 4:
        return TERMINAL
    binary = any(byte < 0x20 and byte not in b"\t\r\n" for byte in came)
    if len(came) >= ENOUGH and max(came) < 0x80 and binary:
        return SEVEN_BITS
    return None


def of_values(missing: Collection[int], noisy: bool) -> Alteration | None:
    """What a line does through which these byte values do not come; None where it
    carries all, and on a `noisy` line where nothing known does that."""
    lost = set(missing)
    known = {
        frozenset({CR}): NO_CR, frozenset({LF}): NO_LF, frozenset({CR, LF}): TEXT,
        frozenset({XON}): FLOW, frozenset({XOFF}): FLOW, frozenset({XON, XOFF}): FLOW,
        frozenset({IAC}): TELNET, frozenset(range(0x80, 0x100)): SEVEN_BITS,
    }  # fmt: skip
    if not lost or (noisy and frozenset(lost) not in known):
        return None
    shown = ", ".join(f"{value:#04x}" for value in sorted(lost)[:8])
    more = f" and {len(lost) - 8} other byte values" if len(lost) > 8 else ""
    return known.get(frozenset(lost)) or Alteration(
        f"does not carry {shown}{more}", "it must leave every byte as it is"
    )


def _crc(kind: int, seq: int, boot: int, payload: bytes) -> bytes:
    return zlib.crc32(HEADER.pack(kind, 0, seq, boot) + payload).to_bytes(
        CRC_BYTES, "little"
    )


def _word(dice: random.Random) -> bytes:
    return bytes(dice.choices(sorted(PLAIN), k=4))


def plain_hello(dice: random.Random) -> tuple[int, bytes]:
    """A nonce and a HELLO with it, of bytes that any line carries."""
    assert HELLO.request is not None
    payload = HELLO.request.pack(VERSION, VERSION)
    while True:
        (boot,) = struct.unpack("<I", _word(dice))
        if set(_crc(HELLO.kind, PLAIN_SEQ, boot, payload)) <= PLAIN:
            return boot, encode(HELLO.kind, 0, PLAIN_SEQ, boot, payload)


def _echo(dice: random.Random, boot: int, seq: int, value: int) -> bytes:
    """The payload of an ECHO with this byte in it, and nothing else on its way that a
    line may alter but what every answer has."""
    while True:
        payload = bytes([value] * 3) + _word(dice)
        answer = _crc(ECHO.kind | REPLY, seq, boot, payload)
        if set(_crc(ECHO.kind, seq, boot, payload)) <= PLAIN and not (
            DELICATE & set(answer)
        ):
            return payload


class Probe:
    """Asks whoever is on a line, frame by frame, without ever asking the same frame
    again; gives up after `PROBE` seconds."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._decoder = Decoder()
        self._dice = random.Random(1)
        self._end = time.monotonic() + PROBE
        self._wait = ANSWER

    def result(self, boot: int | None, noisy: bool) -> Alteration | None:
        """What the line does to bytes; `boot` is the session's nonce, None where no
        HELLO was answered yet. Raises every `LinkError` of the line."""
        self._line.send(bytes([0, XON, 0]))  # an XOFF may have stopped it
        boot = self._greeted() if boot is None else boot
        lost = [] if boot is None else self._missing(boot)
        return recognised(self._decoder) or of_values(lost, noisy)

    def _greeted(self) -> int | None:
        """The nonce of a session that a plain HELLO has opened, None: nobody answers
        even that."""
        for _ in range(HELLOS):
            boot, frame = plain_hello(self._dice)
            self._line.send(frame)
            if any(told.boot == boot for told in self._answers(1)):
                return boot
        return None

    def _missing(self, boot: int) -> list[int]:
        """The byte values that do not come back from ECHO in this session; none where
        nothing at all does, or the time did not do."""
        # XOFF comes last: it stops what is still to be answered
        lost = [*(value for value in range(256) if value != XOFF), XOFF]
        for attempt in range(ATTEMPTS):
            back: set[int] = set()
            for first in range(0, len(lost), AT_ONCE):
                back |= self._echoed(boot, lost[first : first + AT_ONCE])
                if time.monotonic() > self._end:
                    return lost if attempt else []
                if not attempt and first >= MANY and not back:
                    return []
            lost = [value for value in lost if value not in back]
            if not lost or (attempt and len(lost) > MANY):
                break
        return lost

    def _echoed(self, boot: int, values: Sequence[int]) -> set[int]:
        """Those of these values that come back."""
        asked = {}
        for place, value in enumerate(values):
            seq = PLAIN_SEQ + place
            asked[seq] = _echo(self._dice, boot, seq, value)
            self._line.send(encode(ECHO.kind, 0, seq, boot, asked[seq]))
        told = self._answers(len(values))
        return {t.payload[0] for t in told if asked.get(t.seq) == t.payload}

    def _answers(self, count: int) -> list[Frame]:
        """Replies, until there are so many or none has come for `ANSWER` seconds."""
        found: list[Frame] = []
        began = time.monotonic()
        end = began + self._wait
        while len(found) < count and (now := time.monotonic()) < min(end, self._end):
            came = self._decoder.feed(self._line.pump(end - now))
            replies = [frame for frame in came if frame.kind & REPLY]
            found += replies
            if replies:
                end = time.monotonic() + self._wait
        if len(found) == count:
            took = time.monotonic() - began
            self._wait = min(ANSWER, max(QUICK, 4 * took))
        return found
