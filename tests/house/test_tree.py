"""What is checked in can be moved: nothing in it leads to a place of one machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = "120000"
"""Git's mode of a symbolic link."""
PLACE = re.compile(
    r"(?<![\w.~/-])/(?:home|Users|root|work|tmp|mnt|srv|private)/[\w.-]+"
)
"""Where people and machines keep what is theirs."""
INVENTED = "/home/me"
"""Stands for the reader's own folder, in examples."""


def tracked(root: Path) -> Iterator[tuple[str, str]]:
    """Mode and name of every file that git has."""
    listed = subprocess.run(
        ["git", "ls-files", "-sz"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    for entry in listed.split("\0")[:-1]:
        facts, name = entry.split("\t")
        yield facts.split()[0], name


def leads_out(root: Path) -> list[str]:
    """Links whose end is not a file of the tree."""
    links = [name for mode, name in tracked(root) if mode == LINK]
    return [
        name
        for name in links
        if (root / name).readlink().is_absolute()
        or not (root / name).resolve().is_relative_to(root.resolve())
    ]


def foreign(root: Path) -> list[str]:
    """Lines of text files that name a place of a machine."""
    found = []
    for mode, name in tracked(root):
        content = (root / name).read_bytes() if mode != LINK else b""
        if b"\0" in content or Path(name) == Path(__file__).relative_to(ROOT):
            continue
        for number, line in enumerate(
            content.decode("utf-8", "replace").split("\n"), 1
        ):
            places = {*PLACE.findall(line)} - {INVENTED}
            found += [f"{name}:{number}: {place}" for place in sorted(places)]
    return found


def unmerged(root: Path) -> list[str]:
    """Files with a line that git leaves where a merge was not finished."""
    found = subprocess.run(
        ["git", "grep", "-lE", "^(<{7}|>{7}) "],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert found.returncode in (0, 1), found.stderr
    return found.stdout.split()


def test_no_link_leads_out_of_the_tree() -> None:
    assert not leads_out(ROOT)


def test_no_text_names_a_place_of_a_machine() -> None:
    assert not foreign(ROOT)


def test_no_merge_was_left_unfinished() -> None:
    assert not unmerged(ROOT)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree that has both defects, and things that look like them."""
    (tmp_path / "inside").symlink_to("note.md")
    (tmp_path / "out").symlink_to("../elsewhere")
    (tmp_path / "absolute").symlink_to(tmp_path / "note.md")
    (tmp_path / "note.md").write_text(
        "see /home/me/runs and https://example.org/home/page and a/tmp/b\n"
        "built in /srv/somebody/firmware\n"
    )
    for command in ("init -q", "add ."):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
    return tmp_path


def test_an_unfinished_merge_is_found(tree: Path) -> None:
    assert unmerged(tree) == []
    (tree / "note.md").write_text("<" * 7 + " HEAD\nmine\n")
    assert unmerged(tree) == ["note.md"]


def test_both_defects_are_found_where_they_are(tree: Path) -> None:
    assert leads_out(tree) == ["absolute", "out"]
    assert foreign(tree) == ["note.md:2: /srv/somebody"]
