"""The bench: the units on a user's desk, each a table of `bench.toml`.

It is read strictly, as a target's descriptor is: a misspelt key that is ignored is
another board flashed than the user meant. A unit may also be given by its bare
port; then nothing is known of it but that.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import platformdirs

import targets
from hil import documents
from hil.device import ssh
from hil.device.link import urls
from hil.device.link.modem import ASSERTED, RELEASED, Levels
from hil.errors import PortMissing, UsageError
from targets import storage

VARIABLE = "HIL_BENCH"
FILE = "bench.toml"
AUTO = "auto"
"""The one unit of the bench that fits."""
USB = "usb:"
PORT_MARKS = "/:"
"""Each of these makes a text a path or a URL, which no unit is named as."""
LOADERS: dict[str, tuple[str, ...]] = {
    "gdb": ("server", "kind"),
    "openocd": ("config",),
    "pyocd": ("chip",),
    "esptool": ("chip",),
    "picotool": (),
    "ssh": (),
    "command": ("command",),
}
"""Loaders, and the keys that a unit must have for each."""
ON, OFF = "on", "off"
"""What a modem line is set to."""
KINDS = ("openocd", "jlink", "blackmagic", "qemu")
"""Kinds of gdb server, which differ in how they reset what they serve."""
WITHOUT_MODEM = ("socket://", ssh.SCHEME)
"""How ports begin that have no modem lines."""
WORDS = {"loader": tuple(LOADERS), "kind": KINDS, "rts": (ON, OFF), "dtr": (ON, OFF)}
"""Keys that have one of these words."""
PLACEHOLDERS = {"command": "{image}", "power": "{state}", "run": ssh.PLACE}
"""Keys that are commands, and what each must have in it."""
BAUD = r"\d+"
REQUIRED = ("target", "port")
ESP_CHIPS = ("esp32c2", "esp32c3", "esp32c6", "esp32h2")
"""Chips of loader esptool: RISC-V ones whose ROM starts what is at the start of flash."""


@dataclass(frozen=True)
class Unit:
    """One board. `port` is a device, `usb:LOCATION` or a URL; `target` is "" for a
    bare port. `loader` puts images onto it: through the gdb `server` (host:port) of
    this `kind`, by OpenOCD with this `config`, by pyOCD for this `chip`, each through
    the `probe` of this serial number; by picotool, where that is the board's own; by
    esptool for this `chip`, at this `baud` rate; over ssh; or by a `command` with
    {image} in it. Over ssh `run` is how {image} is started there, and `config` the file
    of ssh. `power` is a command in which {state} becomes on or off. `board` is what the
    board is: only figures of a board that is named are measured ones. `rts` and `dtr` say
    whether its serial port asserts these lines, "on" or "off"."""

    name: str
    port: str
    target: str = ""
    loader: str | None = None
    kind: str | None = None
    server: str | None = None
    config: str | None = None
    chip: str | None = None
    probe: str | None = None
    baud: str | None = None
    command: str | None = None
    run: str | None = None
    power: str | None = None
    board: str | None = None
    rts: str | None = None
    dtr: str | None = None

    @property
    def levels(self) -> Levels:
        """What its serial port's modem lines are set to. On boards that esptool writes
        they are wired to reset and to boot mode."""
        usual = RELEASED if self.loader == "esptool" else ASSERTED
        return Levels(
            usual.rts if self.rts is None else self.rts == ON,
            usual.dtr if self.dtr is None else self.dtr == ON,
        )

    @property
    def url(self) -> str:
        """What to open. Raises `PortMissing` when nothing is plugged in there."""
        if ssh.is_ssh(self.port):
            return ssh.with_settings(self.port, self.run, self.config)
        if not self.port.startswith(USB):
            return self.port
        return _at_location(self.port[len(USB) :])

    def __str__(self) -> str:
        """For a list of units."""
        target = f" (target {self.target})" if self.target else ""
        return f"{self.name}{target} at {self.port}"


KEYS = tuple(field.name for field in fields(Unit) if field.name != "name")


def path() -> Path:
    """Where the bench is: $HIL_BENCH, else ./bench.toml, else the user's own."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    here = Path(FILE)
    return here if here.is_file() else platformdirs.user_config_path("hil") / FILE


