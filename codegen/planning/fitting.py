"""Whether a plan fits: refusing what does not, before anything is compiled
(DESIGN section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from codegen.budget import Fit, Item
from codegen.errors import OverBudget
from codegen.planning.bill import STACK, ram
from codegen.planning.planned import Plan
from targets import Target


class Billed(Protocol):
    """Any plan that has a bill."""

    @property
    def subject(self) -> str: ...

    @property
    def target(self) -> Target: ...

    @property
    def budget(self) -> int | None: ...

    @property
    def bill(self) -> tuple[Item, ...]: ...

    @property
    def mends(self) -> Mapping[str, str]: ...


AnyPlan = TypeVar("AnyPlan", bound=Billed)

CODE = 64 << 10
"""Bytes set aside for code where a resident set shares its memory. Images have 10
to 35 KB of it, and code and constants end on a page; the linker has the last word."""
LARGEST = 3
"""Items that a refusal names."""
STACK_LEAST, STACK_STEP = 256, 16
"""Bytes of stack that no image does without, and of what its reserve is a multiple.
What an image needs of stack is known once it is compiled."""


def fit(plan: Billed, stack: int | None = None) -> Fit:
    """Of a plan, with its reserve of stack, or with `stack` bytes instead."""
    limits = {"the budget": plan.budget}
    if plan.target.memory:
        limits[f"target {plan.target.name}"] = plan.target.memory.usable
    known = [(limit, whose) for whose, limit in limits.items() if limit is not None]
    limit, whose = min(known, default=(None, f"target {plan.target.name}"))
    items = [
        replace(item, bytes=stack) if stack and item.name == STACK else item
        for item in plan.bill
        if item.kind != "const"
    ]
    largest = sorted(items, key=lambda item: -item.bytes)[:LARGEST]
    return Fit(ram(tuple(items)), limit, whose, tuple(largest))


def fitted(plan: AnyPlan) -> AnyPlan:
    """The plan, its reserve of stack made smaller where it would not fit otherwise.

    Raises `OverBudget`, naming the largest items, unless it fits its budget and its
    target."""
    found, memory = fit(plan), plan.target.memory
    if found.limit is None or found.fits:
        return plan
    if memory is None:
        raise _over_budget(plan, found)
    room = memory.stack - (found.needs - found.limit)
    room -= room % STACK_STEP
    least = min(STACK_LEAST, memory.stack)
    if room < least:
        raise _over_budget(plan, replace(fit(plan, least), least=True), least)
    tight = replace(plan.target, memory=replace(memory, stack=room))
    return replace(plan, target=tight)  # type: ignore[type-var]


def refuse_deep(plan: Billed, deepest: int, chain: str) -> None:
    """Raise `OverBudget` when the `deepest` bytes that the compiled image may take of
    stack, by that `chain` of calls, are more than its budget, or its target, leaves."""
    size = deepest + -deepest % STACK_STEP
    found = fit(plan, size)
    if not found.fits:
        raise _over_budget(plan, found, size, f" ({chain})")


def _over_budget(
    plan: Billed, found: Fit, stack: int = 0, chain: str = ""
) -> OverBudget:
    """The error to raise where `stack` bytes of the need are the stack's."""
    share = f", {stack:,} of them for its stack{chain}" if stack else ""
    return OverBudget(
        f"{plan.subject} needs "
        f"{'at least ' * found.least}{found.needs:,} bytes of RAM{share}, but {found.whose} has "
        f"{found.limit:,}",
        "largest: " + ", ".join(f"{i.name} {i.bytes:,} bytes" for i in found.largest),
        _advice(plan, found.largest),
        fit=found,
    )


def _advice(plan: Billed, largest: Sequence[Item]) -> str:
    """What makes the largest items smaller."""
    kinds = {item.kind for item in largest}
    ways = (way for kind, way in plan.mends.items() if kind in kinds)
    return f"{' or '.join(dict.fromkeys(ways))} need less"


def refuse_constants(plan: Billed) -> None:
    """Raise `OverBudget` where constants do not fit the target's flash or, where it has
    none of its own, the RAM that is left."""
    memory = plan.target.memory
    if memory is None:
        return
    needs = sum(item.bytes for item in plan.bill if item.kind == "const")
    left = memory.usable - CODE - ram(plan.bill)
    room = max(0, left) if memory.rom is None else memory.rom
    if needs > room:
        raise OverBudget(
            f"{plan.subject} needs {needs:,} bytes for its constants, but target "
            f"{plan.target.name} has {room:,} for them: {needs - room:,} are missing"
        )


def refuse_oversized_image(plan: Plan) -> None:
    """Constants lie in the target's RAM too, beside all that `ram` counts."""
    memory, resident = plan.target.memory, plan.resident
    if memory is None or resident is None:
        return
    taken = len(resident.samples) + len(resident.targets)
    consts = sum(item.bytes for item in plan.bill if item.kind == "const")
    room = memory.usable - CODE - plan.ram - (consts - taken)
    if taken <= room:
        return
    room = max(0, room)
    fitting = room // (taken // resident.count)
    some = f"--resident {fitting} places as many, and the line carries the others"
    raise OverBudget(
        f"a resident set of {resident.count:,} samples needs {taken:,} bytes, but "
        f"target {plan.target.name} has {room:,} left for it: {fitting:,} fit",
        some if fitting else "without --resident the line carries every sample",
    )
