"""Where the weights of a step come from, modelled: bytes from each level of a core's memory.

The cycles of cores.toml and of llvm-mca take every load for a hit in the first level.
Which level has the weights follows from sizes alone: steps follow one another, each
walks its rows in order, and a level keeps what was touched last. So

    a row's first walk in a step comes from the nearest level that holds all that steps
    touch: every weight, and the scratch;
    its second one (an update after the forward pass) from the nearest level that holds
    what one step touches;
    what is stored is written back, once, to where the first walk came from.

Levels and bandwidths are in caches.toml, with their sources.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from codegen.planning.bounds import Activity, Walk, walks
from codegen.planning.planned import Plan
from codegen.tensors import WORD

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLES = Path(__file__).parent / "caches.toml"


@dataclass(frozen=True)
class Level:
    """A level of memory: how many bytes it has, None of the last one, and how many it
    gives in a cycle of the core, None where nobody has published that."""

    name: str
    bytes: int | None = None
    bytes_a_cycle: float | None = None
    shared: int = 1

    def holds(self, size: float) -> bool:
        """Whether so many bytes stay in it."""
        return self.bytes is None or size <= self.bytes


@dataclass(frozen=True)
class Moved:
    """Bytes a step moves between a level and the core, and the cycles that they take at
    least, None where no bandwidth is published."""

    level: Level
    bytes: float

    @property
    def cycles(self) -> float | None:
        """At the level's bandwidth."""
        each = self.level.bytes_a_cycle
        return None if each is None else self.bytes / each

    def __str__(self) -> str:
        told = f", {self.cycles:,.0f} cycles at least" if self.cycles else ""
        return f"{self.bytes:,.0f} bytes from {self.level.name}{told}"


def to_json(there: Sequence[Moved]) -> dict[str, dict[str, float | None]]:
    """Bytes and cycles by level, for a record."""
    return {m.level.name: {"bytes": m.bytes, "cycles": m.cycles} for m in there}


@cache
def levels() -> Mapping[str, tuple[Level, ...]]:
    """The levels of each core, nearest first."""
    tables = tomllib.loads(TABLES.read_text(encoding="utf-8"))
    return {
        core: tuple(Level(**level) for level in table["levels"])
        for core, table in tables.items()
    }


def moved(plan: Plan, activity: Sequence[Activity], core: str) -> tuple[Moved, ...]:
    """What a step of `plan` moves on a core, by level, with `activity` of the inputs of
    each layer, 1..L."""
    scratch = plan.arena.words * WORD
    everything = sum(t.words for t in (*plan.state, *plan.pending)) * WORD + scratch
    walked = walks(plan, activity)
    return by_level(levels()[core], walked, everything, scratch)


def by_level(
    there: Sequence[Level], walked: Sequence[Walk], everything: float, scratch: float
) -> tuple[Moved, ...]:
    """The same of these walks, where steps touch `everything` and each one its scratch."""
    touched: dict[int, float] = {}
    for walk in walked:
        touched[walk.layer] = max(touched.get(walk.layer, 0), walk.bytes)
    first = _nearest(there, everything)
    again = _nearest(there, sum(touched.values()) + scratch)
    found = dict.fromkeys((level.name for level in there), 0.0)
    seen: set[int] = set()
    for walk in walked:
        found[(again if walk.layer in seen else first).name] += walk.bytes
        if walk.stores:
            found[first.name] += walk.bytes
        seen.add(walk.layer)
    return tuple(Moved(level, found[level.name]) for level in there)


def _nearest(there: Sequence[Level], size: float) -> Level:
    return next(level for level in there if level.holds(size))
