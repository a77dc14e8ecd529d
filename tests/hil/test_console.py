"""A Linux board by its serial console: a shell there has started the program on it."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil import Experiment
from hil.learning.session import run
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare

NETWORK = (64, 17, 10)
LOGIN = "stty raw -echo; while :; do {image} --stdio --flash {image}.flash; done"
"""As docs/boards.md has it."""


class Cable:
    """Two terminals, each with what is written to the other: `near` is the port that
    is opened here, `far` the descriptor of the board's."""

    def __init__(self) -> None:
        (self._one, near), (self._other, self.far) = os.openpty(), os.openpty()
        tty.setraw(near)  # the far one stays as a login leaves it
        self._near, self.near = near, os.ttyname(near)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def close(self) -> None:
        """Pulls it out."""
        self._ended.set()
        self._thread.join()
        for end in (self._one, self._near, self._other, self.far):
            os.close(end)

    def _carry(self) -> None:
        to = {self._one: self._other, self._other: self._one}
        while not self._ended.is_set():
            for end in select.select(list(to), [], [], 0.05)[0]:
                os.write(to[end], os.read(end, 4096))


@pytest.fixture
def port(host_cc: str, tmp_path: Path) -> Iterator[str]:
    """A board's, which runs the image of `NETWORK`."""
    asked = Experiment(target="host", unit="/dev/null", network=NETWORK)
    image = tmp_path / "image"
    image.symlink_to(build(plan_for(prepare(asked))).image.path)
    cable = Cable()
    shell = subprocess.Popen(
        ["sh", "-c", LOGIN.format(image=image)],
        stdin=cable.far, stdout=cable.far, start_new_session=True,
    )  # fmt: skip
    yield cable.near
    os.killpg(shell.pid, 9)
    shell.wait()
    cable.close()


def test_a_program_on_a_console_learns_and_is_there_again(
    port: str, tmp_path: Path
) -> None:
    asked = Experiment(
        target="host", unit=port, network=NETWORK, steps=40, test=20, commit=20
    )
    first = run(asked, out=tmp_path)
    assert (first.result, first.compared) == ("pass", 40)
    more = run(asked.override({"steps": 60}), out=tmp_path, resume=True)
    assert (more.result, more.resumed_from, more.compared) == ("pass", 40, 20)
