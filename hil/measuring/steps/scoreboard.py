"""Cycles by a stated table: an in-order core with a scoreboard.

The tables are in cores.toml, with their sources and the rules of this model at
its top. What comes out is modelled, and only good for comparing code.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from codegen.machine_code.decode import Class, Instruction

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLES = Path(__file__).parent / "cores.toml"
SEW = 32
"""Bits of the elements that the tables are for."""
BY_LMUL = 4
"""Columns of what takes as long as its register group is; more of them are for what
takes as long as it has elements."""
FORWARDED = ("alu", "mul", "load", "vset", "branch")
"""Operations whose integer results reach other integer operations early."""


@dataclass(frozen=True)
class Operation:
    """One row: names of the units that can do it, and cycles by column: LMUL 1, 2, 4,
    8 and so on."""

    units: tuple[str, ...]
    latency: tuple[int, ...]
    occupancy: tuple[int, ...]

    def column(self, instruction: Instruction, sew: int, lmul: int) -> int:
        """The column of an instruction under this vector type, LMUL in eighths. A
        fraction is column 0."""
        eighths = lmul
        if instruction.registers is not None:
            eighths = 8 * instruction.registers
        elif instruction.eew is not None:
            eighths = lmul * instruction.eew // sew
        elif len(self.latency) > BY_LMUL:
            eighths = lmul * SEW // sew
        return min(max(eighths // 8, 1).bit_length(), len(self.latency)) - 1


@dataclass(frozen=True)
class Core:
    """A core's table; `vlen` is that of the silicon, in bits."""

    name: str
    title: str
    source: str
    vlen: int
    issue: int
    advance: int
    operations: dict[str, Operation]

    def cycles(self, executed: Iterable[Instruction]) -> int:
        """Cycles from the first issue to the last result."""
        run = _Run(self)
        for instruction in executed:
            run.issue(instruction)
        return run.end


@cache
def cores() -> dict[str, Core]:
    """The cores in cores.toml, by name as compilers know them (-mcpu)."""
    tables = tomllib.loads(TABLES.read_text(encoding="utf-8"))
    return {name: _core(name, table) for name, table in tables.items()}


def _core(name: str, table: dict[str, Any]) -> Core:
    units = {unit: tuple(ports) for unit, ports in table["units"].items()}
    operations = {
        operation: Operation(units[unit], _columns(latency), _columns(occupancy))
        for operation, (unit, latency, occupancy) in table["operations"].items()
    }
    return Core(
        name, table["title"], table["source"], table["vlen"], table["issue"],
        table["advance"], operations,
    )  # fmt: skip


def _columns(given: int | list[int]) -> tuple[int, ...]:
    return (given,) * BY_LMUL if isinstance(given, int) else tuple(given)


class _Run:
    """The state of a core in the middle of a program."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._now = 0
        self._issued = 0
        self._sew, self._lmul = SEW, 8
        self._written = 0
        self._typed = 0  # when the vector type that was set last is known
        self._ready: defaultdict[str, int] = defaultdict(int)
        self._early: defaultdict[str, int] = defaultdict(int)
        self._free: defaultdict[str, int] = defaultdict(int)
        self.end = 0

    def issue(self, instruction: Instruction) -> None:
        """Issue the next instruction of the program, as soon as it may."""
        operation = self._core.operations[instruction.operation]
        column = operation.column(instruction, self._sew, self._lmul)
        latency = operation.latency[column]
        unit = min(operation.units, key=lambda port: self._free[port])
        forwarded = instruction.operation in FORWARDED
        typed = instruction.kind.is_vector and instruction.kind is not Class.VECTOR_SET
        operands = self._early if forwarded else self._ready
        earliest = max(
            self._now,
            self._free[unit],
            self._written - latency,
            max((operands[r] for r in self._registers(instruction.reads)), default=0),
            self._typed if typed else 0,
        )
        if earliest > self._now:
            self._now, self._issued = earliest, 0
        elif self._issued == self._core.issue:
            self._now, self._issued = self._now + 1, 0
        self._issued += 1
        done = self._now + latency
        self._free[unit] = self._now + operation.occupancy[column]
        self._written = done
        self.end = max(self.end, done)
        for register in self._registers(instruction.writes):
            self._ready[register] = done
            advance = self._core.advance if forwarded else 0
            self._early[register] = max(self._now + 1, done - advance)
        if instruction.kind is Class.VECTOR_SET:
            self._typed = done
        if instruction.vtype is not None:
            self._sew, self._lmul = instruction.vtype

    def _registers(self, named: Iterable[str]) -> Iterable[str]:
        """The registers meant: a vector register stands for its group."""
        for register in named:
            if register[0] == "v" and self._lmul > 8:
                first = int(register[1:])
                yield from (f"v{n}" for n in range(first, first + self._lmul // 8))
            else:
                yield register
