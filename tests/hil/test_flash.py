"""hil flash, on a board made of a native process on a pty: its programmer puts
another image in its place, or says so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import targets
from hil import Experiment
from hil.cli import main
from hil.lesson import preparing
from hil.lesson.building import Built, build, plan_for
from hil.lesson.preparing import prepare

BOARD = """
import subprocess, sys
from emulation.line import PtyLine
line = PtyLine()
print(line.url, flush=True)
running = None
for image in sys.stdin:
    if running is not None:
        running.kill()
        running.wait()
    fd = str(line.guest_fd)
    command = [image.strip(), "--fd", fd]
    running = subprocess.Popen(command, pass_fds=[line.guest_fd])
    print("running", flush=True)
running.kill()
"""
PROGRAMMER = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as to:
    to.sendall(sys.argv[2].encode())
    to.shutdown(socket.SHUT_WR)
    assert to.recv(2) == b"ok"
"""


class Unit:
    """A board, and the port of a socket that takes the path of its next image."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", BOARD], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.port = self._process.stdout.readline().strip()

    def load(self, image: Path) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(f"{image}\n")
        stdin.flush()
        assert stdout.readline() == "running\n"

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture
def unit(host_cc: str) -> Iterator[Unit]:
    made = Unit()
    yield made
    made.close()


def built(**keys: object) -> Built:
    asked = Experiment(target="host", unit="/dev/null", network="64-17-10")
    return build(plan_for(prepare(asked.override(keys))))


def flash(unit: Unit, command: str, *more: str) -> int:
    given = ["--target", "host", "--network", "64-17-10", "--unit", unit.port]
    return main(["flash", *given, "--with", command, *more])


@pytest.fixture
def programmer(unit: Unit, tmp_path: Path) -> Iterator[str]:
    """A command that does what a programmer does: in a process of its own it asks
    for the image to be run."""
    import socket
    import threading

    script = tmp_path / "programmer.py"
    script.write_text(PROGRAMMER)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection = server.accept()[0]
            with connection:
                image = b"".join(iter(lambda: connection.recv(4096), b""))
                unit.load(Path(image.decode()))
                connection.sendall(b"ok")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"{sys.executable} {script} {server.getsockname()[1]} {{image}}"


def test_a_unit_is_flashed_when_the_new_image_has_answered(
    unit: Unit, programmer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    unit.load(built(network="64-10").image.path)
    assert flash(unit, programmer) == 0
    assert "flashed, and the new image has answered" in capsys.readouterr().out
    assert flash(unit, programmer) == 0
    assert "runs it already" in capsys.readouterr().out


def test_ok_from_a_programmer_that_did_nothing_is_no_success(
    unit: Unit, capsys: pytest.CaptureFixture[str]
) -> None:
    unit.load(built(network="64-10").image.path)
    assert flash(unit, "true {image}") == 6
    told = capsys.readouterr().err
    assert "not the new image answers: the device runs build" in told


def test_a_programmer_that_fails_is_told_with_what_it_said(
    unit: Unit, capsys: pytest.CaptureFixture[str]
) -> None:
    unit.load(built(network="64-10").image.path)
    assert flash(unit, "sh -c 'echo no probe found; exit 3' {image}") == 4
    told = capsys.readouterr().err
    assert "programmer 'sh' failed with exit code 3" in told
    assert "it said: no probe found" in told
    assert flash(unit, "/nowhere/programmer {image}") == 4


def test_a_unit_of_another_target_is_not_touched(
    unit: Unit, qemu64: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit.load(built().image.path)
    mark = tmp_path / "programmed"
    given = ["--target", "qemu-rv64gc", "--network", "64-17-10", "--unit", unit.port]
    assert main(["flash", *given, "--with", f"touch {mark} {{image}}"]) == 6
    assert (
        "says that it is target 'host', but the image is for" in capsys.readouterr().err
    )
    assert not mark.exists()


def test_a_unit_that_says_nothing_is_flashed_only_when_it_may_be_blank(
    unit: Unit,
    programmer: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = targets.load("host")
    quick = replace(made, limits=replace(made.limits, hello=2.0))
    monkeypatch.setattr(preparing, "load_target", lambda name: quick)
    assert flash(unit, programmer) == 6
    assert "does not say what it is" in capsys.readouterr().err
    assert flash(unit, programmer, "--blank") == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--with", "x {image}"], "needs --unit NAME|PORT"),
        (["--unit", "/dev/null"], "has no loader"),
        (["--unit", "/dev/null", "--with", "x"], "expected a command with {image}"),
        (["--unit", "/dev/null", "--with", "x 'y"], "No closing quotation"),
    ],
)
def test_what_is_missing_is_named(
    given: list[str], sentence: str, host_cc: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flash", "--target", "host", "--network", "64-17-10", *given]) == 2
    assert sentence in capsys.readouterr().err
