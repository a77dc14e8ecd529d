"""From the plan of a network that NeuroCoreX's bytes program to the C of its image."""

from __future__ import annotations

from codegen.building.buildplan import BuildPlan
from codegen.planning import bill
from codegen.planning.lif import LifPlan
from codegen.rendering.render import assembled, environment, firmware


def render_lif(plan: LifPlan) -> BuildPlan:
    """Render everything an image of it is made of: only its sizes are generated."""
    config = environment().get_template("hil_config.h.j2").render(
        network=None, target=plan.target, line=plan.line,
        structures=bill.structures_spiking(plan), cells=plan.cells,
    )  # fmt: skip
    files = firmware(plan.target, "lif", "stepless")
    return assembled("lif", plan.target, {"image/hil_config.h": config, **files})
