"""The deepest that the stack of an image can get, and by which chain of calls.

A static bound: every frame at its deepest along the worst chain of the call
graph: of RISC-V images from the machine code (`callgraph`), of Cortex-M's from it and
the compiler's word (`thumb`), of the host's from what gcc writes beside each object. No recursion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.building import cache
from codegen.building.arm import CORES
from codegen.errors import BuildError
from codegen.planning import layout
from targets import Target

if TYPE_CHECKING:
    from codegen.machine_code.callgraph import Graph

MAIN, TRAPS = "main", "trap_entry"
"""Where the stack begins, and the trap stack of a port that has one."""
VERSION = 4
"""Of how the bound is found: what older versions passed is read again."""
INFER, STEP = "net_infer", "net_step"
"""Entries of the generated library."""
RED_ZONE = 128
"""x86-64: what a function may use below the stack pointer without moving it.
gcc's figures leave it out, so the last of a chain has it in addition."""


@dataclass(frozen=True)
class Bound:
    """Bytes of stack at most, and the chain of calls that takes them."""

    bytes: int
    chain: tuple[str, ...]

    def __str__(self) -> str:
        return " > ".join(self.chain)


@dataclass(frozen=True)
class Stack:
    """The call graph of one image, at one VLEN. `reserve`: what every stack needs
    besides, for an interrupt that may come at any moment, or below its end."""

    graph: Graph
    reserve: int = 0

    def bound(self, root: str) -> Bound:
        """The worst chain of calls from `root`.

        Raises `BuildError` when functions call each other in a circle.
        """
        found: dict[str, Bound] = {}
        self._deepest(root, found, ())
        return Bound(found[root].bytes + self.reserve, found[root].chain)

    def _deepest(
        self, name: str, found: dict[str, Bound], above: tuple[str, ...]
    ) -> Bound:
        if name in above:
            circle = (*above[above.index(name) :], name)
            raise BuildError(
                f"functions call each other in a circle, {' > '.join(circle)}: "
                "firmware must not recurse, for nobody can tell its stack"
            )
        if name not in found:
            node = self.graph.nodes[name]
            deepest = Bound(node.frame, (name,))
            for callee, depth in self.graph.callees(node):
                below = self._deepest(callee, found, (*above, name))
                if depth + below.bytes > deepest.bytes:
                    deepest = Bound(depth + below.bytes, (name, *below.chain))
            found[name] = deepest
        return found[name]

    def reached(self, roots: Iterable[str]) -> frozenset[str]:
        """Every function that runs on behalf of `roots`, these among them."""
        found: set[str] = set()
        left = list(roots)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                node = self.graph.nodes[name]
                left += [callee for callee, _ in self.graph.callees(node)]
        return frozenset(found)

    def code(self, names: Iterable[str]) -> int:
        """Bytes of machine code of these functions."""
        return sum(self.graph.nodes[name].size for name in names)


@lru_cache(maxsize=16)
def read(path: Path, target: Target, vlen: int) -> Stack | None:
    """The stack of the image at `path`, built for `target`, on a machine with
    vectors of `vlen` bits. None where nothing tells what calls what: in a program
    that is linked with a libc (whose own calls go through pointers), unless gcc has
    written the calls down."""
    # late: an image from the cache is not read
    from codegen.machine_code import callgraph, gcc_calls, thumb

    if target.isa in CORES:
        graph = thumb.read(path)
        stack = Stack(graph)
        there = [name for name in thumb.HANDLERS if name in graph.nodes]
        handlers = max(stack.bound(name).bytes for name in there)
        return Stack(graph, thumb.EXCEPTION + handlers)
    if target.emulated:
        return Stack(callgraph.read(path, target.xlen, vlen))
    told = path.parent / cache.CALLS
    if not told.exists():
        return None
    return Stack(gcc_calls.read(told.read_text(encoding="utf-8"), path), RED_ZONE)


def deepest(path: Path, target: Target, vlen: int) -> Bound | None:
    """What the stack of the image at `path` takes at most; None for a program of an
    operating system. It is kept beside the image, and not found again.

    Raises `BuildError`, naming the chain, when the trap stack could overflow.
    """
    if target.memory is None:
        return None
    traps = layout.port(target.port).trap_stack
    kept = path.with_name(f"stack-{VERSION}-{vlen}-{traps}")
    known = cache.read_facts(kept)
    if isinstance(known, dict):
        return Bound(known["bytes"], tuple(known["chain"]))
    stack = read(path, target, vlen)
    assert stack is not None
    if TRAPS in stack.graph.nodes and (bound := stack.bound(TRAPS)).bytes > traps:
        raise BuildError(
            f"the trap stack of target {target.name} has {traps:,} bytes, but "
            f"{bound.bytes:,} may be used, by {bound}",
            "a larger trap stack makes room: trap_stack in the port's ram.toml and "
            "linker script",
        )
    found = stack.bound(MAIN)
    cache.write_facts(kept, asdict(found))
    return found


def refuse_deep(bound: Bound, target: Target) -> None:
    """Raise `BuildError`, naming the chain, when the stack could overflow."""
    if target.memory is not None and bound.bytes > target.memory.stack:
        raise BuildError(
            f"the stack of target {target.name} has {target.memory.stack:,} bytes, but "
            f"{bound.bytes:,} may be used, by {bound}",
            "a larger stack makes room: stack in the target's file",
        )
