"""A unit's power, where the user has a switch for it."""

from __future__ import annotations

import shlex

from hil.errors import FlashError, LinkError, UsageError
from hil.loaders.base import run_tool
from hil.units import Unit


def cycle(unit: Unit) -> None:
    """Off, and on again. Raises `LinkError` when the switch fails."""
    for state in ("off", "on"):
        _switch(unit, state)


def _switch(unit: Unit, state: str) -> None:
    command = (unit.power or "").replace("{state}", state)
    try:
        run_tool(shlex.split(command), "power switch")
    except ValueError as error:
        raise UsageError(
            f"power of unit {unit.name!r} is {command!r}: {error}"
        ) from None
    except FlashError as error:
        raise LinkError(f"unit {unit.name!r}: {error}", *error.hints) from error
