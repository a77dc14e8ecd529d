"""hil bench list: the units of the bench, and which are there and free."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hil import output

if TYPE_CHECKING:
    from hil.device.units import Unit

HELP = "list the units of bench.toml, and say which are plugged in and free"


def arguments(parser: argparse.ArgumentParser) -> None:
    """`hil bench list` has none of its own."""


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from hil.device import units

    out = output.of(given)
    known = units.bench()
    states = {name: _state(unit) for name, unit in known.items()}
    for name, unit in known.items():
        loader = unit.loader or "no loader"
        out.line(
            f"{name:16} {unit.target:22} {states[name]:12} {loader:10} {unit.port}"
        )
    out.line(f"{len(known)} units in {units.path()}")
    out.document(
        {
            "bench": str(units.path()),
            "units": [
                {"name": n, "target": u.target, "port": u.port, "state": states[n]}
                for n, u in known.items()
            ],
        }
    )
    return 0


def _state(unit: Unit) -> str:
    """Whether a unit is there, and nobody's. Of a port elsewhere only opening it
    tells, which would disturb whoever has it."""
    import os

    from hil.desk import locks
    from hil.errors import PortMissing

    try:
        url = unit.url
    except PortMissing:
        return "not there"
    if "://" not in url and not os.path.exists(url):
        return "not there"
    if not locks.is_free(unit):
        return "in use"
    return "remote, free" if "://" in url else "free"
