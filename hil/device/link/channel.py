"""A line to a device, whatever it is made of.

A board's serial port, a pty, QEMU's loopback socket and another computer's port
(RFC 2217) are all opened by pyserial; a program on a Linux board is started by ssh.
All are read and written by the same code. Every wait has a limit; every received
byte goes into the run's recording.
"""

from __future__ import annotations

import errno
import select
import socket
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import serial
from serial.urlhandler import protocol_socket

from hil.device.link import owner, urls
from hil.device.link.modem import ASSERTED, Levels
from hil.device.link.remote import RemotePort
from hil.device.link.ssh import SshPort
from hil.device.ssh import is_ssh, shown
from hil.errors import LineClosed, LinkError, PortBusy

BAUD_RATE = 115200
CHUNK = 1 << 16
QUEUED = 8 << 20
"""Bytes that may wait to be sent before more are queued: some windows of the longest
frames."""

_BUSY = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)


def _open_error(url: str, error: Exception) -> LinkError:
    """The sentence for a port that does not open."""
    number = getattr(error, "errno", None)
    cause = error.__context__
    if number is None and isinstance(cause, OSError):
        number = cause.errno
    if number in _BUSY:
        return _busy(url, owner.of_port(url))
    return urls.not_opened(url, error)


def _busy(url: str, holder: str | None) -> PortBusy:
    """The sentence for a port that somebody has; a unit serves one at a time."""
    if holder is not None:
        return PortBusy(
            f"port {url!r} is in use by another program ({holder})",
            "end it, or wait until it has ended",
        )
    return PortBusy(
        f"port {url!r} is in use by another program",
        f"`fuser -v {url}` names it; close terminals and other sessions",
    )


class _Socket(protocol_socket.Serial):
    """pyserial's socket, which sleeps 0.3 s when it is closed, for servers slow to
    take the next client: nobody here waits for that. Nor is anything dropped that
    has arrived when it is opened: no byte on it is older than the connection."""

    def reset_input_buffer(self) -> None:
        """Nothing to drop."""

    def read(self, size: int = 1) -> bytes:
        """What has come, in one call of the system: our `select` has told of it."""
        line: Any = self._socket
        try:
            data: bytes = line.recv(size)
        except (BlockingIOError, InterruptedError):
            return b""
        if not data:
            raise serial.SerialException("socket disconnected")
        return data

    def close(self) -> None:
        """Hang up; harmless when that is done already."""
        self.is_open = False
        line, self._socket = getattr(self, "_socket", None), None
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()


class Recorder(Protocol):
    """What keeps the bytes that come in, such as a file."""

    def write(self, data: bytes, /) -> object:
        """Take them all."""


