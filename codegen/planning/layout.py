"""How long the C structures of an image are, to the byte.

The plan counts them before anything is compiled; the C that declares them
asserts what was counted here (hil_config.h), so neither can drift. The rules
are those of every ABI in use: a member starts at a multiple of its alignment,
a structure is padded to that of its strictest member.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PORTS = Path(__file__).parents[2] / "firmware" / "ports"
RING = "ring"
"""In a port's ram.toml: as many as the receive ring has bytes."""
ROUND = 16
"""Alignment of the image's large variables, so that they need no padding
between them, in whatever order the linker takes them."""


@dataclass(frozen=True)
class Extent:
    """Size and alignment of a C object, in bytes."""

    size: int
    align: int

    def times(self, count: int) -> Extent:
        """An array of these."""
        return Extent(self.size * count, self.align)

    def aligned(self, align: int) -> Extent:
        """The same after _Alignas(align)."""
        return Extent(self.size, max(self.align, align))


def scalar(name: str, xlen: int) -> Extent:
    """A scalar by name: "u8", ..., "u64", "f32", "bool", or "size" and
    "pointer", which are as long as a register. Raises `KeyError`."""
    size = {
        "u8": 1, "bool": 1, "u16": 2, "i16": 2, "u32": 4, "f32": 4, "u64": 8,
        "size": xlen // 8, "pointer": xlen // 8,
    }[name]  # fmt: skip
    return Extent(size, size)


def struct(members: Iterable[Extent]) -> Extent:
    """A structure of these members, in order, padded as C pads it."""
    size, align = 0, 1
    for member in members:
        size += -size % member.align + member.size
        align = max(align, member.align)
    return Extent(size + -size % align, align)


@dataclass(frozen=True)
class Network:
    """What of net_t depends on the plan: words of state, of pending tensors and
    of the arena; layers that are fused and listed; `counters`: its 32-bit
    members besides, the seed, the step, what a gate tells, and random words that are
    kept."""

    state: int
    pending: int
    arena: int
    fused: int
    listed: int
    counters: int = 2

    def extent(self, xlen: int) -> Extent:
        """net_t of net.h.j2."""
        word = scalar("f32", xlen)
        worker = []
        if self.pending:
            due = scalar("bool", xlen).times(self.fused)
            worker.append(struct([word.times(self.pending), due]))
        worker.append(word.times(self.arena).aligned(8))
        worker += [scalar("size", xlen)] * self.listed
        counters = [scalar("u32", xlen)] * self.counters
        return struct([word.times(self.state), struct(worker), *counters])


@dataclass(frozen=True)
class Buffers:
    """Sizes in bytes of what the learner keeps: a sample and its target, of
    which an aligned copy is made, or not; how many of those to be rehearsed, a kept
    reply's body and how many of those. `features` are what is kept of a sample to be
    rehearsed, None where that is all of it. `parts`: a sample may come in some."""

    sample: Extent
    target: int
    copied: bool
    rehearsed: int
    kept: int
    body: int
    features: Extent | None = None
    parts: bool = False


def kept_reply(buffers: Buffers, xlen: int) -> Extent:
    """struct hil_kept_reply of hil_learner_parts.h."""
    names = ("u32", "u16", "u8", "u32")
    head = [scalar(name, xlen) for name in names]
    return struct([*head, Extent(buffers.body, 1)])


def rehearsal(buffers: Buffers, xlen: int) -> Extent:
    """struct hil_rehearsal of hil_learner_parts.h, which is not declared without slots."""
    slots = buffers.rehearsed
    if not slots:
        return Extent(0, 1)
    each = buffers.features or buffers.sample
    kept = [each, Extent(buffers.target, 1), scalar("bool", xlen)]
    again = [scalar("pointer", xlen)] * (buffers.features is not None)
    return struct([*(member.times(slots) for member in kept), *again])


