"""Getting at a device: an emulator started for the purpose, or a unit that is
there already."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import emulation
from emulation.faults import FaultyChannel, Line
from emulation.native import NativeMachine
from emulation.tally import Tally
from emulation.trace import Watch
from hil.desk import locks
from hil.desk.power import Supply
from hil.device.device import Device
from hil.device.greeting import Greeting
from hil.device.link.channel import Channel, Recorder
from hil.device.units import Unit, chosen
from hil.errors import DeviceFault, EmulatorError, LineClosed, LinkError
from hil.experiment import Experiment
from hil.lesson.building import Answers
from hil.lesson.lesson import Wanted

Opened = TypeVar("Opened")
PAUSE = 0.02
"""Seconds between two attempts to open a line that is not there."""


def patiently(open_line: Callable[[], Opened], limit: float) -> Opened:
    """What `open_line` gives, tried until it does: an adapter that is part of a board
    is away for a while with it. Raises its last `LinkError` after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        try:
            return open_line()
        except LinkError:
            if time.monotonic() >= end:
                raise
            time.sleep(PAUSE)


@dataclass(frozen=True)
class Attached:
    """A line to a powered device: an emulated `machine`, or a unit with its
    `supply`."""

    channel: Line
    machine: emulation.Machine | None = None
    supply: Supply | None = None

    def require_end(self, limit: float) -> None:
        """After LEAVE an emulated device ends, with code 0; raises
        `EmulatorError` when it has not within `limit` seconds."""
        if self.machine is None:
            return
        code = self.machine.wait(limit)
        if code != 0:
            how = "did not end" if code is None else f"ended with {code}"
            raise EmulatorError(f"the device {how} after LEAVE, expected exit code 0")

    def revive(self, limit: float) -> bool:
        """Give power to what has lost it (true then), and open the line again, which
        may take `limit` seconds to be there. Raises `LinkError`."""
        machine = self.machine
        if machine is None:
            anew = self.supply is not None and self.supply.restore()
            patiently(lambda: self.channel.reopen(self._unit_url()), limit)
            return anew
        if not machine.alive():
            _require_power_cut(machine)
            machine.cut_power()
            machine.power_on()
        assert machine.url is not None
        url = machine.url
        patiently(lambda: self.channel.reopen(url), limit)
        anew = machine.state is emulation.State.POWERED
        if anew:
            machine.run()
        return anew

    def _unit_url(self) -> str:
        """Of what is plugged in now: an adapter may come back by another name."""
        return self.channel.url if self.supply is None else self.supply.unit.url


@dataclass(frozen=True)
class Emulated:
    """What an emulator is given besides its image, and a unit is not.

    `watch` sees what it executes, or counts it; the file `flash` is its flash; `cut` names the
    operation and the model of a native machine's flash at which it loses its power;
    `gdb`: a debugger may connect.
    """

    watch: Watch | Tally | None = None
    flash: Path | None = None
    cut: tuple[int, str] | None = None
    gdb: bool = False


PLAIN = Emulated()


@contextmanager
def attach(
    wanted: Wanted,
    image: Path,
    log: Recorder | None = None,
    *,
    emulated: Emulated = PLAIN,
    ready: Callable[[Unit], None] | None = None,
    through: Callable[[Line], Line] | None = None,
) -> Iterator[Attached]:
    """A device with `image`, powered on and running.

    It is the unit that the experiment names: its lock is taken and `ready` is called
    with it before anything is sent. Without a unit it is an emulator, which ends with
    the context. Every byte that the device sends goes into `log`. `through` makes of
    the line the one that is used."""
    asked = wanted.experiment
    with ExitStack() as stack:
        if asked.unit is not None:
            unit = chosen(asked.unit, wanted.target.name)
            stack.enter_context(locks.held(unit))
            if ready is not None:
                ready(unit)
            supply = Supply(unit)
            opened = Channel(unit.url, record=log, levels=unit.levels)
            channel = stack.enter_context(opened)
            stack.callback(supply.restore)
            yield Attached(_line(channel, asked, through, supply.cut), supply=supply)
            return
        machine = stack.enter_context(_machine(wanted, image, emulated))
        machine.power_on()
        assert machine.url is not None
        opened = Channel(machine.url, record=log, alive=machine.alive)
        channel = stack.enter_context(opened)
        machine.run()
        with _last_words_told(machine):
            yield Attached(_line(channel, asked, through, machine.cut_power), machine)


def _machine(wanted: Wanted, image: Path, emulated: Emulated) -> emulation.Machine:
    """The emulator, which has no power yet."""
    asked = wanted.experiment
    machine = emulation.machine_for(
        wanted.target, image,
        vlen=wanted.vlen or None, icount=asked.icount, console=asked.console,
        watch=emulated.watch, flash=emulated.flash, gdb=emulated.gdb,
    )  # fmt: skip
    if emulated.cut is not None:
        assert isinstance(machine, NativeMachine)
        machine.lose_power_at(*emulated.cut)
    return machine


def _line(
    channel: Channel,
    asked: Experiment,
    through: Callable[[Line], Line] | None,
    cut: Callable[[], None],
) -> Line:
    """What is spoken through: with the faults that the experiment wants, of which one
    is to `cut` the power."""
    line = channel if through is None else through(channel)
    faults = asked.line_faults
    return line if faults is None else FaultyChannel(line, faults, LineClosed, cut)


@contextmanager
def _last_words_told(machine: emulation.Machine) -> Iterator[None]:
    """A line that fails because its emulator has ended says so."""
    try:
        yield
    except LinkError as error:
        if not machine.alive():
            error.hints = (*_last_words(machine), *error.hints)
        raise


def _require_power_cut(machine: emulation.Machine) -> None:
    """Raise `DeviceFault` or `EmulatorError` for a machine that has ended of itself:
    that is a fault of the firmware, or of the emulator, and nothing to go on from."""
    code = machine.exit_status()
    if code in (None, -signal.SIGKILL):
        return
    if code == DeviceFault.exit_code:
        raise DeviceFault(
            "the device has stopped with a fault, and the line has lost what it said",
            *_last_words(machine),
        )
    raise EmulatorError(
        f"the device has ended by itself, with exit status {code}",
        *_last_words(machine),
    )


def _last_words(machine: emulation.Machine) -> list[str]:
    """Why an emulator may have ended."""
    words = [f"the emulator has ended, with exit status {machine.exit_status()}"]
    log = machine.log().strip()
    return [*words, f"it said: {log[-400:]}"] if log else words


def greet(
    device: Device, lesson: Wanted, built: Answers, *, anew: bool = False
) -> Greeting:
    """HELLO, with the time a device needs to boot if it was just started, as an
    emulator is, and a unit that starts `anew`.

    Raises `FirmwareMismatch` unless the image just built has answered.
    """
    limits = lesson.target.limits
    fresh = anew or lesson.experiment.unit is None
    limit = limits.boot + limits.hello if fresh else limits.hello
    return device.hello(built.image.digest, lesson.vlen, limit)