class Channel:
    """An open line: bytes out, bytes in, nothing waits for ever.

    `record` gets every byte that comes in. `alive` tells whether there is still
    somebody at the other end, for lines that do not tell by themselves (a pty
    outlasts the program on it). `levels` are those of a serial port's modem lines.
    Raises `PortMissing`, `PortBusy`, `PortDenied` or another `LinkError` when it does
    not open, and `UsageError` for no URL of ours.
    """

    def __init__(
        self,
        url: str,
        *,
        record: Recorder | None = None,
        alive: Callable[[], bool] | None = None,
        baud: int = BAUD_RATE,
        levels: Levels = ASSERTED,
    ) -> None:
        self._alive = alive
        self._levels = levels
        self.received = 0
        self.sent = 0
        self._record = record
        self._baud = baud
        self._open(url)

    def _open(self, url: str) -> None:
        self.url = url
        self._unsent = bytearray()
        self._broken: Exception | None = None
        urls.require(url)
        if is_ssh(url):
            self._port = SshPort(url)
            return
        # a second connection would be taken by the system, and answered by nobody
        socketed = url.startswith("socket://")
        if socketed and (holder := owner.of_connection(url)) is not None:
            raise _busy(url, holder)
        try:
            port = self._made(url)
            port.rts, port.dtr = self._levels.rts, self._levels.dtr
            port.open()
        except (serial.SerialException, ValueError, OSError) as error:
            raise _open_error(url, error) from error
        self._port = port

    def _made(self, url: str) -> Any:
        """pyserial's port for this URL, not open yet."""
        settings: dict[str, Any] = {"baudrate": self._baud, "timeout": 0}
        if url.startswith("rfc2217://"):
            port = RemotePort(None, **settings)
        else:
            settings |= {"write_timeout": 0, "exclusive": True}
            if not url.startswith("socket://"):
                return serial.serial_for_url(url, do_not_open=True, **settings)
            port = _Socket(None, **settings)
        port.port = url
        return port

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the line; harmless when it is closed already."""
        with suppress(serial.SerialException, OSError, termios.error):
            # the system would wait up to 30 s for a board to take it
            self._port.reset_output_buffer()
        self._port.close()

    def reopen(self, url: str) -> None:
        """Open `url` in place of the line so far, which is closed; what was
        queued is dropped. Raises as the constructor does."""
        self.close()
        self._open(url)

    def send(self, data: bytes) -> None:
        """Queue `data`; `pump` sends it, whole and in order. Raises `LinkError` when so
        much waits already that nobody seems to take it."""
        if len(self._unsent) > QUEUED:
            raise self._full("")
        self._unsent += data

    def flush(self, limit: float) -> bytes:
        """Send all that is queued, within `limit` seconds; returns what came
        in meanwhile. Raises `LinkError` when the line takes no more bytes."""
        received = bytearray()
        end = time.monotonic() + limit
        while self._unsent:
            left = end - time.monotonic()
            if left <= 0:
                raise self._full(f" for {limit:g} s")
            received += self.pump(left)
        return bytes(received)

    def _full(self, since: str) -> LinkError:
        left = f"{len(self._unsent):,} are left"
        return LinkError(f"port {shown(self.url)!r} took no more bytes{since}: {left}")

    def pump(self, limit: float) -> bytes:
        """Read what is there and write what is queued.

        Returns as soon as something was read, or something was written, or
        `limit` seconds have passed; so an empty result is no failure. Raises
        `LineClosed` when the other end is gone, and not before everything it
        had sent was read: a device's last words are the ones that matter.
        """
        if not self._port.is_open:
            raise LineClosed(f"the line {shown(self.url)!r} is closed")
        try:
            readable, writable = self._ready(limit)
            data = self._port.read(CHUNK) if readable else b""
        except (serial.SerialException, OSError) as error:
            raise self._closed(error) from error
        if writable:
            self._write()
        if self._broken is not None and not readable:
            raise self._closed(self._broken) from self._broken
        if data:
            self.received += len(data)
            if self._record is not None:
                self._record.write(data)
        return data

    def _ready(self, limit: float) -> tuple[bool, bool]:
        """Whether it can be read, or written what is queued, within `limit`."""
        port = self._port.fileno()
        readable, writable, _ = select.select(
            [port], [port] if self._unsent else [], [], max(0.0, limit)
        )
        return bool(readable), bool(writable)

    def anything(self, limit: float) -> bool:
        """Whether there is something to `pump` within about `limit` seconds, be it
        the line's end; what is queued is sent meanwhile."""
        end = time.monotonic() + limit
        while True:
            readable, writable = self._ready(end - time.monotonic())
            if writable and not readable:
                self._write()
            if readable or self._broken is not None or time.monotonic() >= end:
                return readable or self._broken is not None

    def require_alive(self) -> None:
        """Raise `LineClosed` when nobody is at the other end any more. To be
        asked after a silence; what was sent before can still be read."""
        if self._alive is not None and not self._alive():
            raise LineClosed(f"the machine on the line {shown(self.url)!r} has ended")

    def _write(self) -> None:
        """Write what the line takes now; a failure waits until all is read."""
        try:
            taken = self._port.write(bytes(self._unsent[:CHUNK]))
        except (serial.SerialException, OSError) as error:
            self._broken = error
            self._unsent.clear()
        else:
            del self._unsent[:taken]
            self.sent += taken

    def _closed(self, error: Exception) -> LineClosed:
        return LineClosed(
            f"the line {shown(self.url)!r} was closed by its other end ({error})"
        )
