"""From a lesson to an image: plan, render, build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from codegen.building import toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.image import Image
from codegen.machine_code import stack
from codegen.planning import fitting
from codegen.planning.plan import plan
from codegen.planning.planned import Choice, Linked, Plan
from codegen.rendering.render import render
from hil.errors import UsageError
from hil.lesson.lesson import Lesson, specialised


class Answers(Protocol):
    """An image that answers on the line, whatever else it does."""

    @property
    def plan(self) -> Linked:
        """What the host must know of it."""

    @property
    def files(self) -> BuildPlan:
        """What it was made of."""

    @property
    def image(self) -> Image:
        """The image."""


@dataclass(frozen=True)
class Built:
    """An image and what it was made from. `stack_bound`: the bytes that its stack
    takes at most, None where that is not known."""

    plan: Plan
    files: BuildPlan
    image: Image
    stack_bound: int | None = None


def plan_for(lesson: Lesson, choice: Choice | None = None) -> Plan:
    """The plan of a lesson, with `choice` instead of what its tuned file says.

    Raises `OverBudget` and `SpecError`, and `UsageError` for a tuned file that
    chooses what the plan has no use for, or for checkpoints that do not fit the
    flash; nothing is rendered or compiled.
    """
    asked, tuned = lesson.experiment, lesson.tuned
    if choice is None and tuned is not None:
        choice = tuned.choice
    made = plan(
        lesson.spec,
        lesson.target,
        vlen=specialised(asked, lesson.vlen),
        schedule=asked.schedule,
        density=lesson.dataset.density,
        choice=choice,
        window=asked.window,
        samples=lesson.samples_a_frame,
        budget=asked.ram,
        resident=lesson.resident_set,
        rehearsal=asked.rehearsal or 0,
        latent=asked.rehearse_what == "features",
        debug=asked.debug,
        core=lesson.core,
        chunk=asked.chunk,
    )
    if tuned is not None and choice is tuned.choice:
        tuned.require_used(made)
    if asked.commit is not None and not made.slots.count:
        size = lesson.target.flash.size if lesson.target.flash else 0
        raise UsageError(
            f"network {lesson.spec.network} needs two checkpoints of "
            f"{made.slots.size:,} bytes each, but the flash of target "
            f"{lesson.target.name} has {size:,}",
            "without --commit it learns all the same",
        )
    return made


def build_digest(planned: Plan, compiler: str | None = None) -> str:
    """Digest of the image that `build` would make, 64 hex digits; nothing is
    compiled. Raises `CompilerMissing`."""
    found = toolchain.find(planned.target, compiler, planned.vlen)
    return render(planned).digest(*found.context())


def build(planned: Plan, compiler: str | None = None) -> Built:
    """The image of a plan, from the cache when it was built before.

    Raises `CompilerMissing`, and `BuildError` also when its stack could overflow.
    """
    files = render(planned)
    found = toolchain.find(planned.target, compiler, planned.vlen, planned.debug)
    made = toolchain.build(files, found)
    bound = stack.deepest(
        made.path, planned.target, planned.vlen or max(planned.vlens, default=0)
    )
    if bound is not None:
        fitting.refuse_deep(planned, bound.bytes, str(bound))
        stack.refuse_deep(bound, planned.target)
    return Built(planned, files, made, bound.bytes if bound else None)
