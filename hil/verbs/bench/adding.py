"""hil bench add: a unit of the bench, from what is plugged in or from flags."""

from __future__ import annotations

import argparse

from hil import output
from hil.errors import UsageError

HELP = "write a unit into bench.toml, from what is plugged in or from flags"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench add`."""
    parser.add_argument("name", metavar="NAME", help="what the unit is to be called")
    parser.add_argument("--target", metavar="TARGET", required=True, help="its target")
    parser.add_argument(
        "--port", metavar="PORT",
        help="its port (default: the only one plugged in that no unit has)",
    )  # fmt: skip
    for key, meaning in (
        ("loader", "what puts images onto it"),
        ("kind", "the kind of its gdb server"),
        ("server", "its gdb server, HOST:PORT"),
        ("config", "its configuration file for OpenOCD, or for ssh"),
        ("chip", "what pyOCD or esptool calls its chip"),
        ("probe", "serial number of its probe, or for picotool its own"),
        ("baud", "rate at which esptool writes"),
        ("command", "the command of loader `command`, with {image} in it"),
        ("run", "over ssh: the command that starts {image} there"),
        ("power", "its power switch, a command with {state} in it"),
        ("rts", "what its port sets RTS to: on or off"),
        ("dtr", "what its port sets DTR to: on or off"),
        ("board", "what board it is; only then its figures are measured ones"),
    ):
        parser.add_argument(f"--{key}", metavar="VALUE", help=meaning)


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from hil.device import units

    out = output.of(given)
    port = given.port or _plugged_in()
    values = {key: getattr(given, key) for key in units.KEYS if key != "port"}
    unit = units.add(given.name, {"port": port, **values})
    out.line(f"added    {unit}, in {units.path()}")
    out.document({"name": unit.name, "target": unit.target, "port": unit.port})
    return 0


def _plugged_in() -> str:
    """The only port of this computer that no unit has, by its lasting name."""
    import os
    from pathlib import Path

    from serial.tools import list_ports

    from hil.device import units
    from hil.errors import PortMissing

    taken = set()
    there = units.bench() if units.path().exists() else {}
    for unit in there.values():
        try:
            taken.add(os.path.realpath(unit.url))
        except PortMissing:
            continue
    lasting = {str(p.resolve()): str(p) for p in Path("/dev/serial/by-id").glob("*")}
    found = [str(port.device) for port in list_ports.comports() if port.hwid != "n/a"]
    free = [lasting.get(p, p) for p in found if os.path.realpath(p) not in taken]
    if len(free) != 1:
        raise UsageError(
            f"{len(free) or 'no'} ports are plugged in that no unit has: expected one, "
            "or --port PORT",
            *(f"there is {name}" for name in free),
        )
    return free[0]
