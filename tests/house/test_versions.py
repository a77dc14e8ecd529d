"""The version is one, wherever it stands, and a new one where something no longer fits."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

import hil
from codegen import protocol
from hil.records.record import SCHEMA

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
CHANGES = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
FITS = re.compile(
    r"^## (\d+)\.(\d+)\.(\d+)\b.*?"
    r"^\* (Protocol \d+, checkpoints \d+, records \d+), and of `import hil` ([^.]*)\.$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Release:
    """A version, and what must fit it: numbers of formats, public names."""

    version: tuple[int, ...]
    formats: str
    names: frozenset[str]

    @property
    def promise(self) -> tuple[int, ...]:
        """The version up to its first number that is not 0."""
        first = next((k for k, n in enumerate(self.version) if n), 2)
        return self.version[: first + 1]


def releases(changes: str) -> Iterator[Release]:
    """What the page says of each version, the newest first."""
    for *version, formats, names in FITS.findall(changes):
        yield Release(
            tuple(map(int, version)), formats, frozenset(re.findall(r"`(\w+)`", names))
        )


def broken(changes: str) -> list[str]:
    """Versions with which something of the one before no longer works, and that
    promise that it does."""
    return [
        ".".join(map(str, new.version))
        for new, old in pairwise(releases(changes))
        if (new.formats != old.formats or old.names - new.names)
        and new.promise <= old.promise
    ]


def test_the_newest_changes_are_this_versions() -> None:
    newest = next(releases(CHANGES))
    assert ".".join(map(str, newest.version)) == VERSION
    assert len(list(releases(CHANGES))) == CHANGES.count("\n## ")


def test_the_citation_is_of_this_version() -> None:
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_newest_changes_name_what_must_fit() -> None:
    newest = next(releases(CHANGES))
    assert newest.formats == (
        f"Protocol {protocol.VERSION}, checkpoints {protocol.CHECKPOINT_VERSION}, "
        f"records {SCHEMA}"
    )
    assert newest.names == set(hil.__all__)


def test_what_no_longer_fits_is_a_new_version() -> None:
    assert not broken(CHANGES)


@pytest.mark.parametrize(
    ("version", "protocol", "names", "wrong"),
    [
        ("0.1.1", 2, "`run`, `open`", False),
        ("0.1.1", 2, "`run`, `open`, `more`", False),
        ("0.1.1", 3, "`run`, `open`", True),
        ("0.2.0", 3, "`run`", False),
        ("0.1.1", 2, "`run`", True),
        ("1.0.0", 3, "`run`", False),
    ],
)
def test_a_page_whose_version_promises_too_much_is_found(
    version: str, protocol: int, names: str, wrong: bool
) -> None:
    said = "\n\n* Protocol {}, checkpoints 1, records 1, and of `import hil` {}.\n"
    newer = f"## {version}, 2030" + said.format(protocol, names)
    older = "## 0.1.0, 2029" + said.format(2, "`run`, `open`")
    assert broken(f"# Changes\n\n{newer}\n{older}") == ([version] if wrong else [])
