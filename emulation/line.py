"""The serial line between host and guest, where it is ours to make."""

from __future__ import annotations

import contextlib
import os
import socket
import termios
import tty


class PtyLine:
    """A pty pair in raw mode: the guest gets `guest_fd`, the host opens `url`.

    WHY ours and not QEMU's `-chardev pty`: QEMU looks once a second whether
    somebody has opened its pty, and what a guest prints just before it exits is
    lost with QEMU's end of it. We hold both ends, so bytes flow from the first
    moment, and stay to be read after the guest has gone.
    """

    def __init__(self) -> None:
        self.guest_fd, self._host_fd = os.openpty()
        tty.setraw(self._host_fd)
        # raw mode leaves the output flags set that OPOST alone had in force;
        # whoever sets OPOST again (QEMU 7.2 does) must find nothing to translate
        mode = termios.tcgetattr(self._host_fd)
        mode[1] = 0
        termios.tcsetattr(self._host_fd, termios.TCSANOW, mode)
        self.url = os.ttyname(self._host_fd)

    def close(self) -> None:
        """Gives the pty back; idempotent."""
        for fd in (self.guest_fd, self._host_fd):
            with contextlib.suppress(OSError):
                os.close(fd)
        self.guest_fd = self._host_fd = -1


class ListeningLine:
    """A listening loopback socket, its port chosen by the system.

    The host connects to `url` whenever it likes: the connection waits in the
    backlog until the guest accepts it from `guest_fd`.
    """

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.guest_fd = self._socket.fileno()
        self.url = f"socket://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Stops listening; idempotent."""
        self._socket.close()
