"""What calls what in an image that gcc made for the host, from its own notes.

-fcallgraph-info=su writes a graph a source: functions, the stack of each, and
calls. Functions of libc are in no graph, and none of ours here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from codegen.errors import BuildError
from codegen.machine_code.callgraph import Graph, Node
from codegen.machine_code.debuginfo import functions

NODE = re.compile(
    r'^node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes \(([^)]+)\)', re.M
)
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', re.M)
INDIRECT = "__indirect_call"
PAINTER = "host_paint"
"""Its frame is the paint by which the use of all others is seen."""


def read(text: str, path: Path) -> Graph:
    """The call graph that the notes `text` tell, of the ELF at `path`.

    Raises `BuildError` for a frame without a bound.
    """
    frames: dict[str, int] = {}
    for title, size, kind in NODE.findall(text):
        if kind == "dynamic":
            raise BuildError(
                f"function {_name(title)} has a frame without a bound: expected one "
                "of a fixed size"
            )
        name = _name(title)
        frames[name] = 0 if name == PAINTER else max(int(size), frames.get(name, 0))
    calls: dict[str, dict[str, int]] = {name: {} for name in frames}
    indirect = set()
    for source, to in EDGE.findall(text):
        name, callee = _name(source), _name(to)
        if callee == INDIRECT:
            indirect.add(name)
        elif callee in frames:
            calls[name][callee] = frames[name]
    with path.open("rb") as file:
        elf = ELFFile(file)
        sizes = {f.name: f.size for f in functions(elf)}
        starts = {f.first: f.name for f in functions(elf)}
        pointed = {starts[a] for a in _relocated(elf) if a in starts}
    nodes = {
        name: Node(
            name, sizes.get(name, 0), frame, calls[name],
            frame if name in indirect else None,
        )
        for name, frame in frames.items()
    }  # fmt: skip
    return Graph(nodes, frozenset(pointed & nodes.keys()))


def _name(title: str) -> str:
    """A static function's title begins with its file."""
    return title.rpartition(":")[2]


def _relocated(elf: ELFFile) -> Iterator[int]:
    """Addresses that the image's data holds, as they are told to the loader."""
    for section in elf.iter_sections():
        if isinstance(section, RelocationSection) and section.is_RELA():
            for entry in section.iter_relocations():
                yield entry["r_addend"]
