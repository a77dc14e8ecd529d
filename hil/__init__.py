"""Teach a network on a device, and prove every step against numpy.

    import hil
    record = hil.run(rule="bp", steps=200)
    record.plot()

All names are imported when they are first used, so that `hil targets` need not
wait for numpy.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil import neurocorex
    from hil.data import datasets, hapt, scalers, windows
    from hil.device.device import Device
    from hil.experiment import Experiment
    from hil.learning.open_device import OpenDevice
    from hil.learning.opened import open
    from hil.learning.session import run
    from hil.lesson.lesson import Lesson
    from hil.pytest_plugin import HilRun
    from hil.records.record import RunRecord

__all__ = [  # noqa: RUF022 (by importance)
    "run", "open", "Experiment", "RunRecord", "OpenDevice", "Device", "Lesson", "HilRun",
    "datasets", "windows", "scalers", "hapt", "neurocorex",
]  # fmt: skip

logging.getLogger(__name__).addHandler(logging.NullHandler())

_HOMES = {
    "run": "hil.learning.session",
    "open": "hil.learning.opened",
    "OpenDevice": "hil.learning.open_device",
    "Experiment": "hil.experiment",
    "RunRecord": "hil.records.record",
    "Device": "hil.device.device",
    "Lesson": "hil.lesson.lesson",
    "HilRun": "hil.pytest_plugin",
    "datasets": "hil.data",
    "windows": "hil.data",
    "scalers": "hil.data",
    "hapt": "hil.data",
    "neurocorex": "hil",
}
"""Where each name lives; modules of data are for who makes data sets and demos, that of
NeuroCoreX for who programs its networks."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    from hil.house import require_own

    require_own()
    home = _HOMES[name]
    if home in ("hil", "hil.data"):
        return import_module(f"{home}.{name}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """What there is for users, and what every module has."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
