"""The outcome of cases that went through a device, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hil.inferring import bill
from hil.inferring.image import Model, ModelBuilt
from hil.inferring.running import Run
from hil.models import check


def before(built: ModelBuilt) -> Iterator[str]:
    """What will run."""
    plan, image = built.plan, built.image
    yield (
        f"plan     {plan.subject}, {plan.program.arena:,} bytes of arena, {plan.ram:,} bytes of "
        f"RAM, {plan.flash:,} bytes of constants (counted)"
    )
    yield f"build    {image.digest[:8]}, {image.toolchain}"


def after(model: Model, run: Run, others: Sequence[check.Output] = ()) -> Iterator[str]:
    """The outcome: PASS only where the device gave what the twin gives and, within
    the tolerance, what the `others` gave."""
    equal = sum(one.equal for one in run.cases)
    vlen = f" VLEN {run.greeting.vlen}" if run.greeting.vlen else ""
    yield f"hello    {run.greeting.target} {run.greeting.isa}{vlen}"
    if counted(model) and run.cases:
        most = max(one.instructions for one in run.cases)
        yield f"cost     {most:,} instructions a case at most (counted)"
    apart = [one for one in others if one.equal < one.cases]
    word = "FAIL" if apart or equal < len(run.cases) else "PASS"
    less = (f", {one.equal:,} of them equal ref{one.place}" for one in apart)
    yield f"{word}: {equal:,} of {len(run.cases):,} cases bit-exact{''.join(less)}"


def counted(model: Model) -> bool:
    """Whether instructions were counted exactly."""
    return model.experiment.icount


def document(model: Model, built: ModelBuilt, run: Run) -> dict[str, Any]:
    """The same for --json."""
    plan = built.plan
    return {
        "model": plan.name,
        "target": plan.target.name,
        "build": built.image.digest,
        "bill": bill.document(built),
        "cases": len(run.cases),
        "equal": sum(one.equal for one in run.cases),
        "instructions": [one.instructions for one in run.cases]
        if counted(model)
        else None,
    }
