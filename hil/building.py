"""From a lesson to an image: plan, render, build."""

from __future__ import annotations

from dataclasses import dataclass

from codegen import toolchain
from codegen.buildplan import BuildPlan
from codegen.image import Image
from codegen.plan import Plan, plan
from codegen.render import render
from hil.lesson import Lesson


@dataclass(frozen=True)
class Built:
    """An image and what it was made from."""

    plan: Plan
    files: BuildPlan
    image: Image


def plan_for(lesson: Lesson) -> Plan:
    """The plan of a lesson. Raises `OverBudget` and `SpecError`; nothing is
    rendered or compiled."""
    asked = lesson.experiment
    return plan(
        lesson.spec,
        lesson.target,
        vlen=None if asked.agnostic or asked.unit else lesson.vlen or None,
        schedule=asked.schedule,
        density=lesson.dataset.density,
        window=asked.window,
        samples=asked.samples_per_frame,
        budget=asked.ram,
        resident=lesson.resident_set,
    )


def build(planned: Plan, compiler: str | None = None) -> Built:
    """The image of a plan, from the cache when it was built before.

    Raises `CompilerMissing` and `BuildError`.
    """
    files = render(planned)
    found = toolchain.find(planned.target, compiler, planned.vlen)
    made = toolchain.build(files, found)
    return Built(planned, files, made)
