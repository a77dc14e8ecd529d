"""Which source an instruction comes from, by an ELF's symbols and DWARF.

Inlining leaves one machine function where the source has many; DWARF keeps
their borders. A `Frame` is a function the source has, inlined or not, and the
line at which it was called.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from elftools.dwarf.ranges import BaseAddressEntry
from elftools.elf.elffile import ELFFile

from codegen.building.symbols import FUNCTION, symbols_of
from codegen.building.toolchain import KEPT as FLAGS
from codegen.errors import BuildError

Range = tuple[int, int]
"""First address, and one past the last."""


@dataclass(frozen=True)
class Function:
    """A machine function."""

    name: str
    first: int
    size: int

    @property
    def end(self) -> int:
        """One past its last byte."""
        return self.first + self.size


@dataclass(frozen=True)
class Frame:
    """A function of the source; `line` is where it was called, 0 unknown."""

    name: str
    line: int


@dataclass
class _Scope:
    """A (possibly inlined) function of DWARF, and those inlined into it."""

    frame: Frame
    ranges: tuple[Range, ...]
    inner: list[_Scope] = field(default_factory=list)

    def holds(self, address: int) -> bool:
        return any(first <= address < end for first, end in self.ranges)


class DebugInfo:
    """What the ELF at `path` tells. Raises `BuildError` when it has no DWARF."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            elf = ELFFile(file)
            self.functions = functions(elf)
            self._starts = [function.first for function in self.functions]
            if not elf.has_dwarf_info(strict=True):
                raise BuildError(
                    f"image {path.name} has no debug information: expected DWARF, "
                    f"as {' '.join(FLAGS)} make it"
                )
            dwarf = elf.get_dwarf_info()
            self.units: dict[str, tuple[Range, ...]] = {}
            self._scopes: list[_Scope] = []
            lines: dict[int, int] = {}
            for unit in dwarf.iter_CUs():
                reader = _Unit(dwarf, unit)
                self.units[reader.name] = reader.ranges
                self._scopes += filter(self._linked, reader.scopes())
                for sequence in reader.sequences():
                    if self.function_at(sequence[0][0]):
                        lines |= dict(sequence)
        self._line_starts = sorted(lines)
        self._lines = [lines[address] for address in self._line_starts]
        self.inlined = lru_cache(maxsize=None)(self._inlined)

    def _linked(self, scope: _Scope) -> bool:
        """Whether the linker has kept it: what it leaves out stays in DWARF, at address 0,
        where some machines have other code soon."""
        return self.function_at(scope.ranges[0][0]) is not None

    def function(self, name: str) -> Function:
        """The machine function of this name; raises `KeyError`."""
        for function in self.functions:
            if function.name == name:
                return function
        raise KeyError(name)

    def function_at(self, address: int) -> Function | None:
        """The machine function that holds `address`."""
        place = bisect_right(self._starts, address) - 1
        if place >= 0 and address < self.functions[place].end:
            return self.functions[place]
        return None

    def line(self, address: int) -> int:
        """Source line of the instruction at `address`, 0 unknown."""
        place = bisect_right(self._line_starts, address) - 1
        return self._lines[place] if place >= 0 else 0

    def _inlined(self, address: int) -> tuple[Frame, ...]:
        """The functions inlined around `address`, outermost first; the machine
        function itself is not among them."""
        found: list[Frame] = []
        scopes = self._scopes
        while True:
            around = next((s for s in scopes if s.holds(address)), None)
            if around is None:
                return tuple(found[1:])
            found.append(around.frame)
            scopes = around.inner


def functions(elf: ELFFile) -> list[Function]:
    """Every function symbol that has a size, by address, each once. Arm's have their
    lowest bit set, which stands for Thumb and is no part of the address."""
    mask = ~1 if elf["e_machine"] == "EM_ARM" else ~0
    found = {
        symbol.value & mask: Function(symbol.name, symbol.value & mask, symbol.size)
        for symbol in symbols_of(elf)
        if symbol.kind == FUNCTION and symbol.size
    }
    return [found[address] for address in sorted(found)]


class _Unit:
    """One compile unit."""

    def __init__(self, dwarf: Any, unit: Any) -> None:
        self._dwarf = dwarf
        self._unit = unit
        self._top = unit.get_top_DIE()
        self._lists = dwarf.range_lists()
        self.name = _text(self._top, "DW_AT_name")
        self._base = _number(self._top, "DW_AT_low_pc")
        self.ranges = self._ranges(self._top)

    def scopes(self) -> list[_Scope]:
        """Its machine functions."""
        return [
            scope
            for die in self._top.iter_children()
            if die.tag == "DW_TAG_subprogram"
            for scope in self._below(die)
        ]

    def _below(self, die: Any) -> Iterator[_Scope]:
        """The scope of `die`, or where it is none those inside."""
        inner = [s for child in die.iter_children() for s in self._below(child)]
        ranges = self._ranges(die)
        if die.tag not in ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine"):
            yield from inner
        elif ranges:
            line = _number(die, "DW_AT_call_line")
            yield _Scope(Frame(_origin(die), line), ranges, inner)

    def _ranges(self, die: Any) -> tuple[Range, ...]:
        attributes = die.attributes
        if "DW_AT_ranges" in attributes:
            return tuple(self._listed(attributes["DW_AT_ranges"].value))
        if "DW_AT_high_pc" not in attributes:
            return ()
        low, high = attributes["DW_AT_low_pc"].value, attributes["DW_AT_high_pc"]
        end = high.value if high.form == "DW_FORM_addr" else low + high.value
        return ((low, end),) if end > low else ()

    def _listed(self, offset: int) -> Iterator[Range]:
        base = self._base
        for entry in self._lists.get_range_list_at_offset(offset, self._unit):
            if isinstance(entry, BaseAddressEntry):
                base = entry.base_address
            elif entry.end_offset > entry.begin_offset:
                yield base + entry.begin_offset, base + entry.end_offset

    def sequences(self) -> Iterator[list[tuple[int, int]]]:
        """(address, line) where a line begins, of each piece of code."""
        program = self._dwarf.line_program_for_CU(self._unit)
        found: list[tuple[int, int]] = []
        for entry in program.get_entries() if program else ():
            state = entry.state
            if state and not state.end_sequence:
                found.append((state.address, state.line))
            elif state and found:
                yield found
                found = []


def _origin(die: Any) -> str:
    """Name of the function that `die` is an instance of."""
    while "DW_AT_name" not in die.attributes:
        if "DW_AT_abstract_origin" not in die.attributes:
            return ""
        die = die.get_DIE_from_attribute("DW_AT_abstract_origin")
    return _text(die, "DW_AT_name")


def _text(die: Any, attribute: str) -> str:
    return str(die.attributes[attribute].value.decode("utf-8", "replace"))


def _number(die: Any, attribute: str) -> int:
    return int(die.attributes[attribute].value) if attribute in die.attributes else 0
