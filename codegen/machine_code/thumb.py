"""What calls what in an image for Cortex-M, and how much stack each function takes.

Frames are the compiler's own word (the section .stack_sizes, -fstack-size-section),
calls are read from the machine code: Arm Architecture Reference Manual, ARMv7-M
(DDI 0403E), A5 and A7.7. An indirect call may reach every function whose address
the image holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile

from codegen.building.symbols import ABSOLUTE, symbols_of
from codegen.errors import BuildError
from codegen.machine_code import thumb_decode
from codegen.machine_code.callgraph import Graph, Node, words_of
from codegen.machine_code.debuginfo import Function, functions
from codegen.machine_code.decode import Instruction

EXCEPTION = 108
"""Bytes that an exception pushes at most: eight registers, the FPU's eighteen, and
a word that aligns them (B1.5.7)."""
HANDLERS = ("core_tick", "hil_uart_interrupt")
"""They run on the stack that they interrupt, never one in the other."""
SWITCH = "trap_entry"
WRITTEN_BY_HAND = ("_start", "core_tick", SWITCH)
"""In assembly, which pushes nothing."""
FIELD = 0xFFFFFFFF


def read(path: Path) -> Graph:
    """The call graph of the ELF at `path`. Raises `BuildError` for a function whose
    frame the compiler does not tell, or that calls to where none is."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        found = functions(elf)
        text = elf.get_section_by_name(".text")
        assert text is not None
        code, base = text.data(), text["sh_addr"]
        spans = list(_code(elf, base, base + len(code)))
        frames = dict(_frames(elf))
        held = set(_words(elf))
    by_start = {f.first: f for f in found}
    nodes = {}
    for function in found:
        scan = _Scan(function, by_start)
        for first, end in spans:
            low, high = max(first, function.first), min(end, function.end)
            if low < high:
                scan.over(code[low - base : high - base], low)
        nodes[function.name] = scan.node(frames)
        held |= scan.constants
    by_hardware = {*WRITTEN_BY_HAND, *HANDLERS}
    pointed = {f.name for f in found if f.first | 1 in held} - by_hardware
    return Graph(nodes, frozenset(pointed))


