"""A debugger at a replayed step: how to connect it, and waiting for it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulation.qemu import QemuMachine
from hil.desk.attach import Attached
from hil.device import debuggers
from hil.device.link.channel import Channel
from hil.errors import EmulatorError, LinkError

PERSON_LIMIT = 3599.0
"""Host seconds that a person may keep a device stopped: the longest that a limit
may be."""
LOOK_EVERY = 1.0
"""Seconds between two looks at whether the device is still there."""
STEP = "net_step"


@dataclass(frozen=True)
class Debugging:
    """A device that a debugger may stop; `symbols` is the ELF it reads, `sources`
    the folder with what that was compiled from."""

    attached: Attached
    symbols: Path
    sources: Path

    @property
    def command(self) -> str:
        """What to type: it ends up at the step's first instruction."""
        machine = self.attached.machine
        assert isinstance(machine, QemuMachine)
        found = debuggers.find(machine.target) or debuggers.ANY
        there = debuggers.to_cluster(machine.target, self.symbols)
        file = () if there else (str(self.symbols),)
        orders = (
            f"directory {self.sources}",
            f"target {'extended-' if there else ''}remote {machine.debugger}",
            *there,
            f"break {STEP}",
            "continue",
        )
        words = [word for order in orders for word in ("-ex", order)]
        return shlex.join([found, "-q", *file, *words])

    def pause(self) -> None:
        """The guest stands still from here on."""
        machine = self.attached.machine
        assert isinstance(machine, QemuMachine)
        machine.pause()

    def wait(self) -> None:
        """Until the device has something to say, be it that it has ended."""
        end, channel = time.monotonic() + PERSON_LIMIT, self.attached.channel
        assert isinstance(channel, Channel)
        while not channel.anything(LOOK_EVERY):
            channel.require_alive()
            if time.monotonic() >= end:
                raise EmulatorError(
                    f"the device was not let go on within {PERSON_LIMIT:g} s"
                )

    @contextmanager
    def in_charge(self) -> Iterator[None]:
        """A device that ends inside was ended by the debugger: `EmulatorError`."""
        machine = self.attached.machine
        assert machine is not None
        try:
            yield
        except LinkError as error:
            if machine.wait(machine.target.limits.stop) is None:
                raise
            raise EmulatorError(
                "the debugger ended the device before its step was done",
                "`detach` lets it go on",
            ) from error