def bench() -> dict[str, Unit]:
    """The units there are, by name; none where there is no file, unless
    $HIL_BENCH names it. Raises `UsageError` for a file that is not correct."""
    where = path()
    if not where.is_file() and not os.environ.get(VARIABLE):
        return {}
    return load(where)


def load(where: Path) -> dict[str, Unit]:
    """The units in the bench file at `where`. Raises `UsageError`."""
    origin = f"bench {str(where)!r}"
    table = documents.toml(documents.read(where, origin), origin)
    for key in table:
        if key != "units":
            raise UsageError(
                f"bench {str(where)!r} has an unknown table or key {key!r}"
                f"{_meant(key, ('units',))}"
            )
    units = table.get("units", {})
    if not isinstance(units, dict):
        raise UsageError(f"bench {str(where)!r}: units is no table of [units.NAME]")
    return {
        name: _unit(f"bench {str(where)!r}, unit {name!r}", name, values)
        for name, values in units.items()
    }


def add(name: str, values: Mapping[str, str | None]) -> Unit:
    """Write a unit at the end of the bench file, which is made where there is none;
    what it holds stays as it is. Raises `UsageError`."""
    where = path()
    if where.exists() and name in load(where):
        raise UsageError(f"bench {str(where)!r} has a unit {name!r} already")
    given = {key: value for key, value in values.items() if value is not None}
    unit = _unit(f"unit {name!r}", name, given)
    lines = [f"[units.{json.dumps(name)}]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    with storage.naming(where):
        where.parent.mkdir(parents=True, exist_ok=True)
        before = where.read_text(encoding="utf-8") if where.exists() else ""
    gap = "\n" if before else documents.schema_line("bench") + "\n"
    storage.write(where.resolve(), before + gap + "\n".join(lines) + "\n")
    return unit


def _unit(where: str, name: str, values: object) -> Unit:
    """The unit of one table; `where` begins the sentence when it is wrong."""
    if not isinstance(values, dict):
        raise UsageError(f"{where} is {values!r}: expected a table")
    for key, value in values.items():
        if key not in KEYS:
            raise UsageError(f"{where}: unknown key {key!r}{_meant(key, KEYS)}")
        if not isinstance(value, str) or not value:
            raise UsageError(f"{where}: key {key!r} is {value!r}: expected a text")
    for key in REQUIRED:
        if key not in values:
            raise UsageError(f"{where}: key {key!r} is missing")
    unit = Unit(name, **values)
    if name == AUTO or looks_like_port(name):
        raise UsageError(f"{where}: a unit cannot have this name")
    _require_one_of(where, "target", unit.target, targets.names())
    for key, known in WORDS.items():
        _require_one_of(where, key, values.get(key), known)
    for key in LOADERS.get(unit.loader or "", ()):
        if key not in values:
            raise UsageError(f"{where}: loader {unit.loader!r} needs a key {key!r}")
    if unit.loader == "esptool" and unit.chip not in ESP_CHIPS:
        raise UsageError(
            f"{where}: loader 'esptool' is not for chip {unit.chip!r}: expected one of "
            f"{', '.join(ESP_CHIPS)}"
        )
    if unit.baud is not None and not re.fullmatch(BAUD, unit.baud):
        raise UsageError(f"{where}: baud is {unit.baud!r}: expected digits")
    for key, value in (("rts", unit.rts), ("dtr", unit.dtr)):
        if value is not None and unit.port.startswith(WITHOUT_MODEM):
            raise UsageError(
                f"{where}: {key} is of a serial port, and {unit.port!r} is none"
            )
    for key, placeholder in PLACEHOLDERS.items():
        _require_placeholder(where, key, values.get(key), placeholder)
    _require_ssh(where, unit)
    try:
        urls.require(unit.port)
    except UsageError as error:
        raise UsageError(f"{where}: {error}", *error.hints) from None
    _require_no_emulator(where, unit)
    return unit


def _require_one_of(
    where: str, key: str, value: str | None, known: list[str] | tuple[str, ...]
) -> None:
    if value is not None and value not in known:
        raise UsageError(f"{where}: unknown {key} {value!r}{_meant(value, known)}")


def _require_placeholder(
    where: str, key: str, value: str | None, placeholder: str
) -> None:
    if value is not None and placeholder not in value:
        raise UsageError(
            f"{where}: {key} is {value!r}: expected a command with {placeholder} in it"
        )


def _require_ssh(where: str, unit: Unit) -> None:
    """What is told over ssh goes to where the line does."""
    if ssh.is_ssh(unit.port):
        try:
            ssh.Remote.of(unit.url)
        except UsageError as error:
            raise UsageError(f"{where}: {error}", *error.hints) from None
        return
    for what, given in (("loader 'ssh'", unit.loader == "ssh"), ("run", unit.run)):
        if given:
            raise UsageError(
                f"{where}: {what} needs a port ssh://[user@]host, and {unit.port!r} is none"
            )


def _require_no_emulator(where: str, unit: Unit) -> None:
    """What is told of a board was measured on one."""
    if unit.board is None:
        return
    for key, value in (("kind", unit.kind), ("run", unit.run), ("board", unit.board)):
        if value is not None and "qemu" in value.lower():
            raise UsageError(
                f"{where}: board is {unit.board!r}, but {key} is {value!r}: an emulator "
                "is no board",
                "leave out board: its figures are emulated ones then",
            )


def _meant(word: str, known: list[str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, known, 1, 0.5)
    if close:
        return f", did you mean {close[0]!r}?"
    return f": expected one of {', '.join(known)}"


def looks_like_port(text: str) -> bool:
    """Whether this is a path or a URL, which no unit is named as."""
    return any(mark in text for mark in PORT_MARKS)


def chosen(asked: str, target: str | None) -> Unit:
    """The unit that `asked` says: a name of the bench, a bare port, or `AUTO`.

    `target` None: whatever the unit is. Raises `UsageError` when there is no such
    unit, when it is of another target, and when not exactly one fits.
    """
    if looks_like_port(asked):
        urls.require(asked)
        return Unit(asked, asked)
    known = bench()
    if asked == AUTO:
        return _only(known, target)
    if asked not in known and os.path.exists(asked):
        return Unit(asked, asked)
    if asked not in known:
        close = difflib.get_close_matches(asked, known, 1, 0.5)
        meant = f", did you mean {close[0]!r}?" if close else ""
        raise UsageError(
            f"there is no unit {asked!r} in {str(path())!r}{meant}", *_listed(known)
        )
    unit = known[asked]
    if target is not None and unit.target != target:
        raise UsageError(
            f"unit {asked!r} is of target {unit.target!r}, but the experiment is for "
            f"{target!r}",
            f"choose it with --target {unit.target}, or another unit",
        )
    return unit


def board_of(asked: str | None, target: str) -> str | None:
    """What board the unit that `asked` says is; None where there is no unit, or
    nobody has said that it is a board. Raises `UsageError`."""
    return None if asked is None else chosen(asked, target).board


def _only(known: dict[str, Unit], target: str | None) -> Unit:
    """The one unit of this target."""
    fitting = {
        name: unit for name, unit in known.items() if target in (None, unit.target)
    }
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    of = "" if target is None else f" of target {target!r}"
    count = f"{len(fitting)} units" if fitting else "no unit"
    raise UsageError(
        f"the bench {str(path())!r} has {count}{of}: expected one, or --unit NAME",
        *_listed(fitting or known),
    )


def _listed(units: dict[str, Unit]) -> list[str]:
    """The units as hints."""
    lines = [f"there is {unit}" for unit in units.values()]
    return lines or [f"`hil bench add` writes one into {str(path())!r}"]


def _at_location(location: str) -> str:
    """The device plugged in at a USB location. Raises `PortMissing`."""
    from serial.tools import list_ports

    found = {str(port.location): str(port.device) for port in list_ports.comports()}
    if location in found:
        return found[location]
    there = ", ".join(sorted(name for name in found if name != "None"))
    raise PortMissing(
        f"nothing is plugged in at USB location {location!r}",
        f"in use are: {there or 'none'}",
    )
