"""Loaders: what puts an image onto a board, a file each."""

from __future__ import annotations

from hil.desk.loaders.base import Loader
from hil.desk.loaders.command import CommandLoader
from hil.desk.loaders.esptool import EsptoolLoader
from hil.desk.loaders.gdb import GdbLoader
from hil.desk.loaders.openocd import OpenocdLoader
from hil.desk.loaders.picotool import PicotoolLoader
from hil.desk.loaders.pyocd import PyocdLoader
from hil.desk.loaders.ssh import SshLoader
from hil.device.units import LOADERS, Unit
from hil.errors import UsageError
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
