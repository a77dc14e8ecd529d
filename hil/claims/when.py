"""What comes after a stimulus, when, and how probably: a read-out of cells that spike, hear
each other with delays and are never reset, is said to learn it in a hundred trials, and
again after it has changed (after Yamada and Chao, arXiv 2510.14382).

Theirs has Izhikevich cells, an attention gate and an offline stage; here the cells are
those of `--front delays`. In floats the read-out is a linear one that learns at every
step. With `--format i16` it is in integers, three classes: nothing, the outcome of A, that
of B; and an error gate lets it learn only where it is surprised. A delay line of 128 taps
learns the same beside it, at a rate of its own: one tap is there at a time.

The peak of the mean answer, by which it is told there, also comes right of who repeats in
each step the outcome of the step before. So what is said when an outcome is due, and
nobody can have seen it yet, counts besides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codegen import streams
from codegen.delays import Delays
from codegen.numbers import NUMBERS
from codegen.reference import random
from hil.claims import Row, Tried
from hil.learning.metrics import Status
from hil.learning.opened import open
from hil.learning.progress import Progress
from hil.learning.steering import Steering
from hil.learning.telling import Learned
from hil.records.record import RunRecord

TITLE = "cells with delays know what comes, when, and how probably; and again after a change"
SOURCE = "Yamada and Chao, arXiv 2510.14382"

TRIALS = 100
"""Of each part."""
WINDOW, PAUSE, PAUSES = 64, 40, 40
"""Steps from a stimulus on that are looked at; and then a pause of 40 to 79."""
WIDE = 2
"""Steps around an outcome in which it counts as there."""
LINEAR: dict[str, Any] = {"rule": "bp", "goal": "vector", "output": "identity"}
FLOATS = {**LINEAR, "lr": 1 / 64}, {**LINEAR, "lr": 1 / 4}
INTEGERS = (
    {"rule": "readout", "lr": 1 / 4, "error_gate": 0.1},
    {"rule": "readout", "lr": 1.0},
)
"""How a read-out learns, of cells and of a delay line."""
LATE, OFF, ELSEWHERE = 4, 0.15, 0.02
"""What a peak may be late or early by, its height off by, and the mean height elsewhere."""


@dataclass(frozen=True)
class World:
    """An outcome follows stimulus A or B after so many steps, with this probability."""

    name: str
    delays: tuple[int, int]
    shares: tuple[float, float]


WORLDS = (
    World("first", (20, 40), (0.8, 0.4)),
    World("changed", (32, 14), (0.3, 0.9)),
)


@dataclass(frozen=True)
class Trial:
    """One stimulus: where it begins, which it is, in which world, and whether its outcome
    came."""

    at: int
    stimulus: int
    world: World
    came: bool


def trials(seed: int) -> tuple[list[Trial], int]:
    """Those of all worlds, and how many steps they take."""
    words = random.u32(seed, streams.TRIALS, 0, 3 * TRIALS * len(WORLDS)) >> 8
    found, at = [], 0
    for k, world in enumerate(world for world in WORLDS for _ in range(TRIALS)):
        which, came, pause = (int(word) for word in words[3 * k : 3 * k + 3])
        stimulus = which & 1
        share = world.shares[stimulus]
        found.append(Trial(at, stimulus, world, came * 2.0**-24 < share))
        at += WINDOW + PAUSE + pause % PAUSES
    return found, at


def events(found: list[Trial], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Stimuli [steps, 2] that begin, and outcomes [steps, 2] that are there."""
    x, y = np.zeros((steps, 2), np.uint8), np.zeros((steps, 2), np.float32)
    for trial in found:
        x[trial.at, trial.stimulus] = 1
        at = trial.at + trial.world.delays[trial.stimulus]
        if trial.came:
            y[at - WIDE : at + WIDE + 1, trial.stimulus] = 1
    return x, y


def taps(x: np.ndarray) -> np.ndarray:
    """A delay line [steps, 2 * WINDOW]: a tap says that a stimulus is so many steps old,
    and the first that it has just been."""
    made = np.zeros((len(x), 2 * WINDOW), np.uint8)
    for at, stimulus in np.argwhere(x):
        for age in range(1, WINDOW):
            if at + age < len(x):
                made[at + age, stimulus * WINDOW + age] = 255
    return made


def tried(keys: Mapping[str, Any], out: Path, progress: Progress) -> Tried:
    """Of a device that learns all trials, and of one that has a delay line instead."""
    found, steps = trials(int(keys.get("seed", 1)))
    x, y = events(found, steps)
    cells = {"front": "delays", "name": "when"}
    told, record = answers(x, y, {**cells, **keys}, out, progress)
    beside, _ = answers(taps(x), y, {"name": "when-line", **keys}, out, progress)
    return Tried(tuple(rows(found, told)), notes(found, beside), record)


