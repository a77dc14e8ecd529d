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
from targets import Target

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


@contextmanager
def attach(
    target: Target,
    image: Path,
    asked: Experiment,
    vlen: int,
    log: Recorder | None,
    watch: Watch | None = None,
    flash: Path | None = None,
    cut: tuple[int, str] | None = None,
    gdb: bool = False,
    ready: Callable[[Unit], None] | None = None,
    through: Callable[[Line], Line] | None = None,
) -> Iterator[Attached]:
    """A device with `image`, powered on and running.

    It is the unit that `asked` names: its lock is taken and `ready` is called with it
    before anything is sent. Without a unit it is an emulator, which has the file
    `flash` as its flash and ends with the context. Every byte that the device sends
    goes into `log`. `watch` and `gdb` are for an emulator; `cut` names the operation
    and the model of a native machine's flash at which it loses its power.
    `through` makes of the line the one that is used."""
    with ExitStack() as stack:
        if asked.unit is not None:
            unit = chosen(asked.unit, target.name)
            stack.enter_context(locks.held(unit))
            if ready is not None:
                ready(unit)
            channel = stack.enter_context(
                Channel(unit.url, record=log, levels=unit.levels)
            )
            line = channel if through is None else through(channel)
            supply = Supply(unit)
            stack.callback(supply.restore)
            yield Attached(_faulty(line, asked, supply.cut), supply=supply)
            return
        machine = stack.enter_context(
            emulation.machine_for(
                target,
                image,
                vlen=vlen or None,
                icount=asked.icount,
                console=asked.console,
                watch=watch,
                flash=flash,
                gdb=gdb,
            )
        )
        if cut is not None:
            assert isinstance(machine, NativeMachine)
            machine.lose_power_at(*cut)
        machine.power_on()
        assert machine.url is not None
        channel = Channel(machine.url, record=log, alive=machine.alive)
        stack.enter_context(channel)
        machine.run()
        line = channel if through is None else through(channel)
        try:
            yield Attached(_faulty(line, asked, machine.cut_power), machine)
        except LinkError as error:
            if not machine.alive():
                error.hints = (*_last_words(machine), *error.hints)
            raise


def _faulty(
    channel: Line, asked: Experiment, cut: Callable[[], None] | None = None
) -> Line:
    """The channel with the faults that the experiment wants."""
    faults = asked.line_faults
    return (
        channel if faults is None else FaultyChannel(channel, faults, LineClosed, cut)
    )


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
