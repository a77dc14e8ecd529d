"""What every machine made of software can do; `emulation.machine_for` picks one.

    with machine_for(target, image) as machine:
        machine.power_on()               # there is a line, the guest stands still
        port = serial_for_url(machine.url)
        machine.run()                    # no byte of the guest's is lost

WHY power_on and run apart: a guest that prints before the host has opened the
line talks to nobody, and a host that must guess when to speak guesses wrong.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from types import TracebackType

from emulation.errors import EmulatorError
from emulation.process import Child
from targets import DescriptorError, Target, storage
from targets.signals import held

CONSOLES = ("socket", "pty")
"""Kinds of line: a loopback socket (fast), a pty (opened as a board's port is)."""


class State(Enum):
    """What a machine is doing; the methods are guarded by it."""

    OFF = "off"
    POWERED = "powered on"
    RUNNING = "running"
    STOPPED = "stopped"


class Machine(ABC):
    """A machine of software. Used once: after `stop` make another.

    `url` is None before `power_on`, then what pyserial's `serial_for_url`
    opens; after a power cut it may be another. `flash` is the file that stands for
    the target's flash, made when there is none; without one the flash forgets.
    Methods raise `EmulatorError`; only `stop` never raises.
    """

    def __init__(
        self, target: Target, image: Path, console: str, flash: Path | None = None
    ) -> None:
        if console not in CONSOLES:
            raise DescriptorError(
                f"unknown console {console!r}: expected one of {', '.join(CONSOLES)}"
            )
        self.target = target
        self.image = Path(image).resolve()
        self.console = console
        self.flash = None if flash is None else Path(flash).resolve()
        if flash is not None and target.flash is None:
            raise DescriptorError(f"target {target.name!r} has no flash")
        self.url: str | None = None
        self.state = State.OFF
        self._folder: Path | None = None
        self._child: Child | None = None
        self._exit: int | None = None
        self._log = ""

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @abstractmethod
    def _start(self, folder: Path) -> None:
        """Makes line and guest in this private folder; the guest stands still."""

    @abstractmethod
    def run(self) -> None:
        """Lets the guest run."""

    @abstractmethod
    def reset(self) -> None:
        """Hardware reset: the guest starts anew, with its image in memory."""

    @abstractmethod
    def _release(self) -> None:
        """Asks the guest's process to end, where it can be asked, and closes
        the line. Called by `stop`, may raise."""

    def _spawn(self, argv: Sequence[str], pass_fds: Sequence[int]) -> Child:
        """Starts the guest's process: once it runs, it has a guard and is known.
        Raises `OSError`."""
        assert self._folder is not None
        with held():
            self._child = Child(argv, self._folder, pass_fds)
        return self._child

    def power_on(self) -> None:
        """Makes the machine and its line; the guest does not run yet."""
        self._require(State.OFF)
        if not self.image.is_file():
            raise EmulatorError(f"there is no image {self.image} to start")
        with held():  # a folder that is made is known
            self._folder = Path(tempfile.mkdtemp(prefix="hil-"))
        try:
            self._make_flash()
            self._start(self._folder)
        except BaseException:
            self.stop()
            raise
        self.state = State.POWERED

    def wait(self, limit: float) -> int | None:
        """The guest's exit code, once it has ended within `limit` host seconds.

        The code is the guest's own (test device, or what a process returns), or
        minus the signal that killed it. None: it has not ended of itself.
        """
        if self._child is not None and self._exit is None:
            self._exit = self._child.wait(limit)
        return self._exit

    def exit_status(self) -> int | None:
        """`wait`, without waiting."""
        return self.wait(0)

    def alive(self) -> bool:
        """Whether there is a guest that runs, or may be let run."""
        powered = self.state in (State.POWERED, State.RUNNING)
        return powered and self.exit_status() is None

    def log(self) -> str:
        """What the emulator, or the process, wrote to its output and error."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                return (self._folder / "log").read_text("utf-8", "replace")
        return self._log

    def stop(self) -> None:
        """Ends the machine and leaves nothing: no process, no folder, no line.

        Idempotent; never raises. Takes at most three times the target's
        limits.stop (asked, terminated, killed).
        """
        with held():
            self._stop()

    def _stop(self) -> None:
        if self.state is State.STOPPED:
            return
        self.exit_status()
        self.state = State.STOPPED
        self._clear((signal.SIGTERM, signal.SIGKILL))

    def cut_power(self) -> None:
        """Takes the power away, whatever the guest is doing: QEMU is told to quit,
        a process is killed. `power_on` and `run` start it anew, with the flash as it
        was then."""
        if self.state is State.STOPPED:
            raise EmulatorError("the machine is stopped, expected it not to be")
        self.state = State.OFF
        with held():
            self._clear((signal.SIGKILL,))
        self.url = self._exit = None

    def _make_flash(self) -> None:
        """An empty file of the flash's size, where there is none."""
        if self.flash is None or self.target.flash is None:
            return
        size = self.target.flash.size
        try:
            with self.flash.open("ab") as file:
                if file.tell() == 0:
                    file.truncate(size)  # takes no room until it is written
                elif file.tell() != size:
                    raise EmulatorError(
                        f"flash {self.flash} has {file.tell():,} bytes, but that of "
                        f"target {self.target.name!r} has {size:,}"
                    )
        except OSError as error:
            raise storage.scarcity(error) or EmulatorError(
                f"flash {self.flash} cannot be opened: {error.strerror}"
            ) from error

    def _clear(self, signals: Sequence[signal.Signals]) -> None:
        """Ends the guest, and removes all but the flash."""
        with contextlib.suppress(Exception):
            self._release()
        if self._child is not None:
            self._child.end(self.target.limits.stop, signals)
            self._child = None
        if self._folder is not None:
            self._log = self.log()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _require(self, *states: State) -> None:
        """Refuses a call that comes at the wrong time."""
        if self.state not in states:
            expected = " or ".join(state.value for state in states)
            raise EmulatorError(
                f"the machine is {self.state.value}, expected it {expected}"
            )
        if (code := self.exit_status()) is not None:
            raise EmulatorError(f"the guest has ended with exit code {code}")
