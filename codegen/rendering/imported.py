"""From the plan of an imported model to the C of its image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from codegen import kernels
from codegen.building.buildplan import BuildPlan
from codegen.planning import bill
from codegen.planning.imported import GraphPlan
from codegen.program import Op
from codegen.rendering.prefix import DEFAULT, renamed
from codegen.rendering.render import assembled, environment, firmware, tidy
from codegen.rendering.spelling import Speller
from codegen.tensors import Tensor

FOLDER = "graph"
FILES = ("net.h", "net.c", "net_const.c")


def render_graph(plan: GraphPlan) -> BuildPlan:
    """Render everything an image of a model is made of."""
    library = {f"generated/{n}": text for n, text in render_model(plan).items()}
    part = {f"generated/{one.file}" for one in plan.variants}  # of net.c
    config = environment().get_template("hil_config.h.j2").render(
        network=None, target=plan.target, line=plan.line,
        structures=bill.structures_inferring(plan), inference=True,
    )  # fmt: skip
    files = firmware(plan.target, "inference", "stepless")
    return assembled(
        "model", plan.target, {**library, "image/hil_config.h": config, **files}, part
    )


def render_model(plan: GraphPlan, prefix: str = DEFAULT) -> dict[str, str]:
    """The generated C library alone, its names beginning with `prefix`: file name
    -> text. Raises `SpecError` for a prefix that cannot be."""
    env, values = environment(), _context(plan)
    files = {
        name: tidy(env.get_template(f"{FOLDER}/{name}.j2").render(values))
        for name in FILES
    }
    tested = ["self_test"] if plan.program.floating else []
    return renamed(files | kernels.render(env, plan.variants, tested), prefix)


def _context(plan: GraphPlan) -> dict[str, object]:
    return {
        "plan": plan,
        "name": "".join(c if c.isalnum() or c in "._-" else "_" for c in plan.name),
        "kernel_files": sorted(one.file for one in plan.variants),
        "activations": [*dict.fromkeys(_activations(plan.program.ops()))],
        "c": Speller(lambda one: plan.variant(one).symbol),
    }


def _activations(found: Iterable[Op]) -> Iterator[Tensor]:
    for one in found:
        yield from (tensor for tensor, _ in one.tensors() if tensor.role == "scratch")
