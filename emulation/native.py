"""The firmware as a process of this computer, for target `host`."""

from __future__ import annotations

import signal
from pathlib import Path

from emulation.errors import EmulatorError
from emulation.line import ListeningLine, PtyLine
from emulation.machine import Machine, State
from targets import Target


class NativeMachine(Machine):
    """A native image, which is told its line by a descriptor.

    console "socket": `image --listen-fd N`, a listening socket; the process
    serves the first connection and ends with it. A reset starts it anew, and
    the host opens the same url again.
    console "pty": `image --fd N`, the line itself, which outlasts a reset.
    """

    def __init__(self, target: Target, image: Path, console: str = "socket") -> None:
        super().__init__(target, image, console)
        self._line: ListeningLine | PtyLine | None = None

    def _start(self, folder: Path) -> None:
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
        try:
            self._spawn([str(self.image), flag, str(fd)], (fd,))
        except OSError as error:
            raise EmulatorError(
                f"image {self.image} does not start on this computer: {error.strerror}"
            ) from error

    def _release(self) -> None:
        if self._line is not None:
            self._line.close()
