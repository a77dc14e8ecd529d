"""From the plan of a network that NeuroCoreX's bytes program to the C of its image."""

from __future__ import annotations

from codegen.building.buildplan import BuildPlan
from codegen.planning import bill
from codegen.planning.lif import LifPlan
from codegen.rendering.render import assembled, environment, firmware, tidy

_STEP = "hil_lif_step"


def render_lif(plan: LifPlan) -> BuildPlan:
    """Render everything an image of it is made of: only its sizes are generated, and where
    the target has vectors, a step in them."""
    config = environment().get_template("hil_config.h.j2").render(
        network=None, target=plan.target, line=plan.line,
        structures=bill.structures_spiking(plan), cells=plan.cells,
    )  # fmt: skip
    files = firmware(plan.target, "lif", "stepless")
    if plan.target.vector is not None:
        del files[f"firmware/src/lif/{_STEP}.c"]
        template = f"{_STEP.removeprefix('hil_')}__rvv.c.j2"
        said = f"codegen/templates/{template}"
        step = environment().get_template(template).render(template=said)
        files[f"generated/{_STEP}.c"] = tidy(step)
    return assembled("lif", plan.target, {"image/hil_config.h": config, **files})