def answers(
    x: np.ndarray, y: np.ndarray, keys: Mapping[str, Any], out: Path, progress: Progress
) -> tuple[np.ndarray, RunRecord]:
    """What a device answers in each step [steps, 2] before it learns from it."""
    integer = NUMBERS[str(keys.get("format", "f32"))].integer
    heard, given = _Heard(progress.steering), classes(y) if integer else y
    of_cells, of_line = INTEGERS if integer else FLOATS
    own, n_in = (of_cells, Delays.cells) if "front" in keys else (of_line, x.shape[1])
    with open(
        data=(x, given), network=(n_in, 3 if integer else 2), out=out, progress=heard,
        **own, **keys,
    ) as device:  # fmt: skip
        device.partial_fit(x, given)
    told = np.array(heard.told)
    return (heights(told) if integer else told), device.record


def classes(y: np.ndarray) -> np.ndarray:
    """Labels [steps]: 0 where no outcome is there, 1 with that of A, 2 with that of B."""
    return np.where(y.any(axis=1), y.argmax(axis=1) + 1, 0)


def heights(sums: np.ndarray) -> np.ndarray:
    """What a read-out in integers says of both outcomes [steps, 2]: of its sums [steps, 3]
    a sigmoid, for it is the error's."""
    found: np.ndarray = 1 / (1 + np.exp(-sums[:, 1:].astype(np.float64)))
    return found


class _Heard(Progress):
    """Keeps what is answered in each step."""

    def __init__(self, steering: Steering) -> None:
        self.steering = steering
        self.told: list[np.ndarray] = []

    def learning(self, done: Sequence[Learned], status: Callable[[], Status]) -> None:
        """Of these steps."""
        self.told += [one.outputs for one in done if one.outputs is not None]


def rows(found: list[Trial], told: np.ndarray) -> list[Row]:
    """Time, height and the rest of the mean answer to each stimulus in each world, and
    what was said before its outcome."""
    made = []
    for world in WORLDS:
        for stimulus, name in enumerate("AB"):
            late, height, elsewhere, share = peak(found, told, world, stimulus)
            about = f"{world.name} {name}"
            made += [
                Row(f"{about}: late", "0 steps", late, abs(late) <= LATE),
                Row(
                    f"{about}: height",
                    f"{share:.2f}",
                    height,
                    abs(height - share) <= OFF,
                ),
                Row(f"{about}: rest", "0", elsewhere, elsewhere <= ELSEWHERE),
            ]
            said, share = foretold(found, told, world, stimulus)
            close = abs(said - share) <= OFF
            made.append(Row(f"{about}: foretold", f"{share:.2f}", said, close))
    return made


def peak(
    found: list[Trial], told: np.ndarray, world: World, stimulus: int
) -> tuple[float, float, float, float]:
    """Of the mean answer: the peak's time less the outcome's, its height, the mean height
    elsewhere, and the share of trials in which the outcome came."""
    these = [t for t in found if t.world is world and t.stimulus == stimulus]
    mean = np.mean([told[t.at : t.at + WINDOW, stimulus] for t in these], axis=0)
    delay = world.delays[stimulus]
    far = np.abs(np.arange(WINDOW) - delay) > 2 * LATE
    at = int(mean.argmax())
    share = float(np.mean([t.came for t in these]))
    return at - delay, float(mean[at]), float(np.abs(mean[far]).mean()), share


def foretold(
    found: list[Trial], told: np.ndarray, world: World, stimulus: int
) -> tuple[float, float]:
    """Over the later half of the trials the mean answer in the first step in which the
    outcome is due, for which nothing of this trial's outcome was told yet; and the share
    of them in which it came."""
    these = [t for t in found if t.world is world and t.stimulus == stimulus]
    these = these[len(these) // 2 :]
    due = world.delays[stimulus] - WIDE
    said = float(np.mean([told[t.at + due, stimulus] for t in these]))
    return said, float(np.mean([t.came for t in these]))


def notes(found: list[Trial], beside: np.ndarray) -> tuple[str, ...]:
    """What the figures are, and what a delay line gives."""
    line = []
    for world in WORLDS:
        for stimulus, name in enumerate("AB"):
            late, height, _, share = peak(found, beside, world, stimulus)
            said, later = foretold(found, beside, world, stimulus)
            line.append(
                f"{world.name}, {name}: {late:+.0f}, {height:.2f} ({share:.2f}), "
                f"{said:.2f} ({later:.2f})"
            )
    return (
        f"late, height and rest are of the mean over trials 1 to {TRIALS} of each world, "
        "learning included; nothing is reset between them",
        "published is what the trials held: the share in which the outcome came",
        "foretold: what is said in the first step in which the outcome is due, before any of "
        "it was told, over the later half of the trials",
        f"a delay line of {2 * WINDOW} taps with the same rule, late by, height, foretold: "
        + "; ".join(line),
    )
