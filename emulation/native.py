"""The firmware as a process of this computer, as it is (target `host`) or by QEMU's
user mode."""

from __future__ import annotations

import signal
from pathlib import Path

from emulation.errors import EmulatorError
from emulation.line import ListeningLine, PtyLine
from emulation.machine import Machine, State
from emulation.qemu import find
from targets import Target, storage


class NativeMachine(Machine):
    """An image that is a program, which is told its line by a descriptor. `runner`
    is the command that runs it, QEMU's user mode with its options; without one this
    computer does. A signal that ends the program ends its runner too.

    console "socket": `image --listen-fd N`, a listening socket; the process
    serves one connection after another. A reset starts it anew, and the host opens
    the same url again.
    console "pty": `image --fd N`, the line itself, which outlasts a reset.
    """

    def __init__(
        self,
        target: Target,
        image: Path,
        console: str = "socket",
        flash: Path | None = None,
        runner: tuple[str, ...] = (),
    ) -> None:
        super().__init__(target, image, console, flash)
        self._runner = runner
        self._line: ListeningLine | PtyLine | None = None
        self._cut: tuple[str, ...] = ()

    def lose_power_at(self, operation: int, model: str) -> None:
        """The next start loses its power at this operation of its flash (1: the
        first); what is left of it, `model` says: firmware/ports/host/flash.c."""
        self._cut = ("--cut", str(operation), model)

    def _start(self, folder: Path) -> None:
        if self._runner:
            find(self._runner[0])
        self._line = PtyLine() if self.console == "pty" else ListeningLine()
        self.url = self._line.url

    def run(self) -> None:
        """Starts the process."""
        self._require(State.POWERED)
        self._boot()
        self.state = State.RUNNING

    def reset(self) -> None:
        """Kills the process and starts another on the same line."""
        self._require(State.RUNNING)
        assert self._child is not None
        self._child.end(self.target.limits.stop, (signal.SIGKILL,))
        self._boot()

    def _boot(self) -> None:
        assert self._line is not None
        flag = "--fd" if self.console == "pty" else "--listen-fd"
        fd = self._line.guest_fd
        command = [*self._runner, str(self.image), flag, str(fd)]
        if self.flash is not None:
            command += ["--flash", str(self.flash), *self._cut]
        self._cut = ()
        try:
            self._spawn(command, (fd,))
        except OSError as error:
            raise storage.scarcity(error) or EmulatorError(
                f"image {self.image} does not start on this computer: {error.strerror}"
            ) from error

    def _release(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
