"""Channel over a real TCP loopback and a real pty: the same code for both."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.device.link.channel import Channel
from hil.device.units import chosen
from hil.errors import LineClosed, LinkError, PortBusy, PortMissing, UsageError


@dataclass
class Far:
    """The other end of a line, as a file descriptor."""

    url: str
    descriptor: int

    def write(self, data: bytes) -> None:
        os.write(self.descriptor, data)

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += os.read(self.descriptor, size - len(data))
        return data


@pytest.fixture(params=["socket", "pty"])
def lines(request: pytest.FixtureRequest) -> Iterator[tuple[Channel, Far, io.BytesIO]]:
    record = io.BytesIO()
    if request.param == "socket":
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"socket://127.0.0.1:{server.getsockname()[1]}"
            channel = Channel(url, record=record)
            far = Far(url, server.accept()[0].detach())
    else:
        master, slave = os.openpty()
        tty.setraw(slave)
        far = Far(os.ttyname(slave), master)
        channel = Channel(far.url, record=record)
        os.close(slave)
    with channel:
        yield channel, far, record
    with contextlib.suppress(OSError):  # a test may have closed it
        os.close(far.descriptor)


def drain(channel: Channel, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += channel.pump(5.0)
    return data


def test_bytes_pass_both_ways_and_are_recorded(
    lines: tuple[Channel, Far, io.BytesIO],
) -> None:
    channel, far, record = lines
    every = bytes(range(256))
    channel.send(every)
    channel.flush(5.0)
    assert far.read(256) == every
    far.write(every)
    assert drain(channel, 256) == every
    assert record.getvalue() == every
    assert (channel.sent, channel.received) == (256, 256)


def test_pump_returns_nothing_after_its_limit(
    lines: tuple[Channel, Far, io.BytesIO],
) -> None:
    channel, _, _ = lines
    assert channel.pump(0.0) == b""
    assert channel.pump(0.02) == b""


def test_a_write_larger_than_every_buffer_arrives_whole_while_the_far_end_talks(
    lines: tuple[Channel, Far, io.BytesIO],
) -> None:
    channel, far, _ = lines
    blob = os.urandom(1 << 20)
    told: list[bytes] = []

    def answer() -> None:
        while sum(map(len, told)) < len(blob):
            part = os.read(far.descriptor, 3000)
            told.append(part)
            far.write(part)

    thread = threading.Thread(target=answer)
    thread.start()
    channel.send(blob)
    back = channel.flush(30.0)
    back += drain(channel, len(blob) - len(back))
    thread.join()
    assert b"".join(told) == blob
    assert back == blob


def test_last_words_are_read_before_the_line_counts_as_closed(
    lines: tuple[Channel, Far, io.BytesIO],
) -> None:
    channel, far, _ = lines
    far.write(b"FAULT")
    os.close(far.descriptor)
    channel.send(b"more work")
    heard = b""
    with pytest.raises(LineClosed, match="closed by its other end"):
        for _ in range(10):
            heard += channel.pump(1.0)
    if channel.url.startswith("socket"):
        assert heard == b"FAULT"  # a pty drops what was not read when it hangs up


def test_a_line_that_takes_nothing_is_an_error_after_the_limit(
    lines: tuple[Channel, Far, io.BytesIO],
) -> None:
    channel, _, _ = lines
    channel.send(bytes(32 << 20))
    with pytest.raises(LinkError, match="took no more bytes"):
        channel.flush(0.2)


def test_a_line_that_takes_nothing_is_not_queued_for_without_end(
    lines: tuple[Channel, Far, io.BytesIO],
) -> None:
    channel, _, _ = lines
    with pytest.raises(LinkError, match="took no more bytes: 9,000,000 are left"):
        for _ in range(100):
            channel.send(bytes(1_000_000))


def test_a_port_that_is_open_elsewhere_is_busy() -> None:
    master, slave = os.openpty()
    name = os.ttyname(slave)
    with (
        Channel(name),
        pytest.raises(PortBusy, match="in use by another program") as caught,
    ):
        Channel(name)
    assert name in str(caught.value)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("/dev/ttyNOSUCH7", "there is no port"),
        (
            "socket://127.0.0.1:1",
            r"nobody listens on port .* refuses a connection to 1",
        ),
        ("rfc2217://127.0.0.1:1", r"nobody listens on port .* refuses a connection"),
        ("socket://nowhere.invalid:5", "host 'nowhere.invalid' is not known"),
    ],
)
def test_a_port_that_is_not_there_is_missing(url: str, sentence: str) -> None:
    with pytest.raises(PortMissing, match=sentence) as caught:
        Channel(url)
    assert caught.value.exit_code == 5 and caught.value.hints


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("socket://127.0.0.1", r"has no port number: expected socket://HOST:PORT"),
        ("rfc2217://board", r"has no port number: expected rfc2217://HOST:PORT"),
        ("socket://board:0", "has no port number"),
        ("socket://board:99999", "with a port number from 1 to 65535"),
        ("rfc2217://board:ttyS0", "with a port number from 1 to 65535"),
        ("socket://[::1", "with a port number from 1 to 65535"),
        ("socket://:4000", "names no host"),
        ("tcp://board:4000", "begins with tcp://, which is none of ours"),
        ("hwgrep://CP2102", "begins with hwgrep://, which is none of ours"),
    ],
)
def test_a_text_that_names_no_port_is_told_before_anything_is_opened(
    url: str, sentence: str
) -> None:
    for refused in (Channel, lambda text: chosen(text, None)):
        with pytest.raises(UsageError, match=sentence) as caught:
            refused(url)
        assert caught.value.exit_code == 2


def test_a_scheme_that_is_misspelt_is_recognised() -> None:
    with pytest.raises(UsageError) as caught:
        Channel("sockt://127.0.0.1:4000")
    assert caught.value.hints == ("did you mean socket://?",)


def test_what_is_no_serial_port_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.touch()
    for path in (file, tmp_path):
        with pytest.raises(LinkError, match="is no serial port"):
            Channel(str(path))


def test_a_raw_server_behind_rfc2217_is_told_from_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        # how long the options are waited for
        with pytest.raises(LinkError, match="does not speak RFC 2217") as caught:
            Channel(f"rfc2217://{address}?timeout=0.1")
    assert caught.value.hints == (f"a bare TCP line is socket://{address}",)
