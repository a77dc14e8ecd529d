"""net_step in a loop on this computer, with nobody around it: what its steps take by
themselves, against which a link, a host or another program is held."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from codegen.building import toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.compilers import Toolchain
from hil.device.device import travel
from hil.errors import BuildError
from hil.lesson.lesson import Lesson
from targets import storage

PROGRAM = Path(__file__).with_name("native_loop.c")
SOURCE = "bench/native_loop.c"
STAMP = "firmware/include/hil_build.h"
"""The build digest is in every image."""
ROUNDS = 5
LIMIT = 600.0
"""Host seconds that all rounds may take."""


@dataclass(frozen=True)
class Loop:
    """Some rounds of `steps` steps, each from the seed's weights: their `seconds`, and
    `processor` seconds; loss of the last step, and the words of the state after it with
    their digest (of a library that tells one). `said`: on stderr."""

    steps: int
    seconds: tuple[float, ...]
    processor: tuple[float, ...]
    digest: int
    loss: np.float32
    state: np.ndarray
    said: str = ""

    @property
    def rate(self) -> float:
        """Steps per second, of the best round."""
        return self.steps / min(self.seconds)

    @property
    def processor_rate(self) -> float:
        """Steps per second of the processor, of the best round."""
        return self.steps / min(self.processor)


def loop(
    lesson: Lesson,
    library: BuildPlan,
    compiler: Toolchain,
    rounds: int = ROUNDS,
    before: Sequence[str] = (),
) -> Loop:
    """The steps of a lesson, which learns from labels at one rate, with the library of
    an image for this computer, run behind the words `before`. Raises `BuildError`, also
    when it does not run."""
    library = _program(library)
    image = toolchain.build(library, compiler).path
    with tempfile.TemporaryDirectory(prefix="hil-loop-") as folder:
        file = Path(folder, "samples")
        storage.write(file, travel(*lesson.samples(range(lesson.steps))))
        state = Path(folder, "state")
        words = (lesson.steps, rounds, lesson.spec.seed, float(lesson.eta(0)).hex())
        command = [*before, str(image), str(file), str(state), *map(str, words)]
        try:
            ran = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            raise BuildError(f"{library.name} has not ended in {LIMIT:g} s") from None
        if ran.returncode != 0:
            raise BuildError(f"{library.name} ended with exit code {ran.returncode}")
        left = np.frombuffer(state.read_bytes(), np.uint32)
    told = _told(lesson.steps, ran.stdout.splitlines(), left)
    return replace(told, said=ran.stderr)


def _program(of: BuildPlan) -> BuildPlan:
    """The library of an image in a program of its own."""
    kept = {
        name: text
        for name, text in of.files.items()
        if name.startswith("generated/") or name == STAMP
    }
    files = {**kept, SOURCE: PROGRAM.read_text("utf-8")}
    return replace(
        of, name=f"{of.name}-loop", files=dict(sorted(files.items())),
        runtime=(SOURCE,), linker_script=None, data={},
    )  # fmt: skip


def _told(steps: int, lines: Sequence[str], state: np.ndarray) -> Loop:
    *rounds, last = (line.split() for line in lines)
    digest, loss = (int(word, 16) for word in last)
    seconds, processor = zip(*(map(float, each) for each in rounds), strict=True)
    bits = np.uint32(loss).view(np.float32)
    return Loop(steps, seconds, processor, digest, bits, state)
