"""SIGINT and SIGTERM at any moment of `hil run`: nothing is left behind.

The real command in a process of its own, its image built anew each time. Every
process of it carries a mark in its environment, by which what is left is found.
"""

from __future__ import annotations

import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hil import Experiment
from hil.device.link.channel import Channel

pytestmark = [
    pytest.mark.usefixtures("ctrl_c_is_heard", "host_cc", "qemu64", "qemu32"),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc"),
]
HIL = Path(sys.executable).parent / "hil"
MOMENTS = 6
"""For each kind of run."""
AT_ONCE = 3
END_LIMIT = 60.0
"""Host seconds in which a run that is told to end has ended, on a busy machine."""
GONE_LIMIT = 60.0
"""Host seconds in which what it had started is gone too."""
MARK = "HIL_TEST_MARK"
SMALL = ("--network", "64-10", "--steps", "300", "--test", "100")
WAYS = {
    "host": ("--target", "host"),
    "host-pty": ("--target", "host", "--console", "pty"),
    "rv64gcv": ("--target", "qemu-rv64gcv"),
    "rv32-pty": ("--target", "qemu-rv32imafc-zve32f", "--console", "pty"),
    "unit": ("--target", "host"),
}


@dataclass(frozen=True)
class Place:
    """Where one run has its folders, and the mark of its processes."""

    folder: Path
    mark: str

    @property
    def environment(self) -> dict[str, str]:
        temp, cache = str(self.folder / "tmp"), str(self.folder / "cache")
        return {**os.environ, "TMPDIR": temp, "HIL_CACHE": cache, MARK: self.mark}

    def start(self, *given: str) -> subprocess.Popen[str]:
        (self.folder / "tmp").mkdir()
        out = ("--out", str(self.folder / "runs"))
        return subprocess.Popen(
            [HIL, "run", *SMALL, *given, *out],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )

    def left(self) -> list[str]:
        """What is there that should not be, once the processes had time to go."""
        mark = f"{MARK}={self.mark}".encode()
        found = [str(pid) for pid in marked(mark) if not gone(pid)]
        found += map(str, (self.folder / "tmp").glob("*"))
        found += map(str, (self.folder / "cache").glob("images/building-*"))
        return found

    def records(self) -> list[dict[str, Any]]:
        """The record in every run folder; a folder without one is an error."""
        folders = (self.folder / "runs").glob("*")
        return [json.loads((folder / "run.json").read_text()) for folder in folders]


def marked(mark: bytes) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)


def gone(pid: int) -> bool:
    """Whether this process ends of itself."""
    try:
        ended = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([ended], [], [], GONE_LIMIT)[0])
    finally:
        os.close(ended)


@pytest.fixture
def places() -> Iterator[Callable[[], Place]]:
    """Makes places. Directly in /tmp, because a unix socket's path must be short."""
    with ExitStack() as stack:

        def make() -> Place:
            folder = tempfile.TemporaryDirectory(dir="/tmp", prefix="t-")
            name = stack.enter_context(folder)
            return Place(Path(name), Path(name).name)

        yield make


@dataclass(frozen=True)
class Blow:
    """Signals, each after some seconds."""

    signals: tuple[tuple[float, signal.Signals], ...]

    def strike(self, process: subprocess.Popen[str]) -> None:
        for delay, number in self.signals:
            time.sleep(delay)
            process.send_signal(number)

    @property
    def codes(self) -> set[int]:
        return {128 + number for _, number in self.signals}


def blows(dice: random.Random, length: float) -> list[Blow]:
    """At moments spread over a run of this length; every third is followed by an
    impatient second one, which comes while the run clears up."""
    made = []
    for place in range(MOMENTS):
        number = dice.choice((signal.SIGINT, signal.SIGTERM))
        signals = [((place + dice.random()) / MOMENTS * length, number)]
        if place % 3 == 0:
            other = dice.choice((signal.SIGINT, signal.SIGTERM))
            signals.append((dice.uniform(0.0, 0.05), other))
        made.append(Blow(tuple(signals)))
    return made


def wrong(place: Place, blow: Blow, *given: str) -> str:
    """Strikes a run; what is not as it should be."""
    process = place.start(*given)
    blow.strike(process)
    try:
        said, _ = process.communicate(timeout=END_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        return f"{blow}: does not end"
    code = process.returncode
    code = code if code >= 0 else 128 - code  # as a shell tells it
    faults = [f"left: {name}" for name in place.left()]
    records = place.records()
    ended = {record["exit_code"] for record in records}
    if code == 0 and ended != {0}:
        faults.append(f"it exits 0, its record says {ended}")
    starting = not records and python_was_starting(code, said)
    if code not in {0, *blow.codes} and not starting:
        faults.append(f"exit code {code}")
    for record in records:
        # a run that had passed may still be told to end while it tells so
        if record["result"] != "pass" and record["exit_code"] != code:
            faults.append(f"exit code {code}, the record: {record['error']}")
    if "Traceback" in said and records:
        faults.append("a traceback")
    return f"{blow}: {'; '.join(faults)}\n{said}" if faults else ""


def python_was_starting(code: int, said: str) -> bool:
    """Ctrl-C before our `main` is reached: Python may fail with the import that it was
    at, and exit 1."""
    reached = re.search(r'__main__\.py", line \d+, in main\n', said)
    return code == 1 and "KeyboardInterrupt" in said and not reached


@pytest.mark.parametrize("way", WAYS)
def test_a_signal_at_any_moment_leaves_nothing_but_a_record(
    way: str,
    places: Callable[[], Place],
    board: Callable[[Experiment], Any],
    tmp_path: Path,
) -> None:
    def given() -> tuple[str, ...]:
        if way != "unit":
            return WAYS[way]
        asked = Experiment(target="host", network=(64, 10), console="pty")
        return (*WAYS[way], "--unit", board(asked).url)

    began = time.perf_counter()
    whole = places().start(*given())
    said, _ = whole.communicate(timeout=END_LIMIT)
    length = time.perf_counter() - began
    assert whole.returncode == 0, said
    planned = blows(random.Random(f"moments of {way}"), length)
    jobs = [(places(), blow, *given()) for blow in planned]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = list(pool.map(lambda job: wrong(*job), jobs))
    assert not any(told), "\n".join(filter(None, told))
    if way == "unit":
        for job in jobs:
            Channel(job[-1]).close()  # no port is left locked
