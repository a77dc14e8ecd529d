"""What the live view costs: the same run in a terminal with it and without.

The real command in a pty of its own, its output read as a terminal reads it. The
two take turns, so that a busy machine slows both, and the best of each counts.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys
import tempfile
import termios
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from hil.errors import Divergence
from hil.experiment import Experiment

ROUNDS = 5
LIMIT = 0.05
"""Share of the throughput that the view may cost."""
SIZE = (24, 80)
TERMINALS = {"plain": "dumb", "live": "xterm-256color"}


@dataclass(frozen=True)
class Cost:
    """Learning steps per second of host time, the best of `rounds`."""

    plain: float
    live: float
    rounds: int

    @property
    def share(self) -> float:
        """Of the throughput without the view, how much it takes."""
        return 1.0 - self.live / self.plain

    def to_json(self) -> dict[str, float]:
        """Every figure by name."""
        return {**asdict(self), "share": self.share}


def cost(asked: Experiment, rounds: int = ROUNDS) -> Cost:
    """Measure with this experiment, which learns only. Raises `Divergence` when a
    run does not pass."""
    best = dict.fromkeys(TERMINALS, 0.0)
    with tempfile.TemporaryDirectory(prefix="hil-live-") as folder:
        toml = Path(folder, "experiment.toml")
        toml.write_text(asked.override({"test": 0}).to_toml(), encoding="utf-8")
        for turn in range(rounds):
            order = list(TERMINALS)[:: 1 if turn % 2 else -1]
            for name in order:
                best[name] = max(best[name], _rate(toml, TERMINALS[name]))
    return Cost(best["plain"], best["live"], rounds)


def _rate(toml: Path, terminal: str) -> float:
    """Steps per second of one `hil run` in a pty of this kind."""
    told = toml.with_name("told.json")
    command = [
        sys.executable, "-m", "hil", "run", str(toml),
        "--out", str(toml.parent), "--json", str(told),
    ]  # fmt: skip
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": path, "TERM": terminal}
    for name in ("LINES", "COLUMNS"):
        environment.pop(name, None)
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
    if process.returncode != 0:
        raise Divergence(
            f"`hil run` in a pty ended with exit code {process.returncode}"
        )
    return float(json.loads(told.read_text())["speed"]["steps_per_second"])
