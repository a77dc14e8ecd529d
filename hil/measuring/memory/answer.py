"""The answer that `hil memory` begins with: does it fit?"""

from __future__ import annotations

from typing import Any

from codegen.budget import Fit
from codegen.errors import OverBudget
from codegen.planning import fitting
from codegen.planning.planned import LinkPlan
from hil.measuring.memory.rows import Row
from targets import Target


def fit_of(row: Row) -> Fit | None:
    """Of the image of a row, built or refused for want of RAM; None where another
    reason keeps it from being built."""
    if row.built is not None:
        return fitting.fit(row.built.plan)
    return row.refused.fit if isinstance(row.refused, OverBudget) else None


def fit_alone(plan: LinkPlan) -> Fit:
    """Of an image without a network."""
    memory = plan.target.memory
    return Fit(
        plan.ram, memory.usable if memory else None, f"target {plan.target.name}",
        tuple(sorted(plan.bill, key=lambda item: -item.bytes)),
    )  # fmt: skip


def sentence(fit: Fit, target: Target, text: int | None) -> str:
    """Whether it fits; `text` are bytes of code and constants, where known."""
    if not fit.fits:
        item = fit.largest[0]
        return (
            f"does not fit: needs {'at least ' * fit.least}{fit.needs:,} of {fit.limit:,} bytes of RAM, the "
            f"largest item is {item.name}, {item.bytes:,} bytes"
        )
    if fit.limit is None:
        return f"fits: {fit.needs:,} bytes of RAM, and {fit.whose} sets no limit"
    rom = target.memory.rom if target.memory else None
    code = f", {text:,} of {rom:,} bytes for code and constants" if rom and text else ""
    return f"fits: {fit.needs:,} of {fit.limit:,} bytes of RAM{code}"


def to_json(fit: Fit) -> dict[str, Any]:
    """The answer for machines; docs/record.md says what each key means."""
    return {
        "fits": fit.fits,
        "needs": fit.needs,
        "least": fit.least,
        "limit": fit.limit,
        "largest": [vars(item) for item in fit.largest],
    }
