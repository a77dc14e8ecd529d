"""A line that alters bytes is named: a real device behind a real terminal whose
settings are those of a console, a telnet server, an adapter that echoes."""

from __future__ import annotations

import dataclasses
import os
import re
import selectors
import socket
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.errors import NoAnswer
from hil.experiment import Experiment
from tests.hil.conftest import Board

IFLAG, OFLAG, CFLAG, LFLAG = range(4)
Start = Callable[[Experiment], Board]


def opened(url: str) -> socket.socket:
    host, port = url.removeprefix("socket://").split(":")
    return socket.create_connection((host, int(port)))


@contextmanager
def relayed(
    pairs: list[tuple[int, int]], to_left: Callable[[bytes], bytes] = bytes
) -> Iterator[None]:
    """Carries bytes between the two of each pair of descriptors, until it ends."""
    stop, stopped = os.pipe()
    ways = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    lefts = {left for left, _ in pairs}
    for end in ways:
        os.set_blocking(end, False)  # what a stopped terminal does not take is lost

    def carry() -> None:
        with selectors.DefaultSelector() as waiting:
            for end in (stop, *ways):
                waiting.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    if key.fd == stop:
                        return
                    with suppress(OSError):
                        data = os.read(key.fd, 4096)
                        if not data:
                            return
                        other = ways[key.fd]
                        os.write(other, to_left(data) if other in lefts else data)

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield
    finally:
        os.write(stopped, b"x")
        thread.join()
        os.close(stop)
        os.close(stopped)


@contextmanager
def terminal(one: Board, settings: dict[int, int]) -> Iterator[Channel]:
    """A line to the device through a terminal with these flags, as where a program on a
    board is started at its console."""
    master, slave = os.openpty()
    tty.setraw(slave)
    mode = termios.tcgetattr(slave)
    mode[OFLAG] = 0
    mode[LFLAG] &= ~termios.ECHOCTL  # type: ignore[operator]
    for place, flags in settings.items():
        mode[place] |= flags  # type: ignore[operator]
    termios.tcsetattr(slave, termios.TCSANOW, mode)
    device = opened(one.url)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with Channel(url) as channel:
            near = server.accept()[0]
            pairs = [(near.fileno(), master), (slave, device.fileno())]
            with relayed(pairs):
                yield channel
    for end in (device, near):
        end.close()
    os.close(master)
    os.close(slave)


def device_on(channel: object, one: Board, limit: float = 0.5) -> Device:
    limits = one.lesson.target.limits
    quick = dataclasses.replace(
        limits, hello=limit, reply=limit, step=limit, watchdog=limit / 2
    )
    return Device(channel, one.built.plan, quick)  # type: ignore[arg-type]


def used(device: Device, one: Board) -> None:
    """A session that carries bytes of every value, both ways."""
    device.hello(one.built.image.digest, 0, 0.5)
    device.init(1)
    device.read(device.plan.state[0])
    for _ in device.echo(bytes([v]) * 20 for v in range(256)):
        pass


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({IFLAG: termios.ICRNL}, r"CR \(0x0d\)"),
        ({IFLAG: termios.IGNCR}, r"CR \(0x0d\)"),
        ({IFLAG: termios.INLCR}, r"LF \(0x0a\)"),
        ({OFLAG: termios.OPOST | termios.ONLCR}, r"puts a CR \(0x0d\) before each LF"),
        ({IFLAG: termios.IXON}, "XON and XOFF"),
        ({IFLAG: termios.ISTRIP}, "seven bits"),
        ({LFLAG: termios.ECHO}, "gives back what is sent"),
        ({LFLAG: termios.ECHO | termios.ICANON | termios.ECHOCTL}, "control characters as text"),
    ],
    ids=["icrnl", "igncr", "inlcr", "onlcr", "ixon", "istrip", "echo", "cooked"],
)  # fmt: skip
def test_what_a_terminal_does_to_bytes_is_named(
    board: Start, settings: dict[int, int], named: str
) -> None:
    one = board(Experiment(network=(64, 17, 10), steps=60))
    with terminal(one, settings) as channel:
        device = device_on(channel, one)
        try:
            used(device, one)
        except NoAnswer as error:
            said, hints = str(error), error.hints
        else:  # it echoes, but the device's answers came through too
            altered = device.altered()
            assert altered is not None
            said, hints = altered.what, (altered.cure,)
    assert re.search(named, said), said
    assert hints


def test_a_line_that_takes_no_hello_is_greeted_in_bytes_that_any_line_carries(
    board: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.device.exchange.fresh_number", lambda: 0x0D0D0D0D)
    one = board(Experiment(network=(64, 17, 10), steps=60))
    with terminal(one, {IFLAG: termios.ICRNL}) as channel:
        device = device_on(channel, one)
        with pytest.raises(NoAnswer, match=r"no answer to HELLO.*CR \(0x0d\)"):
            used(device, one)


@contextmanager
def proxied(one: Board, to_host: Callable[[bytes], bytes]) -> Iterator[Channel]:
    """A line through a server that does this to what the device says."""
    device = opened(one.url)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with Channel(url) as channel:
            near = server.accept()[0]
            with relayed([(near.fileno(), device.fileno())], to_host):
                yield channel
    for end in (device, near):
        end.close()


def test_a_telnet_server_is_named(board: Start) -> None:
    one = board(Experiment(network=(64, 17, 10), steps=60))
    with proxied(one, lambda said: said.replace(b"\xff", b"\xff\xff")) as channel:
        device = device_on(channel, one)
        with pytest.raises(NoAnswer, match="the line speaks telnet"):
            used(device, one)


def test_a_line_on_which_nobody_but_ourselves_is_heard_is_named(board: Start) -> None:
    one = board(Experiment(network=(64, 17, 10), steps=60))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with Channel(f"socket://127.0.0.1:{port}") as channel:
            near = server.accept()[0]
            device = device_on(channel, one)
            with (
                relayed([(near.fileno(), near.fileno())]),
                pytest.raises(NoAnswer, match="gives back what is sent") as error,
            ):
                device.hello(one.built.image.digest, 0, 0.3)
            near.close()
    assert any("between TX and RX" in hint for hint in error.value.hints)


@pytest.mark.parametrize("faults", ["flip=0", "flip=0.003,drop=0.05,seed=3"])
def test_a_line_that_alters_nothing_is_not_blamed(
    board: Start, faulty: Callable[..., Any], faults: str
) -> None:
    one = board(Experiment(network=(64, 17, 10), steps=60))
    with Channel(one.url) as channel:
        device = device_on(faulty(channel, faults), one, 10.0)
        device.hello(one.built.image.digest, 0, 10.0)
        assert device.altered() is None
