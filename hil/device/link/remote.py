"""A serial port of another computer, over RFC 2217 (Telnet's COM-PORT option).

pyserial reads it in a thread of its own and has no descriptor to wait for; here the
thread's arrivals can be waited for as all other lines are.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import serial
from serial import rfc2217

HELD = 1 << 18
"""Bytes that have arrived and were not taken, at most: more than a window of the longest
frames."""
OPTION = 1 << 10
"""Bytes of one Telnet option that a server may send, at most; COM-PORT's are short."""
LOOK_AGAIN = 0.1
"""Seconds after which a reader that waits for room sees that nobody listens any more."""


class _Arrivals(SimpleQueue[bytes | None]):
    """The bytes that arrived, None at the line's end; `readable` is a descriptor that
    looks as if it could be read while there are any."""

    def __init__(self) -> None:
        super().__init__()
        # a socket and no pipe: this end must also look as if it could be written
        self._ear, self._bell = socket.socketpair()
        self.readable = self._ear.fileno()
        for end in (self._ear, self._bell):
            end.setblocking(False)
        self._room = threading.Semaphore(HELD)
        self._given_up = False

    def put(
        self, item: bytes | None, block: bool = True, timeout: float | None = None
    ) -> None:
        """As a queue's; called by the reader thread. With `HELD` bytes in it, it waits
        until some were taken, and so does the server."""
        if item is not None:
            while not self._given_up and not self._room.acquire(timeout=LOOK_AGAIN):
                pass
            if self._given_up:
                return
        super().put(item)
        with suppress(BlockingIOError):  # it rings as loud as it can already
            self._bell.send(b"\0")

    def take(self, most: int) -> bytes | None:
        """Up to `most` bytes that have arrived; None when the line has ended, and
        everything before that was taken."""
        with suppress(BlockingIOError):
            self._ear.recv(1 << 16)
        data = bytearray()
        with suppress(Empty):
            while len(data) < most:
                item = self.get_nowait()
                if item is None:
                    self.put(None)  # for whoever asks again
                    return bytes(data) or None
                data += item
                self._room.release()
            with suppress(BlockingIOError):
                self._bell.send(b"\0")  # there may be more
        return bytes(data)

    def give_up(self) -> None:
        """Nobody will take anything more: the reader thread is not kept waiting."""
        self._given_up = True

    def close(self) -> None:
        """Give the descriptors back; the reader thread must have ended."""
        self._ear.close()
        self._bell.close()


class _Telnet:
    """A socket that has ended, for its reader, where an option of the server's does not:
    pyserial would keep all of it."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._escaped = False
        self._option: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def recv(self, size: int) -> bytes:
        """As the socket's."""
        data = self._inner.recv(size)
        for byte in data if self._concerned(data) else b"":
            self._see(byte)
            if self._option is not None and self._option > OPTION:
                return b""
        return data

    def _concerned(self, data: bytes) -> bool:
        return self._escaped or self._option is not None or rfc2217.IAC in data

    def _see(self, byte: int) -> None:
        command = self._escaped
        self._escaped = not command and byte == rfc2217.IAC[0]
        if command and byte == rfc2217.SB[0]:
            self._option = 0
        elif command and byte == rfc2217.SE[0]:
            self._option = None
        elif self._option is not None:
            self._option += 1


class RemotePort(rfc2217.Serial):
    """pyserial's, with a descriptor."""

    _arrivals: _Arrivals | None = None
    _telnet: _Telnet | None = None

    @property
    def _socket(self) -> _Telnet | None:
        """What pyserial's reader thread reads."""
        return self._telnet

    @_socket.setter
    def _socket(self, opened: socket.socket | None) -> None:
        self._telnet = None if opened is None else _Telnet(opened)

    @property
    def _read_buffer(self) -> _Arrivals:
        """What pyserial's reader thread puts into."""
        assert self._arrivals is not None
        return self._arrivals

    @_read_buffer.setter
    def _read_buffer(self, _: object) -> None:
        self._arrivals = _Arrivals()

    def fileno(self) -> int:
        """To be waited for; not to be read."""
        return self._read_buffer.readable

    def read(self, size: int = 1) -> bytes:
        """What has arrived, at once. Raises `SerialException` when the line has
        ended, and not before everything that came before was read."""
        data = self._read_buffer.take(size)
        if data is None:
            raise serial.SerialException("the server has hung up")
        return data

    def reset_input_buffer(self) -> None:
        """Drop what has arrived."""
        self.rfc2217_send_purge(rfc2217.PURGE_RECEIVE_BUFFER)
        self._read_buffer.take(1 << 16)

    def reset_output_buffer(self) -> None:
        """Nothing is kept here, and a server that is gone would be waited for."""

    def close(self) -> None:
        """Hang up; harmless when that is done already."""
        if self._arrivals is not None:
            self._arrivals.give_up()
        super().close()
        if self._arrivals is not None:
            self._arrivals.close()
            self._arrivals = None