def learner(net: Extent, buffers: Buffers, xlen: int) -> Extent:
    """The variable `hil_learner`, of an image with a network."""

    def some(*names: str) -> list[Extent]:
        return [scalar(name, xlen) for name in names]

    return struct(
        [
            net.aligned(ROUND),
            buffers.sample,
            *([Extent(buffers.target, scalar("f32", xlen).align)] * buffers.copied),
            rehearsal(buffers, xlen),
            *([struct(some("u32", "u32", "u16"))] * buffers.parts),
            *some("bool", "bool"),
            struct(some("u16", "u16", "u16")),
            *some("u64", "u64"),
            struct(some("u32", "u32", "u32")),
            *some("u32", "u32", "u32"),
            kept_reply(buffers, xlen).times(buffers.kept),
        ]
    )


def once(xlen: int) -> Extent:
    """struct hil_once of hil_once.h."""
    names = ("u64", "u64", "u16", "u16", "bool", "bool")
    return struct(scalar(name, xlen) for name in names)


def inference(net: Extent, xlen: int) -> Extent:
    """The variable `inference`, of an image with an imported model."""
    return struct([net.aligned(ROUND), once(xlen)])


def lif(cells: int, xlen: int) -> Extent:
    """struct hil_lif of hil_lif.h."""
    byte, word = scalar("u8", xlen), scalar("u32", xlen)
    synapses = 2 * cells * cells
    return struct(
        [
            byte.times(synapses), byte.times(synapses // 8),
            word.times(4 * cells), word.times(2), word.times(3 * cells),
            byte.times(4 * cells), word.times(2), scalar("u16", xlen), byte.times(10), word,
        ]
    )  # fmt: skip


def lif_image(net: Extent, room: int, xlen: int) -> Extent:
    """The variable `lif`, of an image with such a network and `room` for an answer."""
    lengths = scalar("u16", xlen).times(2)
    return struct(
        [net.aligned(ROUND), once(xlen), lengths, scalar("u8", xlen).times(room)]
    )


def session(frame: int, xlen: int) -> Extent:
    """The variable `session` of hil_session.c: the decoder, and a buffer of `frame`
    bytes in either direction."""
    boot, telemetry = scalar("u32", xlen).aligned(ROUND), scalar("u32", xlen)
    names = ("pointer", "size", "size", "u8", "bool", "bool", "u32")
    decoder = struct(scalar(name, xlen) for name in names)
    return struct([boot, telemetry, decoder, Extent(frame, 1), Extent(frame, 1)])


INITIALISED = Extent(4, 4)
"""The variable `learning` of hil_steps.c, the only one with a value."""


@dataclass(frozen=True)
class Port:
    """What a port folder's ram.toml says, in bytes; `core` is the folder in
    firmware/cores that the port is an addition to."""

    section: int
    trap_stack: int
    guard: int
    core: str | None
    variables: Mapping[str, tuple[tuple[str, str | int], ...]]

    def variable(self, name: str, ring: int, xlen: int) -> int:
        """Size of one of its variables, with a receive ring of `ring` bytes."""
        members = [
            scalar(kind, xlen).times(ring if count == RING else int(count))
            for kind, count in self.variables[name]
        ]
        if any(count == RING for _, count in self.variables[name]):
            members[0] = members[0].aligned(ROUND)
        return struct(members).size

    def sizes(self, ring: int, xlen: int) -> dict[str, int]:
        """Size of every variable, by name."""
        return {name: self.variable(name, ring, xlen) for name in self.variables}


@cache
def port(name: str) -> Port:
    """The ram.toml of the port folder `name`."""
    said: dict[str, Any] = tomllib.loads(
        (PORTS / name / "ram.toml").read_text(encoding="utf-8")
    )
    variables = {
        variable: tuple((kind, *count, 1)[:2] for _, kind, *count in members)
        for variable, members in said["variables"].items()
    }
    return Port(
        said["section"], said["trap_stack"], said["guard"], said.get("core"), variables
    )
