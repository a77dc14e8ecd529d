"""Conditions of C, as clang's MC/DC instrumentation saw them taken.

A condition is an operand of && and ||, or a whole decision without them. It is shown
when it was true and false, and, among others in a decision, when it alone has changed
the outcome (modified condition/decision coverage, DO-178C; as SQLite tests itself).
Several programs are made from the same sources: what one of them shows is shown.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.coverage.exempt import Point

DECISION_OF_ONE, PART_OF_DECISION = 4, 6
"""Kinds of branch regions in LLVM's export."""
FIRMWARE = re.compile(r".*?(firmware/(?:src|ports/host)/.*)")


@dataclass(frozen=True, order=True)
class Place:
    """Where something is in a source: the lines and columns of a build, all of which
    are made from the same text."""

    file: str
    begin: tuple[int, int]
    end: tuple[int, int]


@dataclass
class Taken:
    """What the programs show of one condition."""

    function: str
    text: str
    true: bool = False
    false: bool = False
    matters: bool = False
    """Alone it has changed the outcome of its decision."""

    @property
    def shown(self) -> bool:
        """Both ways."""
        return self.true and self.false and self.matters


@dataclass(frozen=True)
class Seen:
    """All conditions of the sources, and for each line whether it was executed."""

    conditions: dict[Place, Taken]
    lines: dict[tuple[str, int], bool]

    def points(self) -> Iterator[tuple[Point, bool]]:
        """Each condition by its names, and whether it is shown."""
        for place, taken in sorted(self.conditions.items()):
            yield Point(place.file, taken.function, taken.text), taken.shown


def read(programs: Iterable[Path], profiles: Path, llvm: str, sources: Path) -> Seen:
    """What the runs of `programs` that left their counts in the folder `profiles` have
    shown. `llvm`: what a tool's name ends with; `sources`: what holds firmware/."""
    merged = profiles / "merged.profdata"
    raw = sorted(profiles.glob("*.profraw"))
    _run(f"llvm-profdata{llvm}", "merge", "-o", merged, *raw)
    seen = Seen({}, {})
    for program in programs:
        export = f"llvm-cov{llvm}", "export", f"-instr-profile={merged}", program
        (told,) = json.loads(_run(*export))["data"]
        for function in told["functions"]:
            _add(seen, function, sources)
        _add_lines(seen, _run(*export, "-format=lcov"))
    return seen


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


def _add(seen: Seen, function: dict[str, Any], sources: Path) -> None:
    files = [_ours(name) for name in function["filenames"]]
    independent: dict[Place, bool] = {}
    for *extent, _, _, flags in function["mcdc_records"]:
        if files[0] is None:
            continue
        inside = [
            _place(files[b[6]] or "", b)
            for b in function["branches"]
            if b[8] == PART_OF_DECISION and _within(b, extent)
        ]
        if len(inside) != len(flags):
            raise RuntimeError(
                f"{files[0]}:{extent[0]}: a decision has {len(flags)} conditions, but "
                f"{len(inside)} are in its text: expected none inside a macro"
            )
        independent |= dict(zip(sorted(inside), flags, strict=True))
    for branch in function["branches"]:
        file = files[branch[6]]
        if file is None:
            continue
        place = _place(file, branch)
        name = function["name"].rpartition(":")[2]
        taken = seen.conditions.setdefault(place, Taken(name, _text(sources, place)))
        taken.true |= branch[4] > 0
        taken.false |= branch[5] > 0
        taken.matters |= branch[8] == DECISION_OF_ONE or independent[place]


def _add_lines(seen: Seen, lcov: str) -> None:
    file = None
    for line in lcov.splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            file = _ours(value)
        elif key == "DA" and file is not None:
            number, count = map(int, value.split(",")[:2])
            seen.lines[file, number] = (
                seen.lines.get((file, number), False) or count > 0
            )


def _ours(name: str) -> str | None:
    found = FIRMWARE.fullmatch(name)
    return found and found[1]


def _place(file: str, region: list[int]) -> Place:
    return Place(file, (region[0], region[1]), (region[2], region[3]))


def _within(region: list[int], extent: list[int]) -> bool:
    return extent[:2] <= region[:2] and region[2:4] <= extent[2:4]


def _text(sources: Path, place: Place) -> str:
    """The source's own words, on one line."""
    lines = (sources / place.file).read_text("utf-8").splitlines()
    (first, left), (last, right) = place.begin, place.end
    piece = lines[first - 1 : last]
    piece[-1] = piece[-1][: right - 1]
    piece[0] = piece[0][left - 1 :]
    return " ".join(" ".join(piece).split())
