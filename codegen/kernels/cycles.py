"""What variants of kernels cost on cores whose cycles are modelled: cycles.toml.

The plan decides by it where a target, or the experiment, names such a core. Each
variant has four weights, by which what its formula counts (`codegen.kernels.cost`)
becomes cycles. `hil bench cycles --update` measures them; docs/tuning.md says how.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from codegen.errors import SpecError
from codegen.kernels.cost import Cost

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = Path(__file__).parent / "cycles.toml"


@dataclass(frozen=True)
class Weights:
    """Cycles of a call, of a vector instruction that walks in order, of a scalar one,
    of an element that is moved otherwise. `source` tells of what they were measured."""

    call: float
    vector: float
    scalar: float
    strided: float
    source: str

    def cycles(self, counted: Cost) -> float:
        """The cycles of a call that is estimated to execute this."""
        scalar = counted.instructions - counted.vector
        return (
            self.call
            + self.vector * counted.vector
            + self.scalar * scalar
            + self.strided * counted.strided
        )


@dataclass(frozen=True)
class Core:
    """A core, the VLEN of its registers in bits, and the weights of each variant, by
    kernel and suffix."""

    name: str
    vlen: int
    weights: Mapping[tuple[str, str], Weights]


@cache
def cores() -> Mapping[str, Core]:
    """The cores in the table, by name."""
    tables = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: _core(name, table) for name, table in tables.items()}


def _core(name: str, table: dict[str, Any]) -> Core:
    weights = {
        (kernel, suffix): Weights(*row)
        for kernel, rows in table["kernels"].items()
        for suffix, row in rows.items()
    }
    return Core(name, table["vlen"], weights)


def core(name: str) -> Core:
    """The core of that name. Raises `SpecError`."""
    found = cores().get(name)
    if found is None:
        raise SpecError(
            f"core is {name!r}, of which no cycles are known: expected one of "
            + ", ".join(cores())
        )
    return found
