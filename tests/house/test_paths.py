"""What documentation and code say of files of the tree is true: the files are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(
    r"(?<![\w./~-])((?:hil|codegen|targets|emulation|firmware)/[\w/.-]*\.\w+)"
)
"""A file of a room, by its path."""
INVENTED = ("my_", "NAME", "hil/bench.toml")
"""Parts of names that stand for a reader's own."""
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
SOURCES = sorted(p for r in ("hil", "codegen") for p in (ROOT / r).rglob("*.py"))


def missing(text: str) -> list[str]:
    """Paths that a text names and the tree does not have."""
    named = {name for name in NAMED.findall(text) if "*" not in name}
    told = (name for name in named if not any(part in name for part in INVENTED))
    return sorted(name for name in told if not (ROOT / name).exists())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_files_that_are_there(page: Path) -> None:
    assert missing(page.read_text("utf-8")) == []


def test_code_names_files_that_are_there() -> None:
    wrong = {
        path.relative_to(ROOT).as_posix(): names
        for path in SOURCES
        if (names := missing(path.read_text("utf-8")))
    }
    assert wrong == {}


def test_a_file_that_has_moved_is_found() -> None:
    text = "see `hil/lockstep.py`, `hil/learning/lockstep.py` and `codegen/rules/my_rule.py`"
    assert missing(text) == ["hil/lockstep.py"]
