"""hil doctor --unit and hil bench link --unit: a board answers, and its line carries
every byte value."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

import targets
from codegen import protocol
from hil import Experiment
from hil.cli import main
from hil.device.exchange import say_hello
from hil.device.link.channel import Channel
from hil.device.link.window import Window
from hil.device.units import Unit
from hil.errors import LinkError
from hil.measuring import echo, unit_check
from hil.measuring.lying_device import Lie, LyingLine
from tests.hil.conftest import Board

ASKED = Experiment(network=(64, 17, 10))


@pytest.fixture
def url(board: Callable[[Experiment], Board]) -> str:
    return board(ASKED).url


@contextmanager
def altered(url: str, right: bytes, wrong: bytes) -> Iterator[str]:
    """The line at `url`, behind a relay that puts `wrong` for `right` in what is sent
    to the device."""
    host, port = url.removeprefix("socket://").split(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def carry(come: socket.socket, go: socket.socket, alters: bool) -> None:
            with suppress(OSError):
                while data := come.recv(1 << 16):
                    go.sendall(data.replace(right, wrong) if alters else data)
                go.shutdown(socket.SHUT_WR)

        def serve() -> None:
            with (
                listener.accept()[0] as client,
                socket.create_connection((host, int(port))) as device,
            ):
                up = threading.Thread(target=carry, args=(device, client, False))
                up.start()
                carry(client, device, True)
                up.join()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"socket://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_a_unit_that_answers_on_a_good_line_has_two_good_findings(url: str) -> None:
    found = list(unit_check.findings(Unit("desk", url, "host")))
    assert [(one.check, one.state) for one in found] == [
        ("unit desk", "ok"), ("line of desk", "ok"),
    ]  # fmt: skip
    assert found[0].text.startswith("host answers, with build ")
    assert found[1].text == "each of the 256 byte values came back by ECHO"


def test_a_unit_of_another_target_is_told(url: str) -> None:
    (first, _) = unit_check.findings(Unit("desk", url, "mps2-an386"))
    assert (first.state, first.exit_code) == ("failure", 6)
    assert first.advice == ("the bench says that it is of target mps2-an386",)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"\x0b\x0c\r", b"\x0b\x0c"),
        (b"\x0f\x10\x11", b"\x0f\x10"),
        (b"\xff\x01\x02\x03", b"\x01\x02\x03"),
    ],
    ids=["CR", "XON", "0xff"],
)
def test_a_line_that_does_not_carry_a_byte_value_is_a_failure(
    url: str, monkeypatch: pytest.MonkeyPatch, right: bytes, wrong: bytes
) -> None:
    """It is lost among its neighbours alone, as they are encoded, so that HELLO
    passes."""
    host = targets.load("host")
    quick = replace(host, limits=replace(host.limits, reply=1, watchdog=0.5))
    monkeypatch.setattr(targets, "load", lambda name: quick)
    with altered(url, right, wrong) as line:
        found = list(unit_check.findings(Unit("desk", line, "host")))
    assert [one.state for one in found] == ["ok", "failure"]
    assert found[1].exit_code == 5 and "no answer to ECHO" in found[1].text


def test_an_echo_that_is_another_is_no_good_line(url: str) -> None:
    lie = Lie(protocol.ECHO.name, "payload", "a word less")
    with Channel(url) as channel:
        window = Window(LyingLine(channel, [lie]), lambda _: None)
        say_hello(window, 20.0)
        with pytest.raises(LinkError, match="gave other bytes back"):
            unit_check._require_every_byte(window, 20.0)


def test_a_port_that_is_not_there_is_one_finding() -> None:
    (found,) = unit_check.findings(Unit("desk", "/no/port", "host"))
    assert (found.check, found.state, found.exit_code) == ("line of desk", "failure", 5)


def test_hil_doctor_looks_at_the_unit_and_its_target(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--target", "host", "--unit", url]) == 0
    out = capsys.readouterr().out
    assert f"ok    line of {url}: each of the 256 byte values came back" in out
    assert "compiler for host" in out and "compiler for qemu" not in out


def test_hil_bench_link_measures_a_unit_with_the_image_that_it_runs(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(echo, "ROUND_SECONDS", 0.05)
    where = tmp_path / "link.json"
    asked = ("--target", "host", "--network", "64-17-10", "--steps", "20")
    assert main(["bench", "link", "--unit", url, *asked, "--json", str(where)]) == 0
    found = json.loads(where.read_text())
    assert found["echo"] > 0 and found["lockstep"] > 0
    assert (found["raw"], found["resident"], found["first_step"]) == (None,) * 3
    assert set(found["provenance"].values()) == {"emulated", "reference"}
    assert "raw" not in found["provenance"]
