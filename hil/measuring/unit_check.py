"""`hil doctor --unit`: whether a board answers, and whether its line leaves bytes
alone. The board may run any image of ours; nothing is put onto it."""

from __future__ import annotations

from collections.abc import Iterator

import targets
from codegen import protocol
from hil.desk import locks
from hil.device.exchange import GREETING_AGAIN, say_hello
from hil.device.greeting import Greeting
from hil.device.link.channel import Channel
from hil.device.link.frame import Frame
from hil.device.link.pace import Patience
from hil.device.link.window import Window
from hil.device.units import Unit
from hil.errors import FirmwareMismatch, HilError, LinkError
from hil.measuring.doctor import FAILURE, OK, Finding, failure
from hil.measuring.echo import EVERY_BYTE

LIMIT = 20.0
"""Host seconds that a unit has for an answer when its target is not known."""


def findings(unit: Unit) -> Iterator[Finding]:
    """What there is to find about a unit; nobody else uses it meanwhile."""
    name, line = f"unit {unit.name}", f"line of {unit.name}"
    try:
        limits = targets.load(unit.target).limits if unit.target else None
        with locks.held(unit), Channel(unit.url, levels=unit.levels) as channel:
            window = Window(channel, lambda _: None)
            greeting = say_hello(window, limits.hello if limits else LIMIT)
            yield _who(name, unit, greeting)
            _require_every_byte(window, limits.reply if limits else LIMIT)
            yield Finding(line, OK, "each of the 256 byte values came back by ECHO")
    except HilError as error:
        yield failure(line, error)


def _who(name: str, unit: Unit, greeting: Frame) -> Finding:
    """Who has answered HELLO."""
    try:
        told = Greeting.of(greeting.payload)
    except ValueError:
        text = "it answers HELLO in a way that this version of hil does not know"
        advice = ("`hil flash --blank` puts an image of this version onto it",)
        return Finding(name, FAILURE, text, advice, FirmwareMismatch.exit_code)
    text = f"{told.target} answers, with build {told.digest[:8]}"
    if unit.target and told.target != unit.target:
        advice = (f"the bench says that it is of target {unit.target}",)
        return Finding(name, FAILURE, text, advice, FirmwareMismatch.exit_code)
    return Finding(name, OK, text)


def _require_every_byte(window: Window, limit: float) -> None:
    """Raise `LinkError` unless an ECHO of every byte value comes back."""
    window.post(protocol.ECHO, tail=EVERY_BYTE)
    frames: list[Frame] = []
    while not frames:
        frames = window.poll(limit, Patience(GREETING_AGAIN, limit))
    if frames[0].payload != EVERY_BYTE:
        raise LinkError("ECHO gave other bytes back than it got")
