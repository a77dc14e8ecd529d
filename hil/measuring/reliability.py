"""Exactly once, and the same bits: the promise, and the runs that attack it.

Each trial is a whole run without the reference, on one seed of the faults: its
final digest must be that of a clean run, which the reference has confirmed step by
step. `hil bench faults` prints the tables of docs/reliability.md.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean

from hil.errors import Divergence, NoAnswer
from hil.experiment import Experiment
from hil.learning.progress import Progress
from hil.learning.session import Session
from hil.lesson.building import Built, build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.records.record import RunRecord

RATES = {"drop": 0.05, "flip": 0.0005, "duplicate": 0.05, "reorder": 0.05, "cut": 0.05}
"""The kinds of the matrix. With every kind a frame in two comes to harm."""
MORE = {
    "delay": 0.05, "truncate": 0.05, "noise": 0.05, "silence": 0.01, "unplug": 0.02
}  # fmt: skip
MODELS = ("nothing", "half", "reorder")
"""What is left of the operation that a power cut meets: firmware/ports/host/flash.c."""
LESSON = Experiment(
    target="host", network="64-17-10", steps=60, commit=20, test=0, name="trial",
    samples_per_frame=4,
)  # fmt: skip
"""Few samples a frame, whatever the target's usual number: trouble meets frames."""
PARTS = replace(LESSON, steps=24, commit=8, samples_per_frame=1)
"""A sample has several frames, each of which trouble may meet: fewer steps, and a
checkpoint after fewer of them."""
EMULATED = replace(LESSON, target="qemu-rv64gcv", steps=2400)
EMULATED_CUT = 0.08
"""Of the frames sent, HELLO's while it boots among them. At 0.2 an emulator is killed
up to 16 times before it has learned a step: too near to `IDLE_RECOVERIES`."""