def all_instructions(path: Path) -> Iterator[tuple[int, Instruction]]:
    """Address and meaning of every instruction in the ELF at `path`."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        text = elf.get_section_by_name(".text")
        assert text is not None
        code, base = text.data(), text["sh_addr"]
        spans = list(_code(elf, base, base + len(code)))
    for start, end in spans:
        place = start - base
        while place + 2 <= end - base:
            first, second = (
                int.from_bytes(code[at : at + 2], "little") for at in (place, place + 2)
            )
            found = thumb_decode.decode(first, second)
            yield base + place, found
            place += found.size


class _Scan:
    """The branches of one function, one instruction after another."""

    def __init__(self, function: Function, by_start: dict[int, Function]) -> None:
        self.function, self.by_start = function, by_start
        self.starts = sorted(by_start)
        self.callees: set[str] = set()
        self.constants: set[int] = set()
        self.indirect = False
        self._half: dict[int, int] = {}

    def node(self, frames: dict[int, int]) -> Node:
        """The function, its branches being known."""
        name = self.function.name
        frame = frames.get(self.function.first)
        if frame is None:
            if name not in WRITTEN_BY_HAND:
                raise BuildError(
                    f"the compiler tells no stack of function {name}: expected a frame "
                    "of a fixed size"
                )
            frame = 0
        return Node(
            name, self.function.size, frame, dict.fromkeys(sorted(self.callees), frame),
            frame if self.indirect else None, name == SWITCH,
        )  # fmt: skip

    def over(self, code: bytes, address: int) -> None:
        """A stretch of instructions that begins at `address`."""
        place = 0
        while place + 2 <= len(code):
            first = int.from_bytes(code[place : place + 2], "little")
            if thumb_decode.is_wide(first):
                second = int.from_bytes(code[place + 2 : place + 4], "little")
                self._wide(first, second, address + place)
                place += 4
            else:
                self._narrow(first, address + place)
                place += 2

    def _narrow(self, word: int, address: int) -> None:
        if word & 0xFF80 == 0x4780 or (word & 0xFF80 == 0x4700 and word != 0x4770):
            self.indirect = True  # blx, or bx of another register than lr
        elif word & 0xF800 == 0xE000:
            self._to(address + 4 + _signed(word & 0x7FF, 11) * 2)
        elif word & 0xF000 == 0xD000 and word & 0x0F00 < 0x0E00:
            self._to(address + 4 + _signed(word & 0xFF, 8) * 2)

    def _wide(self, first: int, second: int, address: int) -> None:
        if first & 0xFB70 == 0xF240:  # movw, movt
            self._constant(first, second)
        elif first & 0xF800 == 0xF000 and second & 0x8000:
            sign, j1, j2 = first >> 10 & 1, second >> 13 & 1, second >> 11 & 1
            low = (second & 0x7FF) << 1
            if second & 0x1000:  # b, bl
                i1, i2 = 1 - (j1 ^ sign), 1 - (j2 ^ sign)
                high = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3FF) << 12
                self._to(address + 4 + _signed(high | low, 25))
            elif not second & 0x4000 and first >> 7 & 7 != 7:  # conditional b
                high = sign << 20 | j2 << 19 | j1 << 18 | (first & 0x3F) << 12
                self._to(address + 4 + _signed(high | low, 21))

    def _constant(self, first: int, second: int) -> None:
        """Half of a register's value: addresses of functions are made so."""
        register = second >> 8 & 0xF
        half = (
            (first & 0xF) << 12 | (first >> 10 & 1) << 11
            | (second >> 12 & 7) << 8 | second & 0xFF
        )  # fmt: skip
        if first & 0x80:
            self.constants.add(half << 16 | self._half.get(register, 0))
        else:
            self._half[register] = half

    def _to(self, target: int) -> None:
        """A branch; out of the function it is a call, or a tail call."""
        if self.function.first <= target < self.function.end:
            return
        place = bisect_right(self.starts, target & FIELD) - 1
        callee = self.by_start[self.starts[place]] if place >= 0 else None
        if callee is None or target >= callee.end:
            raise BuildError(
                f"function {self.function.name} branches to {target:#x}, where no "
                "function is: expected every function to have a name and a size"
            )
        self.callees.add(callee.name)


def _signed(value: int, bits: int) -> int:
    return value - (value >> (bits - 1) << bits)


def _code(elf: ELFFile, first: int, end: int) -> Iterator[tuple[int, int]]:
    """Where instructions are: mapping symbols tell them from data (AAELF32, 5.5.5)."""
    marks = sorted(
        (symbol.value & ~1, symbol.name.startswith("$t"))
        for symbol in symbols_of(elf)
        if symbol.name.startswith(("$t", "$d"))
        and first <= symbol.value < end
        and symbol.section != ABSOLUTE
    )
    for (start, code), (stop, _) in zip(marks, [*marks[1:], (end, False)], strict=True):
        if code and start < stop:
            yield start, stop


def _frames(elf: ELFFile) -> Iterator[tuple[int, int]]:
    """Address of each function that the compiler has made, and its frame in bytes."""
    for section in elf.iter_sections():
        if section.name == ".stack_sizes":
            data, place = section.data(), 0
            while place < len(data):
                address = int.from_bytes(data[place : place + 4], "little")
                place, size = _uleb(data, place + 4)
                yield address & ~1, size


def _uleb(data: bytes, place: int) -> tuple[int, int]:
    """Where a ULEB128 number ends, and the number."""
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return place, value


def _words(elf: ELFFile) -> Iterator[int]:
    """Every word of code and data, which may be an address."""
    for name in (".text", ".rodata", ".data"):
        section = elf.get_section_by_name(name)
        if section is not None and section["sh_type"] == "SHT_PROGBITS":
            yield from words_of(elf, section, 4)
