"""A unit's power, where the user has a switch for it."""

from __future__ import annotations

import shlex

from hil.device.units import Unit
from hil.errors import FlashError, LineClosed, LinkError, UsageError


def cycle(unit: Unit) -> None:
    """Off, and on again. Raises `LinkError` when the switch fails."""
    for state in ("off", "on"):
        _switch(unit, state)


class Supply:
    """The power of a unit that somebody holds, and who gives it back."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self._off = False

    def cut(self) -> None:
        """Take it away. Raises `LineClosed`: an adapter that has power of its own
        would only be silent, and silence is waited for."""
        self._off = True
        _switch(self.unit, "off")
        raise LineClosed(f"unit {self.unit.name!r} has lost its power (--faults)")

    def restore(self) -> bool:
        """Give it back, where it is away (true then)."""
        if not self._off:
            return False
        _switch(self.unit, "on")
        self._off = False
        return True


def _switch(unit: Unit, state: str) -> None:
    from hil.desk.loaders.base import run_tool

    command = (unit.power or "").replace("{state}", state)
    try:
        run_tool(shlex.split(command), "power switch")
    except ValueError as error:
        raise UsageError(
            f"power of unit {unit.name!r} is {command!r}: {error}"
        ) from None
    except FlashError as error:
        raise LinkError(f"unit {unit.name!r}: {error}", *error.hints) from error
