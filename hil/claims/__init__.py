"""Claims of the literature, put to a device: what was published, what the device gives,
and whether the two agree.

A claim is a module here: `TITLE`, `SOURCE`, and `tried(keys, out, progress)`, which runs
it on a device and returns a `Tried`. `hil claim` lists them.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hil.errors import UsageError
from hil.learning.progress import Progress
from hil.records.record import RunRecord


@dataclass(frozen=True)
class Row:
    """One thing that is claimed: what was `published`, in words, what the device `gave`,
    and whether that `agrees`."""

    name: str
    published: str
    gave: float
    agrees: bool


@dataclass(frozen=True)
class Tried:
    """The outcome of a claim. `record` is that of the device's run, of which each step and
    each value that is told was held against the reference to the bit. `notes` say what
    the figures are."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    record: RunRecord

    @property
    def holds(self) -> bool:
        """Whether all of it agrees."""
        return all(row.agrees for row in self.rows)


class Claim(Protocol):
    """A module of this package."""

    TITLE: str
    SOURCE: str

    def tried(self, keys: Mapping[str, Any], out: Path, progress: Progress) -> Tried:
        """Put to a device with these keys of an experiment. Raises what a run raises."""


def names() -> list[str]:
    """What there is."""
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__))


def find(name: str) -> Claim:
    """The claim of that name. Raises `UsageError`."""
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        raise UsageError(
            f"there is no claim {name!r}: expected one of {', '.join(names())}",
            *(f"did you mean {found!r}?" for found in close),
        )
    found: Claim = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return found
