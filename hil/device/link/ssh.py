"""The line to a program on a Linux board: its standard input and output, over ssh.

Every opening starts the program anew, so a line that was lost comes back with a
device that has forgotten its session, which its nonce tells.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress

import serial

from hil.device.ssh import NO_IMAGE, STARTED, Remote, shown
from hil.errors import LinkError, NoProgram

OPENING = 30.0
"""Host seconds until a board has let us in and started its program."""
CLOSING = 5.0
"""Host seconds that ssh may take to end once its line is closed."""
LAST_LINES = 3
SAID = 1 << 20
"""Bytes that ssh and the program may write to their error output, at most."""
CONFINED = ("sh", "-c", f'ulimit -f {SAID // 512} && exec "$@"', "sh")
"""Before a command: no file of its may grow larger."""
LOST = 255
"""Exit code of ssh itself."""


class SshPort:
    """Open once made; to be read and written as pyserial's ports are. Raises
    `LinkError`, and `NoProgram` where there is none to start."""

    def __init__(self, url: str) -> None:
        self._url = url
        remote = Remote.of(url)
        if shutil.which("ssh") is None:
            raise LinkError(
                f"port {shown(url)!r} needs ssh, which is not there",
                "Debian, Ubuntu: sudo apt-get install openssh-client",
            )
        self._line, theirs = socket.socketpair()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self.is_open = True
        with theirs:
            # Ctrl-C at a terminal is for us: the device is said goodbye first
            self._ssh = subprocess.Popen(
                [*CONFINED, *remote.ssh(remote.starting())],
                stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=self._said,
                start_new_session=True,
            )  # fmt: skip
        try:
            self._wait_for_start(remote)
        except BaseException:
            self.close()
            raise
        self._line.setblocking(False)

    def fileno(self) -> int:
        """To be waited for."""
        return self._line.fileno()

    def read(self, size: int = 1) -> bytes:
        """What has arrived, at once. Raises `SerialException` when the line has
        ended, and not before everything that came before was read."""
        data = self._received(size)
        if not data:
            raise serial.SerialException(self._end())
        return data

    def _received(self, size: int) -> bytes:
        """Bytes of ssh, none at its end: also where it ends before it has read what was
        sent, which a socket tells once all that came was read."""
        try:
            return self._line.recv(size)
        except ConnectionResetError:
            return b""

    def write(self, data: bytes) -> int:
        """Sends what is taken now, and tells how much that was."""
        return self._line.send(data)

    def reset_output_buffer(self) -> None:
        """Nothing is kept here."""

    def close(self) -> None:
        """Hang up, which ends the program; harmless when that is done already."""
        if not self.is_open:
            return
        self.is_open = False
        self._line.close()
        if self._exit_code() is None:
            self._ssh.kill()
            with suppress(subprocess.TimeoutExpired):
                self._ssh.wait(CLOSING)
        self._said.close()

    def _wait_for_start(self, remote: Remote) -> None:
        """Drop what a login shell says, up to where the program begins."""
        end, heard = time.monotonic() + OPENING, b""
        while not heard.endswith(STARTED):
            left = end - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                self._line.settimeout(left)
                byte = self._received(1)
            except TimeoutError:
                raise LinkError(
                    f"port {shown(self._url)!r} did not open within {OPENING:g} s",
                    *self._words(),
                ) from None
            if not byte:
                raise self._not_opened(remote)
            heard = heard[-len(STARTED) :] + byte

    def _not_opened(self, remote: Remote) -> LinkError:
        """The sentence for a connection that ended before the program began."""
        code = self._exit_code()
        if code == NO_IMAGE:
            return NoProgram(
                f"there is no program {remote.path!r} on {remote.host!r}",
                "`hil flash --unit NAME` puts one there, where the unit has loader ssh",
            )
        if code == -signal.SIGXFSZ:
            return LinkError(f"port {shown(self._url)!r} does not open: {self._end()}")
        words = self._words()
        why = words[-1] if words else "it said nothing"
        return LinkError(
            f"port {shown(self._url)!r} does not open: ssh ended with exit code {code}: {why}",
            *(f"it said: {line}" for line in words[:-1]),
            f"`{remote.trial}` must work: the host key is known, and yours has no "
            "passphrase or is in an agent",
        )

    def _end(self) -> str:
        """How the program, or the connection, has ended."""
        code = self._exit_code()
        if code == 0:
            return "the program has ended"
        if code == -signal.SIGXFSZ:
            return f"more than {SAID:,} bytes came to its error output"
        if code == LOST:
            how = "ssh has lost the board"
        elif code is not None and code > 128:
            number = code - 128
            with suppress(ValueError):
                return f"the program was ended by {signal.Signals(number).name}"
            how = f"the program was ended by signal {number}"
        else:
            how = f"the program ended with exit code {code}"
        return ": ".join([how, *self._words()[-1:]])

    def _exit_code(self) -> int | None:
        """That of ssh, which is the program's; None: it has not ended."""
        with suppress(subprocess.TimeoutExpired):
            return self._ssh.wait(CLOSING)
        return None

    def _words(self) -> list[str]:
        """The last lines that ssh and the program wrote to their error output."""
        # no seek: the place to write at is ssh's too
        said = os.pread(self._said.fileno(), SAID, 0).decode("utf-8", "replace")
        lines = said.splitlines()
        return [line.strip() for line in lines if line.strip()][-LAST_LINES:]