NOISY = replace(LESSON, network="64-33-10", steps=100, commit=None, test=20)
NOISE = (1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Damaged bytes, of all: rates at which a line's throughput is taken."""


SHARE_RATES = (0.001, 0.01, 0.03)
"""Rates of six kinds at once, at which what is left of the throughput is taken."""
SHARE_KINDS = ("drop", "duplicate", "reorder", "delay", "truncate", "noise")
SHARE_RUNS = 3


@dataclass(frozen=True)
class Share:
    """Seconds of learning on a clean line and on one with these faults, both the
    mean of so many runs: an emulated device's."""

    faults: str
    runs: int
    clean: float
    faulty: float


@dataclass(frozen=True)
class Noisy:
    """Runs over a line that damages bytes at this rate: how many ended with the clean
    run's digest, and how many gave up, the last with this sentence and hint. Of those
    that ended, in the mean: frames sent for each that a clean line needs, and the
    seconds of learning (an emulated device's), as those of a clean line."""

    rate: float
    runs: int
    equal: int
    gave_up: int
    sent: float | None
    seconds: float | None
    clean: float
    said: str


@dataclass(frozen=True)
class Trials:
    """Runs under one kind of trouble: how many, and how many ended with the digest
    of the clean run; over all of them the faults, the frames that were sent, those a
    clean line would have needed, and the recoveries."""

    trouble: str
    runs: int = 0
    equal: int = 0
    injected: int = 0
    sent: int = 0
    needed: int = 0
    recovered: int = 0

    def plus(self, record: RunRecord, clean: RunRecord) -> Trials:
        """With one more run."""
        faults = record.faults or {}
        return replace(
            self,
            runs=self.runs + 1,
            equal=self.equal + (record.digest == clean.digest),
            injected=self.injected + sum(sum(way.values()) for way in faults.values()),
            sent=self.sent + record.link["frames"] + record.link["resent"],
            needed=self.needed + clean.link["frames"],
            recovered=self.recovered + record.link["recovered"],
        )


class Ground:
    """A lesson to be disturbed, and its `clean` run: one as the trials are, without
    the reference and so without a digest of every step, which needs fewer frames.
    Raises `Divergence` when the reference does not confirm what it ends with."""

    def __init__(self, asked: Experiment) -> None:
        self.asked = asked.override({"compare": "none"})
        self._built: Built | None = None
        with tempfile.TemporaryDirectory(prefix="hil-") as folder:
            session = Session(prepare(asked), Path(folder), Progress())
            session.run()
            if session.record.result != "pass":
                raise session.failure or Divergence("the clean run has not passed")
        self.clean = self.trial("")
        if self.clean.digest != session.record.digest:
            raise Divergence(
                "the clean run ends with another digest than the confirmed"
            )

    def trial(self, faults: str, cut: tuple[int, str] | None = None) -> RunRecord:
        """One run, and nothing is left of it but its record."""
        return self._run(faults, cut)[0]

    def operations(self) -> int:
        """Flash operations of a clean run."""
        found = re.search(r"flash operations: (\d+)", self._run("", None)[1])
        return int(found[1]) if found else 0

    def _run(self, faults: str, cut: tuple[int, str] | None) -> tuple[RunRecord, str]:
        lesson = self._lesson(faults)
        self._built = self._built or build(plan_for(lesson))
        with tempfile.TemporaryDirectory(prefix="hil-") as folder:
            session = Session(
                lesson, Path(folder), Progress(), built=self._built, cut=cut
            )
            session.run()
        failure = session.failure
        if failure is not None and session.record.result == "error":
            raise failure
        return session.record, session.machine_log

    def _lesson(self, faults: str) -> Lesson:
        return prepare(
            self.asked.override({"faults": faults}) if faults else self.asked
        )


def in_parts(chunk: int) -> Experiment:
    """A lesson whose samples come in parts of so many bytes at most. Raises
    `UsageError`."""
    return PARTS.override({"chunk": chunk})


def spelled(kinds: Iterable[str]) -> str:
    """These kinds at their rates, as --faults takes them."""
    rates = {**RATES, **MORE}
    return ",".join(f"{kind}={rates[kind]:g}" for kind in kinds)


def combinations() -> list[tuple[str, ...]]:
    """Every set of the matrix's kinds that is not empty."""
    chosen = product((False, True), repeat=len(RATES))
    sets = (tuple(k for k, on in zip(RATES, ons, strict=True) if on) for ons in chosen)
    return [kinds for kinds in sets if kinds]


def under_faults(ground: Ground, kinds: Iterable[str], seeds: Iterable[int]) -> Trials:
    """Runs with these kinds of faults together, one a seed."""
    found = Trials(" x ".join(kinds))
    for seed in seeds:
        record = ground.trial(f"{spelled(kinds)},seed={seed}")
        found = found.plus(record, ground.clean)
    return found


def under_cuts(ground: Ground, model: str, operations: Iterable[int]) -> Trials:
    """Runs whose device loses its power at each of these operations of its flash."""
    found = Trials(model)
    for operation in operations:
        record = ground.trial("", (operation, model))
        found = found.plus(record, ground.clean)
    return found


def under_kills(ground: Ground, seeds: Iterable[int], rate: float) -> Iterator[Trials]:
    """Runs whose machine is ended at random moments, one a seed."""
    for seed in seeds:
        found = Trials(f"seed {seed}")
        yield found.plus(ground.trial(f"cut={rate:g},seed={seed}"), ground.clean)


def quiet(ground: Ground, runs: int) -> float:
    """Seconds of learning on a clean line, the mean of so many runs."""
    return mean(ground.trial("").seconds["learn"] for _ in range(runs))


def under_noise(
    ground: Ground, rate: float, seeds: Iterable[int], clean: float
) -> Noisy:
    """Runs over a line with this rate of damaged bytes, one a seed; `clean` are the
    seconds of learning on a clean line."""
    ended: list[RunRecord] = []
    gave_up, said = 0, ""
    for seed in seeds:
        try:
            ended.append(ground.trial(f"flip={rate:g},seed={seed}"))
        except NoAnswer as error:
            gave_up, said = gave_up + 1, f"{error}; {error.hints[0]}"
    frames = [record.link["frames"] + record.link["resent"] for record in ended]
    seconds = [record.seconds["learn"] for record in ended]
    return Noisy(
        rate,
        len(ended) + gave_up,
        sum(record.digest == ground.clean.digest for record in ended),
        gave_up,
        mean(frames) / ground.clean.link["frames"] if ended else None,
        mean(seconds) if ended else None,
        clean,
        said,
    )


def shares(ground: Ground) -> Iterator[Share]:
    """What faults leave of the throughput."""

    def learning(faults: str) -> float:
        asked = (f"{faults},seed={seed}" if faults else "" for seed in runs)
        return mean(ground.trial(one).seconds["learn"] for one in asked)

    runs = range(1, SHARE_RUNS + 1)
    clean = learning("")
    for rate in SHARE_RATES:
        kinds = [f"{kind}={rate:g}" for kind in SHARE_KINDS]
        faults = ",".join([*kinds, f"flip={rate / 100:g}"])
        yield Share(faults, len(runs), clean, learning(faults))
