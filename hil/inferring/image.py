"""The image of an imported model: it computes, and learns nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from codegen.building import toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.image import Image
from codegen.graph import support
from codegen.graph.description import Graph
from codegen.machine_code import stack
from codegen.planning import fitting
from codegen.planning.imported import GraphPlan, graph_plan
from codegen.rendering.imported import render_graph
from hil.device import units
from hil.errors import ModelError
from hil.experiment import Experiment
from hil.models import file
from targets import Target, load


@dataclass(frozen=True)
class Model:
    """A model, and where it is to run: of the experiment, only the keys that say how a
    device is reached are looked at. `data` are the bytes of the file that `graph` was read
    from."""

    experiment: Experiment
    target: Target
    vlen: int
    name: str
    graph: Graph
    data: bytes


@dataclass(frozen=True)
class ModelBuilt:
    """The image and what it was made from. `stack_bound`: the bytes that its stack
    takes at most, None where that is not known."""

    plan: GraphPlan
    files: BuildPlan
    image: Image
    stack_bound: int | None = None


def prepare(asked: Experiment, path: str) -> Model:
    """A model's file on the target that is asked for. Raises `DataError`, `ModelError`,
    `UsageError` and `DescriptorError`."""
    target, data = load(asked.target), file.data(path)
    graph = file.graph(path, data)
    problems = support.problems(graph)
    if problems:
        raise ModelError(
            f"model {path!r} cannot run: {problems[0]}",
            f"`hil import {path}` lists all that is not supported",
        )
    if asked.unit is not None:
        asked = replace(asked, unit=units.chosen(asked.unit, target.name).name)
    if asked.icount:
        target = target.counted()
    vlen = target.vlen(asked.vlen)
    return Model(asked, target, vlen, Path(path).stem, graph, data)


def plan_for(model: Model) -> GraphPlan:
    """The plan. Raises `ModelError` for what no device computes yet, `OverBudget` where
    the target is too small."""
    asked = model.experiment
    return graph_plan(
        model.name, model.graph, model.target, window=asked.window, budget=asked.ram
    )


def build(planned: GraphPlan, model: Model) -> ModelBuilt:
    """The image, from the cache when it was built before. Raises `CompilerMissing`,
    and `BuildError` also when its stack could overflow."""
    files = render_graph(planned)
    found = toolchain.find(planned.target, model.experiment.toolchain)
    made = toolchain.build(files, found)
    bound = stack.deepest(made.path, planned.target, model.vlen)
    if bound is not None:
        fitting.refuse_deep(planned, bound.bytes, str(bound))
        stack.refuse_deep(bound, planned.target)
    return ModelBuilt(planned, files, made, bound.bytes if bound else None)
