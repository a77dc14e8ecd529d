"""Two runs at once: on one unit the second is refused with the owner's name; in
emulators of their own they do not know of each other."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hil import Experiment
from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.errors import NoAnswer, PortBusy

pytestmark = pytest.mark.usefixtures("host_cc")
ROOT = Path(__file__).parents[2]
LIMIT = 120.0
NETWORK = ("--network", "64-10")
needs_proc = pytest.mark.skipif(
    not Path("/proc/locks").exists(), reason="the owner is found in /proc"
)


def start(out: Path, *given: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hil", "run", *NETWORK, *given, "--out", str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@needs_proc
@pytest.mark.parametrize("console", ["pty", "socket"])
def test_the_second_run_on_a_unit_is_told_who_has_it(
    board: Callable[[Experiment], Any], folder: Path, console: str
) -> None:
    asked = Experiment(target="host", network=(64, 10), console=console)
    given = ("--target", "host", "--unit", board(asked).url, "--epochs", "900")
    with start(folder, *given) as first:
        try:
            assert first.stdout is not None
            assert any(line.startswith("hello") for line in first.stdout)
            with start(folder, *given) as second:
                _, said = second.communicate(timeout=LIMIT)
        finally:
            first.terminate()
            first.communicate(timeout=LIMIT)
    assert second.returncode == PortBusy.exit_code
    sentence, *_ = said.splitlines()
    assert sentence.startswith("hil: port '") and "is in use by" in sentence
    assert f"(pid {first.pid}: " in sentence and "-m hil run" in sentence
    assert first.returncode == 143  # and the first was not disturbed


def test_a_socket_that_serves_somebody_unknown_is_no_hang(
    board: Callable[[Experiment], Any],
) -> None:
    """A connection of this very process is none that the refusal speaks of."""
    unit = board(Experiment(target="host", network=(64, 10)))
    address = ("127.0.0.1", int(unit.url.rsplit(":", 1)[1]))
    with socket.create_connection(address), Channel(unit.url) as channel:
        device = Device(channel, unit.built.plan, unit.lesson.target.limits)
        with pytest.raises(NoAnswer, match="no answer to HELLO") as caught:
            device.hello(unit.built.image.digest, 0, 0.3)
    assert any("another session may have it" in hint for hint in caught.value.hints)


def test_several_runs_in_qemu_at_once_just_work(qemu64: str, folder: Path) -> None:
    ways = [("socket", 1), ("pty", 1), ("socket", 2), ("pty", 2)]
    runs = [
        start(folder, "--steps", "200", "--console", console, "--seed", str(seed))
        for console, seed in ways
    ]
    told = [run.communicate(timeout=LIMIT) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, told
    records = [json.loads(path.read_text()) for path in folder.glob("*/run.json")]
    assert len(records) == 4
    assert all(record["result"] == "pass" for record in records)
    digests = {record["seed"]: set[str]() for record in records}
    for record in records:
        digests[record["seed"]].add(record["digest"])
    assert [len(found) for found in digests.values()] == [1, 1]
