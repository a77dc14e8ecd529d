"""What the live view costs: the same run in a terminal with it and without.

The real command in a pty of its own, its output read as a terminal reads it. The
two take turns, so that a busy machine slows both, and the best of each counts.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import termios
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hil.errors import Divergence
from hil.experiment import Experiment

ROUNDS = 5
LIMIT = 0.05
"""Share of the throughput that the view may cost."""
SIZE = (24, 80)
TERMINALS = {"plain": "dumb", "live": "xterm-256color"}


@dataclass(frozen=True)
class Taken:
    """What runs of one kind took: learning steps per second of host time, and
    processor seconds of the command with all its processes."""

    rate: float
    processor: float

    def best(self, other: Taken) -> Taken:
        """The better of each."""
        return Taken(max(self.rate, other.rate), min(self.processor, other.processor))


@dataclass(frozen=True)
class Cost:
    """The best of `rounds` runs without the view, and with it."""

    plain: Taken
    live: Taken
    rounds: int

    @property
    def share(self) -> float:
        """Of the throughput without the view, how much it takes."""
        return 1.0 - self.live.rate / self.plain.rate

    @property
    def processor_share(self) -> float:
        """How much more of the processors a run takes: also what is done while
        everybody waits for the device, and what starting the view takes."""
        return self.live.processor / self.plain.processor - 1.0

    def to_json(self) -> dict[str, Any]:
        """Every figure by name."""
        shares = {"share": self.share, "processor_share": self.processor_share}
        return {**asdict(self), **shares}


def cost(asked: Experiment, rounds: int = ROUNDS) -> Cost:
    """Measure with this experiment, which learns only. Raises `Divergence` when a
    run does not pass."""
    best: dict[str, Taken] = {}
    with tempfile.TemporaryDirectory(prefix="hil-live-") as folder:
        toml = Path(folder, "experiment.toml")
        asked.override({"test": 0}).write(toml)
        for turn in range(rounds):
            for name in list(TERMINALS)[:: 1 if turn % 2 else -1]:
                taken = _taken(toml, TERMINALS[name])
                best[name] = taken.best(best.get(name, taken))
    return Cost(best["plain"], best["live"], rounds)


def _taken(toml: Path, terminal: str) -> Taken:
    """One `hil run` in a pty of this kind."""
    told = toml.with_name("told.json")
    command = [
        sys.executable, "-m", "hil", "run", str(toml),
        "--out", str(toml.parent), "--json", str(told),
    ]  # fmt: skip
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, "TERM": terminal}
    for name in ("LINES", "COLUMNS"):
        environment.pop(name, None)
    before = _processor()
    near, far = os.openpty()
    try:
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        process = subprocess.Popen(
            command, stdin=far, stdout=far, stderr=far, env=environment
        )
    finally:
        os.close(far)
    with process:
        try:
            with suppress(OSError):  # how Linux tells that nobody writes any more
                while os.read(near, 65536):
                    pass
        except BaseException:
            process.terminate()  # it ends in order, within limits of its own
            raise
        finally:
            os.close(near)
    record = json.loads(told.read_text())
    if record["learned"] != record["steps"] or record["divergence"] is not None:
        raise Divergence(
            f"`hil run` in a pty ended with exit code {process.returncode}"
        )
    return Taken(record["speed"]["steps_per_second"], _processor() - before)


def _processor() -> float:
    """Processor seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
