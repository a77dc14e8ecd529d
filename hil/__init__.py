"""Teach a network on a device, and prove every step against numpy.

    from hil import Experiment, run
    record = run(Experiment(rule="bp", steps=200))

Both names are imported when they are first used, so that `hil targets` need not
wait for numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hil.experiment import Experiment
    from hil.record import RunRecord
    from hil.session import run

__all__ = ["run", "Experiment", "RunRecord"]  # noqa: RUF022 (by importance)

_HOMES = {
    "run": "hil.session",
    "Experiment": "hil.experiment",
    "RunRecord": "hil.record",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
