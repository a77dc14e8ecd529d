"""Getting at a device: an emulator started for the purpose, or a unit that is
there already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import emulation
from emulation.trace import Watch
from hil.building import Built
from hil.device import Device
from hil.errors import EmulatorError, LinkError
from hil.experiment import Experiment
from hil.lesson import Lesson
from hil.link.channel import Channel
from hil.replies import Greeting
from targets import Target


@dataclass(frozen=True)
class Attached:
    """A line to a powered device; `machine` is None for a unit."""

    channel: Channel
    machine: emulation.Machine | None = None

    def require_end(self, limit: float) -> None:
        """After LEAVE an emulated device ends, with code 0; raises
        `EmulatorError` when it has not within `limit` seconds."""
        if self.machine is None:
            return
        code = self.machine.wait(limit)
        if code != 0:
            how = "did not end" if code is None else f"ended with {code}"
            raise EmulatorError(f"the device {how} after LEAVE, expected exit code 0")


@contextmanager
def attach(
    target: Target,
    image: Path,
    asked: Experiment,
    vlen: int,
    log: BinaryIO | None,
    watch: Watch | None = None,
    gdb: bool = False,
) -> Iterator[Attached]:
    """A device with `image`, powered on and running: the unit that `asked`
    names, or else an emulator that ends with the context. Every byte it sends
    goes into `log`; an emulator is ready to `watch`, and for a debugger."""
    with ExitStack() as stack:
        if asked.unit is not None:
            yield Attached(stack.enter_context(Channel(asked.unit, record=log)))
            return
        machine = stack.enter_context(
            emulation.machine_for(
                target,
                image,
                vlen=vlen or None,
                icount=asked.icount,
                console=asked.console,
                watch=watch,
                gdb=gdb,
            )
        )
        machine.power_on()
        assert machine.url is not None
        channel = Channel(machine.url, record=log, alive=machine.alive)
        stack.enter_context(channel)
        machine.run()
        try:
            yield Attached(channel, machine)
        except LinkError as error:
            if not machine.alive():
                error.hints = (*_last_words(machine), *error.hints)
            raise


def _last_words(machine: emulation.Machine) -> list[str]:
    """Why an emulator may have ended."""
    words = [f"the emulator has ended, with exit status {machine.exit_status()}"]
    log = machine.log().strip()
    return [*words, f"it said: {log[-400:]}"] if log else words


def greet(device: Device, lesson: Lesson, built: Built) -> Greeting:
    """HELLO, with the time a device needs to boot if it was just started.

    Raises `FirmwareMismatch` unless the image just built has answered.
    """
    limits = lesson.target.limits
    fresh = lesson.experiment.unit is None
    limit = limits.boot + limits.hello if fresh else limits.hello
    return device.hello(built.image.digest, lesson.vlen, limit)
