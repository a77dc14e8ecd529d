"""The memory bill of a plan: every byte of RAM its image will have, and refusing
what does not fit (DESIGN section 6). The linker is held to it by a test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from codegen import layout, protocol
from codegen.errors import OverBudget
from codegen.layout import Buffers, Extent
from codegen.tensors import WORD
from targets import Target

if TYPE_CHECKING:
    from codegen.machine_code.stack import Bound
    from codegen.plan import Line, Plan

CODE = 64 << 10
"""Bytes set aside for code where a resident set shares its memory. Images have 10
to 35 KB of it, and code and constants end on a page; the linker has the last word."""
LARGEST = 3
"""Items that a refusal names."""
STACK = "stack"
"""The row of the bill that is the stack's reserve."""
STACK_LEAST, STACK_STEP = 256, 16
"""Bytes of stack that no image does without, and of what its reserve is a multiple.
What an image needs of stack is known once it is compiled."""


@dataclass(frozen=True)
class Item:
    """A row of the memory bill. `kind`: const, state, pending, scratch, rehearsal,
    link, runtime or stack; all but const are RAM."""

    name: str
    bytes: int
    kind: str


@dataclass(frozen=True)
class Structures:
    """Sizes in bytes of what the C declares: the session's variable, the port's
    variables by name, the learner's variable, of which net_t, the rehearsal buffer and
    one kept reply are parts, and all that has an initial value."""

    session: int
    port: dict[str, int]
    learner: int = 0
    net: int = 0
    rehearsal: int = 0
    kept: int = 0
    initialised: int = 0

    @property
    def runtime(self) -> int:
        """All of it that is not the port's."""
        return self.session + self.learner + self.initialised


def structures(plan: Plan) -> Structures:
    """What the compiler will find too, or refuse."""
    xlen, line = plan.target.xlen, plan.line
    net = layout.Network(
        state=sum(t.words for t in plan.state),
        pending=sum(t.words for t in plan.pending),
        arena=plan.arena.words,
        fused=sum(layer.fused for layer in plan.layers),
        listed=sum(layer.lists for layer in plan.layers),
        counters=2 + plan.spec.gate.rows + plan.signals,
    ).extent(xlen)
    element = plan.spec.inputs.size
    buffers = Buffers(
        sample=Extent(plan.spec.sample_bytes, element),
        rehearsed=plan.rehearsal,
        kept=line.window,
        body=protocol.HEADER.size + line.reply + protocol.CRC_BYTES,
    )
    port = layout.port(plan.target.port)
    first = layout.INITIALISED.size
    return Structures(
        layout.session(line.frame, xlen).size,
        port.sizes(line.ring, xlen),
        layout.learner(net, buffers, xlen).size,
        net.size,
        layout.rehearsal(buffers, xlen).size,
        layout.kept_reply(buffers, xlen).size,
        first + -first % port.section,
    )


def structures_alone(target: Target, line: Line) -> Structures:
    """The same of an image without a network."""
    return Structures(
        layout.session(line.frame, target.xlen).size,
        layout.port(target.port).sizes(line.ring, target.xlen),
    )


def rows(plan: Plan) -> tuple[Item, ...]:
    """The bill. Its RAM is the image's, but for the host's own: there the
    operating system gives the stack, and libc has variables."""
    tensors = [*plan.state, *plan.pending]
    found = [
        Item(t.name, t.words * WORD, "state" if t.state else t.role) for t in tensors
    ]
    found += [Item(c.name, c.words * WORD, "const") for c in plan.consts]
    if plan.resident is not None:
        found += [
            Item("resident samples", len(plan.resident.samples), "const"),
            Item("resident labels", len(plan.resident.labels), "const"),
        ]
    sizes, line = structures(plan), plan.line
    arena = Item("scratch arena", plan.arena.words * WORD, "scratch")
    frames = Item("frame buffers", 2 * line.frame, "link")
    kept = Item("kept replies", line.window * sizes.kept, "link")
    in_net = arena.bytes + sum(t.words * WORD for t in tensors)
    found += [arena, frames, kept]
    if sizes.rehearsal:
        found.append(Item("rehearsal buffer", sizes.rehearsal, "rehearsal"))
    known = in_net + frames.bytes + kept.bytes + sizes.rehearsal
    found.append(Item("runtime", sizes.runtime - known, "runtime"))
    return (*found, *_port(plan.target, sizes))


