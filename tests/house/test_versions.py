"""The version is one, wherever it stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from codegen import protocol

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
CHANGES = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")


def test_the_newest_changes_are_this_versions() -> None:
    newest = re.search(r"^## (\S+?),? ", CHANGES, re.M)
    assert newest is not None and newest[1] == VERSION


def test_the_citation_is_of_this_version() -> None:
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.parametrize(
    "what",
    [
        f"Protocol {protocol.VERSION}",
        f"checkpoints {protocol.CHECKPOINT_VERSION}",
    ],
)
def test_the_newest_changes_name_what_must_fit(what: str) -> None:
    assert what in CHANGES.split("\n## ")[1]
