"""What calls what in a RISC-V image, and how much stack each function takes.

Read from the machine code itself, so that it holds for any compiler: no
compiler tells what its vector spills take, and the zig driver writes no .su
files. Every path through a function is followed with what is known of its
registers; a frame of so many vector registers counts at the VLEN asked for.
An indirect call may reach every function whose address the image holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section

from codegen.building.symbols import symbols_of
from codegen.errors import BuildError
from codegen.machine_code.debuginfo import Function, functions
from codegen.machine_code.decode import Instruction, decode, words
from codegen.machine_code.immediates import (
    Value,
    branch_target,
    evaluate,
    is_end,
    jump_register,
    jump_target,
)

SP = "x2"
CALLER_SAVED = ("x1", *(f"x{n}" for n in (5, 6, 7, *range(10, 18), *range(28, 32))))
GROWTHS = 8
"""Times a path may come back to an instruction with more stack than before."""


@dataclass(frozen=True)
class Node:
    """A function: bytes of code, the deepest its own frame gets, and the depth at
    which it calls what; `indirect` is that of calls through a pointer, None
    where it has none. `switches`: it sets the stack pointer to another stack."""

    name: str
    size: int
    frame: int
    calls: Mapping[str, int]
    indirect: int | None = None
    switches: bool = False


@dataclass(frozen=True)
class Graph:
    """Functions by name, and those that a pointer may hold."""

    nodes: Mapping[str, Node]
    pointed: frozenset[str]

    def callees(self, node: Node) -> Iterator[tuple[str, int]]:
        """Every function that `node` may call, and the depth at which."""
        yield from node.calls.items()
        if node.indirect is not None:
            for name in sorted(self.pointed):
                yield name, node.indirect


@dataclass
class _Path:
    """What is known where an instruction is reached: how deep the stack is, and which
    registers hold a constant or an address in the frame."""

    depth: int
    known: dict[str, Value]
    growths: int = 0

    def join(self, other: _Path) -> bool:
        """Merge another path to the same instruction. Returns whether that changed
        anything."""
        known = {r: v for r, v in self.known.items() if other.known.get(r) == v}
        changed = known.keys() != self.known.keys() or other.depth > self.depth
        self.growths += other.depth > self.depth
        self.depth, self.known = max(self.depth, other.depth), known
        return changed


@dataclass
class _Reader:
    """One image."""

    code: Mapping[int, int]
    functions: list[Function]
    xlen: int
    vlen: int
    tops: frozenset[int]
    taken: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.starts = [function.first for function in self.functions]

    def function_at(self, address: int) -> Function:
        """The function that holds `address`; raises `BuildError`."""
        place = bisect_right(self.starts, address) - 1
        if place >= 0 and address < self.functions[place].end:
            return self.functions[place]
        raise BuildError(
            f"the code jumps to {address:#x}, where no function is: expected every "
            "function to have a name and a size"
        )

    def read(self, function: Function) -> Node:
        """Follow every path through `function`."""
        return _Walk(self, function).node()


class _Walk:
    """Every path through one function."""

    def __init__(self, reader: _Reader, function: Function) -> None:
        self.reader, self.function = reader, function
        self.frame = 0
        self.calls: dict[str, int] = {}
        self.indirect: int | None = None
        self.switches = False
        self.seen: dict[int, _Path] = {}
        self.left: list[int] = []
        self._reach(function.first, _Path(0, {SP: Value(0, frame=True)}))

    def node(self) -> Node:
        """The function, once every path has been followed."""
        while self.left:
            address = self.left.pop()
            path = self.seen[address]
            self._step(address, _Path(path.depth, dict(path.known)))
        return Node(
            self.function.name, self.function.size, self.frame, self.calls,
            self.indirect, self.switches,
        )  # fmt: skip

    def _reach(self, address: int, path: _Path) -> None:
        """Go on at `address`, in this function or by a tail call in another."""
        if not self.function.first <= address < self.function.end:
            self._call(self.reader.function_at(address).name, path.depth)
            return
        there = self.seen.get(address)
        if there is None:
            self.seen[address] = path
        elif not there.join(path):
            return
        elif there.growths > GROWTHS:
            raise BuildError(
                f"function {self.function.name} takes more stack each time round a "
                "loop: expected a frame of a fixed size"
            )
        self.left.append(address)

    def _call(self, name: str, depth: int) -> None:
        self.calls[name] = max(depth, self.calls.get(name, 0))

    def _step(self, address: int, path: _Path) -> None:
        word = self.reader.code[address]
        meaning = decode(word, self.reader.xlen)
        following = address + meaning.size
        if is_end(word):
            return
        direct = jump_target(word, address, self.reader.xlen)
        if direct is not None:
            target, links = direct
            if links:
                self._call(self.reader.function_at(target).name, path.depth)
                self._returned(following, path)
            else:
                self._reach(target, path)
            return
        through = jump_register(word)
        if through is not None:
            self._through(through, following, path)
            return
        branch = branch_target(word, address)
        if branch is not None:
            self._reach(branch, _Path(path.depth, dict(path.known)))
        else:
            self._compute(word, meaning, address, path)
        self._on(following, path)

    def _on(self, following: int, path: _Path) -> None:
        """The next instruction; past the last stands what is never reached."""
        if following < self.function.end:
            self._reach(following, path)

    def _returned(self, following: int, path: _Path) -> None:
        known = {r: v for r, v in path.known.items() if r not in CALLER_SAVED}
        self._on(following, _Path(path.depth, known))

    def _through(self, how: tuple[str, int, bool], following: int, path: _Path) -> None:
        register, offset, links = how
        value = path.known.get(register)
        if value is not None and not value.frame:
            target = value.number + offset
            if links:
                self._call(self.reader.function_at(target).name, path.depth)
            else:
                self._reach(target, path)
        elif links or register not in ("x1", "x5"):
            self.indirect = max(path.depth, self.indirect or 0)
        if links:
            self._returned(following, path)

    def _compute(
        self, word: int, meaning: Instruction, address: int, path: _Path
    ) -> None:
        """What an instruction that stays in line leaves in the registers."""
        reader = self.reader
        written = evaluate(word, address, reader.xlen, reader.vlen, path.known)
        for register in meaning.writes:
            path.known.pop(register, None)
        if written is not None and written[0] != "x0":
            path.known[written[0]] = written[1]
            half = word & 0x7F in (0x17, 0x37)  # auipc, lui: the rest comes yet
            if not written[1].frame and not half and written[1].number in reader.starts:
                reader.taken.add(written[1].number)
        if SP not in meaning.writes and (written is None or written[0] != SP):
            return
        stack = path.known.get(SP)
        if stack is not None and stack.frame:
            path.depth = max(0, -stack.number)
        elif meaning.csr is not None or (
            stack is not None and stack.number in reader.tops
        ):
            self.switches = True
            path.depth, path.known[SP] = 0, Value(0, frame=True)
        elif stack is None:
            raise BuildError(
                f"function {self.function.name} moves the stack pointer at "
                f"{address:#x} by what cannot be told: expected a constant, or "
                "vector registers"
            )
        self.frame = max(self.frame, path.depth)


def read(path: Path, xlen: int, vlen: int) -> Graph:
    """The call graph of the ELF at `path`, made for registers of `xlen` bits, on
    a machine with vectors of `vlen` bits (0: none).

    Raises `BuildError` for code whose stack cannot be told.
    """
    with path.open("rb") as file:
        elf = ELFFile(file)
        found, tops = functions(elf), frozenset(_tops(elf))
        pointers = set(_pointers(elf, xlen // 8))
    reader = _Reader(words(path), found, xlen, vlen, tops)
    nodes = {function.name: reader.read(function) for function in found}
    pointed = {f.name for f in found if f.first in pointers | reader.taken}
    return Graph(nodes, frozenset(name for name in pointed if not nodes[name].switches))


def _tops(elf: ELFFile) -> Iterator[int]:
    """Where stacks begin: the linker script calls these places ..stack_top."""
    for symbol in symbols_of(elf):
        if symbol.name.endswith("stack_top"):
            yield symbol.value


CONSTANTS = "net_"
"""How names of what the generator writes as numbers begin."""
OBJECT = 1
"""STT_OBJECT."""


def _pointers(elf: ELFFile, size: int) -> Iterator[int]:
    """Every word of the data that may be an address."""
    for section in elf.iter_sections():
        flags = section["sh_flags"]
        if not flags & SH_FLAGS.SHF_ALLOC or flags & SH_FLAGS.SHF_EXECINSTR:
            continue
        if section["sh_type"] == "SHT_PROGBITS":
            yield from words_of(elf, section, size)


def words_of(elf: ELFFile, section: Section, size: int) -> Iterator[int]:
    """The words of a section, without the numbers of a network: none of them is an
    address, also where a bias happens to look like one."""
    numbers = sorted(
        (one.value, one.value + one.size)
        for one in symbols_of(elf)
        if one.kind == OBJECT and one.name.startswith(CONSTANTS)
    )
    first, data = section["sh_addr"], section.data()
    for place in range(0, len(data) - size + 1, size):
        before = bisect_right(numbers, (first + place + 1,)) - 1
        if before < 0 or numbers[before][1] <= first + place:
            yield int.from_bytes(data[place : place + size], "little")