def rows_alone(target: Target, line: Line) -> tuple[Item, ...]:
    """The bill of an image without a network."""
    sizes = structures_alone(target, line)
    frames = Item("frame buffers", 2 * line.frame, "link")
    rest = Item("runtime", sizes.runtime - frames.bytes, "runtime")
    return (frames, rest, *_port(target, sizes))


def _port(target: Target, sizes: Structures) -> Iterator[Item]:
    """What the port keeps, and the stacks."""
    port, memory = layout.port(target.port), target.memory
    for name, size in sizes.port.items():
        ring = any(count == layout.RING for _, count in port.variables[name])
        yield Item("receive ring" if ring else f"port's {name}", size, "link")
    if port.trap_stack:
        yield Item("trap stack", port.trap_stack, "stack")
    if port.guard and memory and memory.rom is None:
        yield Item("stack guard", port.guard, "stack")
    if memory:
        yield Item(STACK, memory.stack, "stack")


def ram(bill: tuple[Item, ...]) -> int:
    """Bytes of RAM: all that is no constant."""
    return sum(item.bytes for item in bill if item.kind != "const")


@dataclass(frozen=True)
class Fit:
    """How many bytes of RAM an image needs, and how many there are: `limit` is
    `whose`, None where nothing limits it. `largest` are the largest items. `least`:
    it may need more, for nothing is compiled yet that would tell its stack."""

    needs: int
    limit: int | None
    whose: str
    largest: tuple[Item, ...]
    least: bool = False

    @property
    def fits(self) -> bool:
        """Whether there is enough."""
        return self.limit is None or self.needs <= self.limit


def fit(plan: Plan, stack: int | None = None) -> Fit:
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


def fitted(plan: Plan) -> Plan:
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
    return replace(plan, target=tight)


def refuse_deep(plan: Plan, bound: Bound) -> None:
    """Raise `OverBudget` when what the compiled image may take of stack is more than
    its budget, or its target, leaves for it."""
    size = bound.bytes + -bound.bytes % STACK_STEP
    found = fit(plan, size)
    if not found.fits:
        raise _over_budget(plan, found, size, f" ({bound})")


def _over_budget(plan: Plan, found: Fit, stack: int = 0, chain: str = "") -> OverBudget:
    """What to raise, `stack` bytes of what is needed being the stack's."""
    share = f", {stack:,} of them for its stack{chain}" if stack else ""
    return OverBudget(
        f"network {plan.spec.network} with rule {plan.rule.name} needs "
        f"{'at least ' * found.least}{found.needs:,} bytes of RAM{share}, but {found.whose} has "
        f"{found.limit:,}",
        "largest: " + ", ".join(f"{i.name} {i.bytes:,} bytes" for i in found.largest),
        _advice(found.largest),
        fit=found,
    )


def _advice(largest: Sequence[Item]) -> str:
    """What makes the largest items smaller."""
    kinds = {item.kind for item in largest}
    ways = []
    if kinds & {"state", "scratch", "pending"}:
        ways.append("narrower layers")
    if "link" in kinds:
        ways.append("shorter queues on the line (--window 1, --samples-per-frame 1)")
    if "rehearsal" in kinds:
        ways.append("fewer samples for --rehearsal")
    return f"{' or '.join(ways)} need less"


def refuse_oversized_image(plan: Plan) -> None:
    """Constants lie in the target's RAM too, beside all that `ram` counts."""
    memory, resident = plan.target.memory, plan.resident
    if memory is None or resident is None:
        return
    taken = len(resident.samples) + len(resident.labels)
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
