"""Conditions and branches that no test need show, each with the reason.

exempt.toml names them by file, function and the source's own text, since lines move.
The list is held to what there is: an entry of which nothing is left in the source is as
wrong as a condition that is neither shown nor in the list. So is a condition that is
shown by now. A branch may be shown: which of them a line's accidents take differs from
run to run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib  # type: ignore[no-redef]

LIST = Path(__file__).with_name("exempt.toml")


@dataclass(frozen=True, order=True)
class Point:
    """A condition or a branch; those of a function with the same text are one."""

    file: str
    function: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}, {self.function}: {self.text}"


def exemptions(kind: str, path: Path = LIST) -> dict[Point, str]:
    """The reasons of the list's tables of this kind, such as "condition". Raises
    `ValueError` for an entry without a reason or given twice."""
    found: dict[Point, str] = {}
    for entry in tomllib.loads(path.read_text("utf-8")).get(kind, []):
        reason, given = entry.pop("reason", ""), entry.pop("text")
        for text in given if isinstance(given, list) else [given]:
            point = Point(**entry, text=text)
            if not reason.strip():
                raise ValueError(f"{point} has no reason")
            if point in found:
                raise ValueError(f"{point} stands in the list twice")
            found[point] = reason
    return found


def complaints(
    points: Iterable[tuple[Point, bool]],
    exempt: Iterable[Point],
    may_be_shown: bool = False,
) -> list[str]:
    """A sentence for each point that is neither shown nor exempt, and for each
    exemption of what is not there, or is shown and may not be."""
    missing: dict[Point, bool] = {}
    for point, shown in points:
        missing[point] = missing.get(point, False) or not shown
    known = set(exempt)
    found = []
    for point in sorted(missing.keys() | known):
        if point not in missing:
            found.append(f"{point}: the list exempts it, but it is not in the source")
        elif missing[point] and point not in known:
            found.append(f"{point}: no test shows both ways, and no exemption says why")
        elif point in known and not missing[point] and not may_be_shown:
            found.append(f"{point}: it is shown both ways; take it out of the list")
    return found
