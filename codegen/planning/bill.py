"""The memory bill of a plan: every byte of RAM its image will have, and refusing
what does not fit (DESIGN section 6). The linker is held to it by a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from codegen import goals, protocol
from codegen.budget import Item
from codegen.graph.description import BITS
from codegen.lowering import GraphProgram
from codegen.planning import layout, ways
from codegen.planning.arena import Arena
from codegen.planning.layout import Buffers, Extent
from codegen.planning.line import Line
from codegen.planning.resident import Resident
from codegen.spec import Spec
from codegen.tensors import WORD, Tensor
from targets import Target


class Planned(Protocol):
    """What a bill must know of a plan."""

    @property
    def spec(self) -> Spec: ...

    @property
    def target(self) -> Target: ...

    @property
    def line(self) -> Line: ...

    @property
    def layers(self) -> tuple[ways.Layer, ...]: ...

    @property
    def state(self) -> tuple[Tensor, ...]: ...

    @property
    def pending(self) -> tuple[Tensor, ...]: ...

    @property
    def drawn(self) -> tuple[Tensor, ...]: ...

    @property
    def consts(self) -> tuple[Tensor, ...]: ...

    @property
    def front(self) -> GraphProgram | None: ...

    @property
    def arena(self) -> Arena: ...

    @property
    def resident(self) -> Resident | None: ...

    @property
    def rehearsal(self) -> int: ...

    @property
    def latent(self) -> bool: ...

    @property
    def signals(self) -> int: ...

    @property
    def chunk(self) -> int | None: ...


FRONT = "front constants"
"""The row of the bill that holds what an imported model's operators are given."""
STACK = "stack"
"""The row of the bill that is the stack's reserve."""


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


def structures(plan: Planned) -> Structures:
    """What the compiler will find too, or refuse."""
    xlen, line = plan.target.xlen, plan.line
    drawn = sum(t.words for t in plan.drawn)
    net = layout.Network(
        state=sum(t.words for t in plan.state),
        pending=sum(t.words for t in plan.pending),
        arena=plan.arena.words,
        fused=sum(layer.fused for layer in plan.layers),
        listed=sum(layer.lists for layer in plan.layers),
        counters=2 + plan.spec.gate.rows + plan.signals + drawn,
    ).extent(xlen)
    element = plan.spec.inputs.size
    buffers = Buffers(
        sample=Extent(plan.spec.sample_bytes, element),
        target=goals.goal(plan.spec).bytes(plan.spec),
        copied=plan.spec.goal == "vector",
        rehearsed=plan.rehearsal,
        kept=line.window,
        body=protocol.HEADER.size + line.reply + protocol.CRC_BYTES,
        features=_features(plan),
        parts=plan.chunk is not None,
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


def _features(plan: Planned) -> Extent | None:
    """What is kept of a sample that goes through a front, where not all of it is."""
    frozen = plan.spec.inputs.frozen
    if frozen is None or not plan.latent:
        return None
    size = BITS[frozen.feature_type] // 8
    return Extent(size * frozen.features, size)


def structures_alone(target: Target, line: Line) -> Structures:
    """The same of an image without a network."""
    return Structures(
        layout.session(line.frame, target.xlen).size,
        layout.port(target.port).sizes(line.ring, target.xlen),
    )


class Inferring(Protocol):
    """What a bill must know of a plan that learns nothing."""

    @property
    def target(self) -> Target: ...

    @property
    def line(self) -> Line: ...

    @property
    def consts(self) -> tuple[Tensor, ...]: ...

    @property
    def program(self) -> GraphProgram: ...


def structures_inferring(plan: Inferring) -> Structures:
    """The same of an image with an imported model."""
    xlen = plan.target.xlen
    net = Extent(plan.program.arena, layout.ROUND)
    alone = structures_alone(plan.target, plan.line)
    return replace(alone, learner=layout.inference(net, xlen).size, net=net.size)


class Spiking(Protocol):
    """What a bill must know of a plan whose network NeuroCoreX's bytes program."""

    @property
    def target(self) -> Target: ...

    @property
    def line(self) -> Line: ...

    @property
    def cells(self) -> int: ...

    @property
    def room(self) -> int: ...


def structures_spiking(plan: Spiking) -> Structures:
    """The same of an image with such a network."""
    xlen = plan.target.xlen
    net = layout.lif(plan.cells, xlen)
    alone = structures_alone(plan.target, plan.line)
    learner = layout.lif_image(net, plan.room, xlen).size
    return replace(alone, learner=learner, net=net.size)


def rows(plan: Planned) -> tuple[Item, ...]:
    """The bill. Its RAM is the image's, but for the host's own: there the
    operating system gives the stack, and libc has variables."""
    tensors = [*plan.state, *plan.pending, *plan.drawn]
    kinds = {"learned": "state", "dynamic": "state", "drawn": "scratch"}
    found = [Item(t.name, t.words * WORD, kinds.get(t.role, t.role)) for t in tensors]
    of_front = plan.front.constants if plan.front is not None else ()
    own = (c for c in plan.consts if c not in of_front)
    found += [Item(c.name, c.words * WORD, "const") for c in own]
    if of_front:
        found.append(Item(FRONT, sum(c.nbytes for c in of_front), "const"))
    if plan.resident is not None:
        found += [
            Item("resident samples", len(plan.resident.samples), "const"),
            Item("resident targets", len(plan.resident.targets), "const"),
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


def rows_inferring(plan: Inferring) -> tuple[Item, ...]:
    """The bill of an image with an imported model. The structures that kernels are
    given are of the code."""
    sizes = structures_inferring(plan)
    arena = Item("arena", plan.program.arena, "scratch")
    frames = Item("frame buffers", 2 * plan.line.frame, "link")
    rest = Item("runtime", sizes.runtime - arena.bytes - frames.bytes, "runtime")
    consts = (Item(c.name, c.nbytes, "const") for c in plan.consts)
    return (*consts, arena, frames, rest, *_port(plan.target, sizes))


def rows_spiking(plan: Spiking) -> tuple[Item, ...]:
    """The bill of an image whose network NeuroCoreX's bytes program."""
    sizes, synapses = structures_spiking(plan), 2 * plan.cells * plan.cells
    weights = Item("weights", synapses, "state")
    plastic = Item("which synapses learn", synapses // 8, "state")
    cells = Item("cells", sizes.net - synapses - plastic.bytes, "state")
    link = Item("frame buffers and answer", 2 * plan.line.frame + plan.room, "link")
    rest = Item("runtime", sizes.runtime - sizes.net - link.bytes, "runtime")
    return (weights, plastic, cells, link, rest, *_port(plan.target, sizes))


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
