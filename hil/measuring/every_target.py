"""The same lessons on every target: equal digests, and what each image takes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.machine_code import stack
from codegen.numbers import Numbers
from hil.experiment import Experiment
from hil.learning.reference_process import kept
from hil.learning.session import run
from hil.lesson.building import plan_for
from hil.lesson.preparing import prepare
from targets import Target, load, names


@dataclass(frozen=True)
class Place:
    """A target, and the VLEN of its machine in bits (0: none)."""

    target: Target
    vlen: int

    def __str__(self) -> str:
        return self.target.name + (f" VLEN {self.vlen}" if self.vlen else "")


@dataclass(frozen=True)
class Outcome:
    """A lesson learned: the state's `digest` after every step was compared; sizes
    in bytes: `code` and constants, `ram` by the linker, of it `stack`, of which
    `deepest` were used, and `bound` could be (None: nothing tells); `first` is the
    host seconds from the plan to the first compared step, the image being there."""

    digest: str
    code: int | None
    ram: int | None
    stack: int | None
    bound: int | None
    deepest: int
    first: float


def places(numbers: Numbers, chosen: Sequence[str] = ()) -> Iterator[Place]:
    """Every target that computes such numbers, with every VLEN it has, or those that
    are named."""
    for name in chosen or sorted({*names()} - {*without(numbers)}):
        target = load(name)
        for vlen in target.vector.vlens if target.vector else (0,):
            yield Place(target, vlen)


def without(numbers: Numbers) -> list[str]:
    """Targets that do not compute such numbers, by name."""
    return [name for name in names() if numbers.fused and not load(name).fma]


def outcome_on(place: Place, asked: Experiment) -> Outcome:
    """Run `asked` there, twice, so that the second finds its image built. Raises
    every `HilError`: also `Divergence` has its own record."""
    there = asked.override({"target": place.target.name, "vlen": place.vlen or None})
    with tempfile.TemporaryDirectory(prefix="hil-") as folder, kept():
        run(there.override({"steps": 1, "test": 0}), out=folder)
        record = run(there, out=folder)
        path = record.folder / "image.elf"
        lesson = prepare(there)
        found = stack.read(Path(path), lesson.target, place.vlen)
    memory = plan_for(lesson).target.memory
    return Outcome(
        record.digest if record.result == "pass" and record.digest else record.result,
        record.image["text"],
        record.image["ram"],
        memory.stack if memory else None,
        found.bound(stack.MAIN).bytes if found else None,
        record.device["stack"],
        record.seconds["first_step"],
    )
