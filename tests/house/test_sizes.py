"""How long files and functions are: a long file says at its top why it is one."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("targets", "codegen", "emulation", "hil")
PLACES = (*ROOMS, "firmware", "tests")
KINDS = {".py", ".c", ".h", ".S", ".j2"}
LONG = 400
"""Lines of a file that needs no reason."""
REASON = re.compile(r"\blines,? because\b")
"""What a longer one has in its first docstring or comment."""
USUAL = 8
"""Lines of a function, of which half have fewer."""


def files() -> list[Path]:
    """Everything that people write and read as code."""
    found = (path for place in PLACES for path in (ROOT / place).rglob("*"))
    return sorted(path for path in found if path.suffix in KINDS)


def top(text: str) -> str:
    """The first docstring or comment of a file."""
    found = re.match(r'\s*(?:"""(.*?)"""|/\*(.*?)\*/|\{#(.*?)#\})', text, re.S)
    words = next((part for part in found.groups() if part), "") if found else ""
    return " ".join(words.replace("\n *", "\n").split())


def test_a_long_file_says_why_it_is_one() -> None:
    silent = []
    for path in files():
        text = path.read_text("utf-8")
        if text.count("\n") > LONG and not REASON.search(top(text)):
            silent.append(path.relative_to(ROOT).as_posix())
    assert not silent, f"longer than {LONG} lines without a reason at the top"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '"""A table.\n\nMore than 400 lines, because it is one table."""\nx = 1\n',
            True,
        ),
        ("/* A model.\n * So many lines because\n * it is one. */\nint x;\n", True),
        ('"""A table."""\n# lines because\n', False),
    ],
)
def test_a_reason_is_found_at_the_top_alone(text: str, said: bool) -> None:
    assert bool(REASON.search(top(text))) is said


def lengths(room: str) -> Iterator[int]:
    """Lines of each function of a room, its docstring left out."""
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                words = ast.get_docstring(node) is not None
                start = first.end_lineno + 1 if words else first.lineno  # type: ignore[operator]
                yield node.end_lineno - start + 1  # type: ignore[operator]


@pytest.mark.parametrize("room", ROOMS)
def test_half_of_all_functions_are_short(room: str) -> None:
    assert statistics.median(lengths(room)) < USUAL
