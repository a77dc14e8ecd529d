"""Real devices for the host's tests: the firmware as a native process, and a
line that damages what passes through it."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

import emulation
from codegen import render
from hil.building import Built, build, plan_for
from hil.experiment import Experiment
from hil.lesson import Lesson, prepare

Mutate = Callable[[str, str, str], None]


@dataclass(frozen=True)
class Board:
    """A device that runs already, as a board on a desk does."""

    url: str
    lesson: Lesson
    built: Built
    machine: emulation.Machine


@pytest.fixture
def board(host_cc: str) -> Iterator[Callable[[Experiment], Board]]:
    """Builds an experiment for the host target and starts it."""
    with ExitStack() as stack:

        def start(experiment: Experiment) -> Board:
            lesson = prepare(experiment.override({"target": "host"}))
            built = build(plan_for(lesson))
            machine = emulation.machine_for(
                lesson.target, built.image.path, console=experiment.console
            )
            stack.enter_context(machine)
            machine.power_on()
            machine.run()
            assert machine.url is not None
            return Board(machine.url, lesson, built, machine)

        yield start


class FaultyLine:
    """A TCP relay that drops or changes one byte in about `every`, in both
    directions, the same ones each time for the same seed."""

    def __init__(self, far: str, every: int, seed: int) -> None:
        self.faults = 0
        self._every = every
        self._server = socket.create_server(("127.0.0.1", 0))
        self._far = ("127.0.0.1", int(far.rsplit(":", 1)[1]))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._random = (random.Random(seed), random.Random(seed + 1))
        self.url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._run(self._accept)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            near = self._server.accept()[0]
            far = socket.create_connection(self._far)
            self._sockets += [near, far]
            self._run(lambda: self._relay(near, far, self._random[0]))
            self._run(lambda: self._relay(far, near, self._random[1]))

    def _relay(
        self, source: socket.socket, to: socket.socket, dice: random.Random
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                to.sendall(bytes(self._damaged(data, dice)))
            to.shutdown(socket.SHUT_WR)

    def _damaged(self, data: bytes, dice: random.Random) -> Iterator[int]:
        for byte in data:
            fate = dice.randrange(2 * self._every)
            self.faults += fate < 2
            if fate != 0:
                yield byte ^ 0x40 if fate == 1 else byte

    def close(self) -> None:
        """Cut the line."""
        for end in (*self._sockets, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def faulty_line() -> Iterator[Callable[..., FaultyLine]]:
    """Makes faulty lines to a url."""
    made: list[FaultyLine] = []

    def lay(far: str, every: int, seed: int = 1) -> FaultyLine:
        made.append(FaultyLine(far, every, seed))
        return made[-1]

    yield lay
    for line in made:
        line.close()


@pytest.fixture
def small() -> Experiment:
    """A short lesson on a small network."""
    return Experiment(target="host", network=(64, 17, 10), steps=60, test=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where run folders go."""
    return tmp_path / "runs"


@pytest.fixture
def mutate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mutate:
    """Makes a template wrong for the rest of the test."""
    folder = tmp_path / "templates"
    shutil.copytree(render.TEMPLATES, folder)
    monkeypatch.setattr(render, "TEMPLATES", folder)

    def change(template: str, right: str, wrong: str) -> None:
        path = folder / "kernels" / template
        text = path.read_text()
        assert right in text, f"{template} has changed: this mutation no longer applies"
        path.write_text(text.replace(right, wrong))

    return change
