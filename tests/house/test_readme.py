"""What README and the page of commands tell a user to type works as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def commands(page: str) -> list[str]:
    """The commands of a page, as one types them."""
    found = re.findall(r"^    (?:\$ )?(hil .*)$", page, re.M)
    return [line.split("#")[0].strip() for line in found]


FIRST = commands(README)
COMMANDS = [*FIRST, *commands((ROOT / "docs" / "commands.md").read_text())]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LONG = re.compile(r"hil (tune|bench|sweep|run|memory|claim (?!kinase-2x2)\w)")
"""Commands of 3 to 30 seconds. Tests of their own hold what they do; as the page of
commands has them, `make test-all` runs them. Those of README run in `make test`, and of
the claims the quickest."""


DENIED = ("hil claim when --format i16 --target microbit",)
"""A claim that does not hold, which is what exit code 1 says."""


def brief(command: str) -> bool:
    """Whether `make test` runs a command of the pages as it stands there."""
    return command in FIRST or not LONG.match(command)


LINK = re.compile(r"\]\(([^)#]+)(?:#([^)]+))?\)")


def test_the_two_commands_stand_in_the_readme_and_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for verb in ("demo", "test"):
        assert f"make {verb}" in README
        assert f"\n{verb}:" in makefile


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(each, marks=() if brief(each) else pytest.mark.full)
        for each in sorted(set(COMMANDS))
    ],
)
def test_a_command_of_the_pages_works(
    command: str, tmp_path: Path, qemu64: str, request: pytest.FixtureRequest
) -> None:
    words = shlex.split(command)
    if any("mnist" in word for word in words):
        request.getfixturevalue("hil_data")
    hil = Path(sys.executable).parent / "hil"
    done = subprocess.run(
        [hil, *words[1:]], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == (command in DENIED), done.stdout + done.stderr


def test_the_python_of_the_readme_works(
    tmp_path: Path, qemu64: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = re.search(r"^From Python:\n\n((?:    .*\n)+)", README, re.M)
    assert code is not None
    lines = [line[4:] for line in code[1].splitlines()]
    namespace: dict[str, object] = {}
    exec("\n".join(lines[:-1]) + f"\nshown = ({lines[-1]})", namespace)
    assert namespace["shown"][0] == "pass"  # type: ignore[index]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        found = (page.parent / target).resolve()
        assert found.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(found), f"{page.name} links to {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_table_of_a_page_is_one_block(page: Path) -> None:
    """A blank line between two rows ends a table: the rest is shown as text."""
    blocks = re.split(r"\n\s*\n", page.read_text(encoding="utf-8"))
    for block in blocks:
        rows = [line for line in block.splitlines() if line.startswith("|")]
        if rows:
            assert len(rows) > 1 and re.fullmatch(r"[|: -]+", rows[1]), rows[0]


def test_every_page_is_found_from_the_readme() -> None:
    listed = {target for target, _ in LINK.findall(README)}
    assert {f"docs/{page.name}" for page in PAGES[1:]} <= listed
