"""From the start of a command to the first step that was compared, part by part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hil.errors import Divergence
from hil.experiment import Experiment
from hil.records.record import FILE
from targets import Target

LIMIT, NATIVE_LIMIT = 1.3, 1.0
"""Host seconds on a quiet machine, with the image in the cache: of an emulator, and of
a process of this computer."""
STAGES = ("plan", "build", "power_on", "hello", "init")
"""What a run does in between, as its record has them."""


@dataclass(frozen=True)
class FirstStep:
    """Host seconds. `start`: Python, its imports, the experiment and its data; `step`:
    the step itself, on both sides; the others are stages of a record."""

    start: float
    plan: float
    build: float
    power_on: float
    hello: float
    init: float
    step: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return sum(asdict(self).values())

    @classmethod
    def of(cls, taken: float, seconds: dict[str, float]) -> FirstStep:
        """Of what a command has `taken`, and of its record's own `seconds`."""
        within = {stage: seconds[stage] for stage in STAGES}
        begun = seconds["first_step"]
        return cls(start=taken - begun, step=begun - sum(within.values()), **within)


def limit(target: Target) -> float:
    """Seconds that it may take on this target."""
    return LIMIT if target.qemu else NATIVE_LIMIT


def first_step(asked: Experiment) -> FirstStep:
    """Of a `hil run` of its own with one step. Nobody else may be at the device.

    Raises `Divergence` when the run does not pass.
    """
    one = asked.override({"steps": 1, "test": 0})
    path = os.pathsep.join(filter(None, sys.path))
    with tempfile.TemporaryDirectory(prefix="hil-first-step-") as folder:
        toml = Path(folder, "one.toml")
        one.write(toml)
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "hil", "run", str(toml), "--out", folder],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        ) as command:
            assert command.stdout is not None
            try:
                for line in command.stdout:
                    if line.startswith("learn"):
                        taken = time.perf_counter() - started
            except BaseException:
                command.terminate()  # it ends in order, within limits of its own
                raise
        if command.returncode != 0:
            raise Divergence(
                f"`hil run` with one step ended with exit code {command.returncode}"
            )
        return FirstStep.of(taken, _seconds(Path(folder)))


def _seconds(folder: Path) -> dict[str, float]:
    """What the only run in the folder says of its stages."""
    (file,) = folder.glob(f"*/{FILE}")
    record: dict[str, Any] = json.loads(file.read_text())
    return dict(record["seconds"])
