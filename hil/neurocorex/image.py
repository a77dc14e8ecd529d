"""The image that understands NeuroCoreX's bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from codegen.building import toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.image import Image
from codegen.machine_code import stack
from codegen.planning import fitting
from codegen.planning.lif import LifPlan, lif_plan
from codegen.rendering.lif import render_lif
from hil.desk import link_only
from hil.desk.link_only import LinkOnly
from hil.experiment import Experiment


@dataclass(frozen=True)
class LifBuilt:
    """The image and what it was made from."""

    plan: LifPlan
    files: BuildPlan
    image: Image


def prepare(asked: Experiment) -> LinkOnly:
    """Where it will run. Raises `UsageError` and `DescriptorError`."""
    placed = link_only.prepare(asked)
    return replace(placed, target=placed.target.counted()) if asked.icount else placed


def build(placed: LinkOnly, cells: int) -> LifBuilt:
    """The image for so many cells, from the cache when it was built before. Raises
    `SpecError`, `OverBudget`, `CompilerMissing`, and `BuildError` also when its stack
    could overflow."""
    asked = placed.experiment
    planned = lif_plan(cells, placed.target, asked.ram)
    files = render_lif(planned)
    made = toolchain.build(files, toolchain.find(planned.target, asked.toolchain))
    bound = stack.deepest(made.path, planned.target, placed.vlen)
    if bound is not None:
        fitting.refuse_deep(planned, bound.bytes, str(bound))
        stack.refuse_deep(bound, planned.target)
    return LifBuilt(planned, files, made)
