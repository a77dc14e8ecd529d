"""A board behind an RFC 2217 server: pyserial's own, over the line of the firmware."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import serial
from serial import rfc2217
from serial.rfc2217 import IAC, NOP, SB, SE

from hil import Experiment
from hil.cli import main
from hil.desk.flashing import who_is_there
from hil.device import units
from hil.device.link.channel import Channel
from hil.device.link.modem import Levels
from hil.device.link.remote import OPTION, _Arrivals
from hil.errors import LineClosed, PortMissing
from hil.learning.session import run


class Server:
    """One client after the other on a line (no pty: that has no modem lines); `hang_up`
    ends the one there is. `levels` are what each had set RTS and DTR to."""

    def __init__(self, url: str) -> None:
        self._port = serial.serial_for_url(url, timeout=0.01)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None
        self.levels: list[tuple[bool, bool]] = []
        self.url = f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Part of rfc2217.PortManager's connection."""
        assert self._client is not None
        self._client.sendall(data)

    def hang_up(self) -> None:
        assert self._client is not None
        self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self._port.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError):
                self._client = self._listener.accept()[0]
                self._attend(self._client)

    def _attend(self, client: socket.socket) -> None:
        self._port.rts = self._port.dtr = True  # as a system opens a port
        manager = rfc2217.PortManager(self._port, self)
        up = threading.Thread(target=self._upwards, args=(manager, client))
        up.start()
        try:
            while data := client.recv(4096):
                self._port.write(b"".join(manager.filter(data)))
        finally:
            self.levels.append((self._port.rts, self._port.dtr))
            client.close()
            up.join()

    def _upwards(self, manager: Any, client: socket.socket) -> None:
        with suppress(OSError):
            while client.fileno() >= 0:
                if data := self._port.read(1):  # of more it may lose the last
                    client.sendall(b"".join(manager.escape(data)))


@pytest.fixture
def remote(board: Callable[[Experiment], Any]) -> Iterator[Server]:
    """The digits' small network, behind a server."""
    server = Server(board(Experiment(network=(64, 17, 10))).url)
    yield server
    server.close()


def test_a_board_behind_a_server_learns_bit_exact(
    remote: Server, tmp_path: Path
) -> None:
    asked = Experiment(
        target="host", unit=remote.url, network=(64, 17, 10), steps=60, test=20
    )
    record = run(asked, out=tmp_path)
    assert (record.result, record.compared) == ("pass", 60)


@pytest.fixture
def line() -> Iterator[Server]:
    """A port with nothing at it, behind a server."""
    server = Server("loop://")
    yield server
    server.close()


@pytest.mark.parametrize("rts", [True, False])
@pytest.mark.parametrize("dtr", [True, False])
def test_modem_lines_are_set_as_they_should_be(
    line: Server, rts: bool, dtr: bool
) -> None:
    """Also when the line is opened again."""
    with Channel(line.url, levels=Levels(rts, dtr)) as channel:
        assert (line._port.rts, line._port.dtr) == (rts, dtr)
        channel.reopen(line.url)
        assert (line._port.rts, line._port.dtr) == (rts, dtr)


def test_whatever_opens_a_unit_sets_its_modem_lines(
    remote: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text(
        f"[units.desk]\ntarget = 'host'\nport = '{remote.url}'\nrts = 'off'\n"
    )
    monkeypatch.setenv("HIL_BENCH", str(bench))
    asked = Experiment(
        target="host", unit="desk", network=(64, 17, 10), steps=8, test=0
    )
    unit = units.chosen("desk", "host")
    assert who_is_there(unit.url, 20.0, unit.levels) is not None
    assert main(["monitor", "--unit", "desk", "--seconds", "0.1"]) == 0
    assert run(asked, out=tmp_path).result == "pass"
    remote.close()
    assert remote.levels == [(False, True)] * 3


def test_a_server_that_hangs_up_is_a_closed_line(remote: Server) -> None:
    with Channel(remote.url) as channel:
        assert channel.pump(0.0) == b""
        remote.hang_up()
        with pytest.raises(LineClosed, match="the server has hung up"):
            while True:
                channel.pump(5.0)


@pytest.mark.parametrize("between", [b"", IAC + IAC, IAC + NOP])
def test_an_option_that_never_ends_is_a_closed_line(
    remote: Server, between: bytes
) -> None:
    with Channel(remote.url) as channel:
        remote.write(b"data" + IAC + SB + between + bytes(OPTION) + b"more")
        heard = b""
        with pytest.raises(LineClosed, match="the server has hung up"):
            while True:
                heard += channel.pump(10.0)
        assert heard in (b"", b"data")


def test_options_that_end_are_none_of_the_lines_data(remote: Server) -> None:
    option = IAC + SB + b"x" * (OPTION - 8) + IAC + SE
    with Channel(remote.url) as channel:
        remote.write(b"one" + 3 * option + b"two" + IAC + IAC)
        heard = b""
        while len(heard) < 7:
            heard += channel.pump(10.0)
        assert heard == b"onetwo\xff"


def test_a_server_that_is_not_there_is_a_missing_port() -> None:
    with pytest.raises(PortMissing, match="nobody listens on port 'rfc2217://"):
        Channel("rfc2217://127.0.0.1:1")


def test_a_server_that_sends_without_end_waits_for_who_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that a flood is held by the network and not in this program's memory."""
    monkeypatch.setattr("hil.device.link.remote.HELD", 100)
    arrivals = _Arrivals()
    reader = threading.Thread(target=lambda: [arrivals.put(b"x") for _ in range(150)])
    reader.start()
    assert len(arrivals.take(60)) <= 60
    arrivals.give_up()
    reader.join()
    left = arrivals.take(1000)
    assert left is not None and len(left) <= 100
    arrivals.close()
