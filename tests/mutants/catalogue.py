"""The list of planted defects: what is made wrong where, and who must notice.

Each file of defects/ is a list of tables `[[mutant]]`:

    name    the defect, in a few words
    file    the file that it is planted in
    find    what that file says, exactly once
    put     what it says instead
    tests   the tests that fit: pytest's node ids, the fewest that could notice
    ci      whether `make test` tries it, too (false unless said)
    limit   seconds after which its tests hang, 600 unless said
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
DEFECTS = Path(__file__).parent / "defects"
ROOMS = ("codegen", "firmware", "hil", "emulation", "targets")
"""Where a defect may be planted: never in a test."""


class Stale(Exception):
    """A mutant that does not fit the tree any more, and why."""


@dataclass(frozen=True)
class Mutant:
    """One planted defect; the fields are those of the list."""

    name: str
    file: str
    find: str
    put: str
    tests: tuple[str, ...]
    ci: bool = False
    limit: float = 600.0

    @property
    def room(self) -> str:
        """The folder that it is planted in."""
        return self.file.partition("/")[0]

    def applied(self, text: str) -> str:
        """`text` with the defect in it; raises `Stale` unless it has one place."""
        places = text.count(self.find)
        if places != 1:
            raise Stale(
                f"{self.name!r}: {self.file} says {self.find!r} in {places} places, "
                "expected exactly one"
            )
        return text.replace(self.find, self.put)

    def require(self, root: Path) -> None:
        """Raises `Stale` unless the defect has its place, and the tests exist."""
        if self.room not in ROOMS or not (root / self.file).is_file():
            raise Stale(f"{self.name!r}: there is no file {self.file} to plant it in")
        if self.applied((root / self.file).read_text("utf-8")) == self.put == self.find:
            raise Stale(f"{self.name!r}: nothing is changed")
        for test in self.tests:
            if not exists(root, test):
                raise Stale(f"{self.name!r}: there is no test {test}")


def exists(root: Path, test: str) -> bool:
    """Whether a node id names a test, or a file of tests."""
    path, _, name = test.partition("::")
    if not (root / path).is_file():
        return False
    return not name or name.partition("[")[0] in _functions(root / path)


@cache
def _functions(path: Path) -> frozenset[str]:
    """The functions of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef))


def read(path: Path) -> list[Mutant]:
    """The mutants of one file; raises `Stale` for a table that is none."""
    known = {field.name for field in fields(Mutant)}
    found = []
    for table in tomllib.loads(path.read_text("utf-8"))["mutant"]:
        given: dict[str, Any] = {**table, "tests": tuple(table.get("tests", ()))}
        if (
            set(given) - known
            or known - set(given) - {"ci", "limit"}
            or not given["tests"]
        ):
            raise Stale(f"{path.name}: {table!r} does not have the keys of a mutant")
        found.append(Mutant(**given))
    return found


def load() -> list[Mutant]:
    """Every mutant, file by file; raises `Stale` where two have one name."""
    found = [mutant for path in sorted(DEFECTS.glob("*.toml")) for mutant in read(path)]
    names = [mutant.name for mutant in found]
    for name in names:
        if names.count(name) > 1:
            raise Stale(f"{name!r}: {names.count(name)} mutants have this name")
    return found
