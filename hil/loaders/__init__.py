"""Loaders: what puts an image onto a board, a file each."""

from __future__ import annotations

from hil.errors import UsageError
from hil.loaders.base import Loader
from hil.loaders.command import CommandLoader
from hil.loaders.esptool import EsptoolLoader
from hil.loaders.gdb import GdbLoader
from hil.loaders.openocd import OpenocdLoader
from hil.loaders.picotool import PicotoolLoader
from hil.loaders.pyocd import PyocdLoader
from hil.loaders.ssh import SshLoader
from hil.units import LOADERS, Unit
from targets import Target

CLASSES: dict[str, type[Loader]] = {
    "gdb": GdbLoader,
    "openocd": OpenocdLoader,
    "pyocd": PyocdLoader,
    "esptool": EsptoolLoader,
    "picotool": PicotoolLoader,
    "ssh": SshLoader,
    "command": CommandLoader,
}
"""By the name that a unit's key `loader` has."""


def loader_for(unit: Unit, target: Target) -> Loader:
    """The loader of a unit. Raises `UsageError` when it has none."""
    if unit.loader is None:
        raise UsageError(
            f"unit {unit.name!r} has no loader",
            f"a key `loader` in the bench is one of {', '.join(LOADERS)}",
            "--with 'COMMAND {image}' gives one for this time",
        )
    return CLASSES[unit.loader](unit, target)
