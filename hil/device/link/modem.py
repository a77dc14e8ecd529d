"""The two modem lines that a computer sets on a serial port."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Levels:
    """Whether RTS and DTR are asserted while the port is open. Systems and pyserial
    assert both, and boards on USB may wait for DTR before they speak; on other boards
    one of them is wired to reset."""

    rts: bool = True
    dtr: bool = True


ASSERTED = Levels()
RELEASED = Levels(rts=False, dtr=False)
