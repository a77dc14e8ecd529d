"""`hil bench peers`: the same steps in our generated C, in plain C, and in programs
that others wrote.

Each learns the same samples, in order, one at a time, by backpropagation from the same
weights, in float32 on one thread of this computer. Only our own step is held to the
bit. Every other one must come to the same weights within a tolerance, else it is not
listed: so none is in the table that does less work.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np

from codegen.building import toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.compilers import Toolchain
from codegen.planning.bounds import lanes
from codegen.reference import Learner
from hil.errors import BuildError, Divergence, UsageError
from hil.experiment import Experiment
from hil.learning.reference_process import ALONE
from hil.lesson.building import build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.measuring.native_loop import ROUNDS, loop
from hil.measuring.peers import counting, programs
from hil.measuring.peers.job import Done, Job
from hil.measuring.steps.plain import BLOCK, FORMS, plain_files

TOLERANCE = 1e-3
"""Largest difference of a weight from the reference's, of the most that any has moved."""
LIMIT = 1200.0
"""Host seconds that one program may take."""
STEPS = 1000
MODULES = {"numpy": "numpy", "scikit-learn": "sklearn", "PyTorch": "torch"}
FIXED = {
    "target": "host", "rule": "bp", "activation": "tanh", "output": "softmax",
    "compare": "none", "test": 0,
}  # fmt: skip
"""What every program here computes."""
VECTORS = 256
"""Bits of a vector register that plain C is shaped for: AVX2's."""
FLAGS = (
    ("-O3", "-ffast-math", "-fno-strict-aliasing"),
    ("-O3", "-ffast-math", "-fno-strict-aliasing", "-march=native"),
    (
        "-O2",
        "-ftree-vectorize",
        "-funroll-loops",
        "-ffast-math",
        "-fno-strict-aliasing",
    ),
)
"""What plain C is compiled with; the best counts."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Peer:
    """A program: steps per second of the processor, the best of some rounds; how far its
    weights end from the reference's (`TOLERANCE`), and instructions a step where these
    were counted. A rate of None: it is not installed."""

    name: str
    settings: str
    rate: float | None
    off: float | None = None
    instructions: float | None = None


def lesson_for(asked: Experiment) -> Lesson:
    """The steps that all of them learn. Raises `UsageError` for those that the others
    have no words for."""
    lesson = prepare(asked.override({"steps": asked.steps or STEPS, **FIXED}))
    inputs = lesson.spec.inputs
    if inputs.declared is not None:
        raise UsageError(
            f"data {lesson.experiment.data!r} comes with a scaler, or as windows, or by a "
            "front: expected samples with one scale, which is what the other programs are written for"
        )
    if lesson.eta(0) != lesson.eta(lesson.steps - 1):
        raise UsageError(
            f"{lesson.steps} steps are more than an epoch, whose rate is another",
            "--lr-decay 1, or fewer --steps",
        )
    return lesson


def bench_peers(lesson: Lesson, count: bool, tell: Tell) -> list[Peer]:
    """Measure each; with `count` count its instructions too, which takes minutes.

    Raises `Divergence` for one that learns something else.
    """
    learner = Learner(lesson.spec)
    start = [tensor.copy() for tensor in learner.state.values()]
    for step in range(lesson.steps):
        learner.step(*lesson.sample(step), lesson.eta(step))
    judge = _Judge(start, list(learner.state.values()))
    found = [_ours(lesson, learner.digest(), judge, count, tell)]
    found.append(_plain_c(lesson, judge, count, tell))
    for name in programs.PROGRAMS:
        if find_spec(MODULES[name]) is None:
            found.append(
                Peer(name, "not installed: pip install hil-learning[peers]", None)
            )
        else:
            tell(f"measuring {name}")
            found.append(_program(name, lesson, start, judge, count))
    return found


@dataclass(frozen=True)
class _Judge:
    """Weights that all begin with, and those that the reference ends with."""

    start: Sequence[np.ndarray]
    end: Sequence[np.ndarray]

    def off(self, name: str, weights: Sequence[np.ndarray]) -> float:
        """How far these are from the reference's. Raises `Divergence` beyond the
        tolerance."""
        ours, theirs = _flat(self.end), _flat(weights)
        moved = float(np.abs(ours - _flat(self.start)).max())
        off = float(np.abs(ours - theirs).max()) / moved
        if not off <= TOLERANCE:
            raise Divergence(
                f"{name} ends {off:.2g} of the largest change away from the reference's "
                f"weights, expected at most {TOLERANCE:g}: it learns something else"
            )
        return off


def _flat(tensors: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(tensor) for tensor in tensors]).astype(np.float64)


def _ours(lesson: Lesson, digest: int, judge: _Judge, count: bool, tell: Tell) -> Peer:
    tell("measuring hil's generated C")
    built = build(plan_for(lesson), lesson.experiment.toolchain)
    compiler = toolchain.find(
        lesson.target, lesson.experiment.toolchain, built.plan.vlen
    )
    found = loop(lesson, built.files, compiler)
    if found.digest != digest:
        raise Divergence(
            f"hil's generated C ends with digest {found.digest:08x}, the reference with "
            f"{digest:08x}"
        )
    off = judge.off("hil", [found.state.view(np.float32)])
    flags = " ".join(f for f in compiler.library if f[:2] in ("-O", "-f", "-m"))
    return Peer(
        "hil", f"{compiler.version}, {flags}, bit for bit", found.processor_rate, off,
        _counted_loop(lesson, built.files, compiler) if count else None,
    )  # fmt: skip


def _plain_c(lesson: Lesson, judge: _Judge, count: bool, tell: Tell) -> Peer:
    """The best of both forms and of all sets of flags."""
    plan, found = plan_for(lesson), []
    compiler = toolchain.find(lesson.target, lesson.experiment.toolchain)
    vectors = tuple(flag for flag in compiler.library if flag.startswith("-m"))
    for form, listed in FORMS.items():
        files = plain_files(plan, BLOCK * lanes(VECTORS), listed)
        for flags in FLAGS:
            tell(f"measuring plain C, {form}, {' '.join(flags)}")
            library = ("-std=c11", *flags, *vectors)
            freed = replace(compiler, library=library)
            try:
                looped = loop(lesson, files, freed)
            except BuildError:  # a compiler takes what it takes
                continue
            name = f"{form}, {' '.join((*flags, *vectors))}"
            off = judge.off(f"plain C, {name}", [looped.state.view(np.float32)])
            found.append((looped.processor_rate, name, off, files, freed))
    if not found:
        raise BuildError("plain C cannot be built here with any set of flags")
    rate, name, off, files, freed = max(found, key=lambda one: one[0])
    counted = _counted_loop(lesson, files, freed) if count else None
    return Peer("plain C", f"{compiler.version}, {name}", rate, off, counted)


def _counted_loop(
    lesson: Lesson, files: BuildPlan, compiler: Toolchain
) -> float | None:
    def run(steps: int, before: Sequence[str]) -> str:
        part = replace(lesson, steps=steps)
        return loop(part, files, compiler, rounds=1, before=before).said

    return counting.instructions(run, lesson.steps)


def _program(
    name: str,
    lesson: Lesson,
    start: Sequence[np.ndarray],
    judge: _Judge,
    count: bool,
) -> Peer:
    def run(steps: int, before: Sequence[str]) -> str:
        return _ran(name, lesson, start, steps, 1, before)[1]

    done, _ = _ran(name, lesson, start, lesson.steps, ROUNDS, ())
    off = judge.off(name, done.weights)
    counted = counting.instructions(run, counting.FEW) if count else None
    return Peer(name, done.settings, lesson.steps / min(done.seconds), off, counted)


def _ran(
    name: str,
    lesson: Lesson,
    start: Sequence[np.ndarray],
    steps: int,
    rounds: int,
    before: Sequence[str],
) -> tuple[Done, str]:
    """What a program has learned in a process of its own, and what it said."""
    x, y = lesson.samples(range(steps))
    assert y is not None
    job = Job(
        x, y.astype(np.int64), np.float32(lesson.spec.inputs.scale), lesson.eta(0),
        list(start), rounds,
    )  # fmt: skip
    path = os.pathsep.join(filter(None, sys.path))
    ran = _within_limit(
        name,
        [*before, sys.executable, "-m", programs.__name__, name],
        pickle.dumps(job),
        {**os.environ, **ALONE, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
    )
    said = ran.stderr.decode("utf-8", "replace")
    if ran.returncode != 0:
        last = said.strip().splitlines()[-1:] or ["it said nothing"]
        raise Divergence(f"{name} ended with exit code {ran.returncode}: {last[0]}")
    done: Done = pickle.loads(ran.stdout)
    return done, said


def _within_limit(
    name: str, command: Sequence[str], given: bytes, environment: dict[str, str]
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            command, input=given, capture_output=True, timeout=LIMIT, check=False,
            env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Divergence(f"{name} has not ended within {LIMIT:g} s") from None


def rows(found: Sequence[Peer]) -> Iterator[str]:
    """The table in Markdown; the first is what the others are held against."""
    yield "| program | steps/s of one processor (emulated) | of hil's | instructions/step (counted) | off | settings |"
    yield "|---|---|---|---|---|---|"
    ours = found[0].rate or 1.0
    for one in found:
        rate = "" if one.rate is None else f"{one.rate:,.0f}"
        share = "" if one.rate is None else f"{one.rate / ours:.3g}"
        counted = "" if one.instructions is None else f"{one.instructions:,.0f}"
        off = "" if one.off is None else f"{one.off:.1g}"
        yield f"| {one.name} | {rate} | {share} | {counted} | {off} | {one.settings} |"
