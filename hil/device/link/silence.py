"""What is said of a request that was not answered."""

from __future__ import annotations

from collections.abc import Iterator

from emulation.faults import Line
from hil.device.link.noise import Noise
from hil.device.link.request import Request
from hil.device.link.transparency import Alteration
from hil.device.ssh import shown
from hil.errors import NoAnswer

NOISY = 1e-5
"""Share of damaged bytes from which on a failure tells of them."""
MANY = 10
"""More refusals than this, on a line that is not noisy, are not late ones: the device
has forgotten the session."""
FORGOTTEN = (
    "it has answered every step before that one, and says now that it has not learned "
    "them: its answers were those of an earlier session"
)
SHOWN = 160
"""Bytes that form no frame are shown in a failure up to this many."""


def hexdump(data: bytes, most: int = SHOWN) -> str:
    """`data` (its latest `most` bytes) as hex and as text, for a hint."""
    part = data[-most:]
    text = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
    cut = f" (the latest {most} of {len(data)})" if len(data) > most else ""
    return f"{part.hex(' ')}  |{text}|{cut}"


def _unanswered(line: Line, request: Request, waited: float) -> str:
    name = request.message.name.upper()
    return f"no answer to {name} on {shown(line.url)!r} within {waited:.1f} s"


def altered(line: Line, request: Request, waited: float, how: Alteration) -> NoAnswer:
    """The error for a request that was not answered on a line with this alteration."""
    return NoAnswer(
        f"{_unanswered(line, request, waited)}: the line {how.what}", how.cure
    )


def no_answer(
    line: Line, request: Request, waited: float, stray: bytes, noise: Noise
) -> NoAnswer:
    """The error for a request that was not answered on a line that does nothing to
    bytes, as far as is known, but for this `noise`. `stray` are the latest bytes that
    formed no frame."""
    hints = [
        f"{line.received} bytes came in all; "
        + (f"no frame: {hexdump(stray)}" if stray else "all were frames")
    ]
    if not line.received:
        hints = ["not one byte came: is it powered, flashed, and on this port?"]
        if line.url.startswith("socket://"):
            hints.append("another session may have it: it answers one at a time")
    elif noise.carried and noise.rate >= NOISY:
        hints = [*_noisy(request, noise), *hints]
    elif request.refusals > MANY:
        hints = [FORGOTTEN, *hints]
    return NoAnswer(
        f"{_unanswered(line, request, waited)} (sent {len(request.sent)} times)",
        *hints,
        "`hil doctor` boots a probe that needs neither compiler nor this protocol",
    )


def _noisy(request: Request, noise: Noise) -> Iterator[str]:
    """What is known of a line on which something arrived."""
    yield (
        f"the line damages about one byte in {1 / noise.rate:,.0f}: of the {request.size} "
        f"bytes of this request and its answer {noise.chance(request.size):.2%} get "
        "through whole"
    )
    yield (
        "a lower baud rate, a shorter cable or a common ground make a line quieter; "
        "`--resident` leaves the samples out of the frames"
    )
