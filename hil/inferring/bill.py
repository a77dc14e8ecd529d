"""The memory that an image takes which computes an imported model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hil.inferring.image import ModelBuilt
from hil.models.report import counted

STACK = "stack"


def lines(built: ModelBuilt) -> Iterator[str]:
    """What lies in flash, and every row of RAM; how deep the stack gets."""
    plan = built.plan
    yield (
        f"image    {plan.target.name}: {plan.flash:,} bytes of constants, {plan.ram:,} bytes "
        "of RAM (counted)"
    )
    for item in plan.bill:
        if item.kind != "const":
            yield f"  {item.bytes:>10,}  {item.name}{_used(built, item.name)}"
    variants = counted(len(plan.variants), "kernel")
    yield f"  {len([*plan.program.ops()]):,} calls of {variants}"


def _used(built: ModelBuilt, name: str) -> str:
    known = name == STACK and built.stack_bound is not None
    return f", of which {built.stack_bound:,} are used at most" if known else ""


def document(built: ModelBuilt) -> dict[str, Any]:
    """The same for --json."""
    plan = built.plan
    return {
        "provenance": "counted",
        "target": plan.target.name,
        "constants": plan.flash,
        "arena": plan.program.arena,
        "ram": plan.ram,
        "stack": built.stack_bound,
        "rows": [
            {"name": item.name, "bytes": item.bytes, "kind": item.kind}
            for item in plan.bill
        ],
    }
