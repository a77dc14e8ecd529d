"""Branches of Python, as coverage.py saw them taken: each way out of a line that has
several, named by the texts of the two lines."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.coverage.exempt import Point

MODULES = (
    "hil/device/link/*.py", "hil/device/device.py", "hil/device/exchange.py",
    "hil/device/reading.py", "hil/device/replies.py",
    "hil/learning/compare.py", "hil/learning/ending.py", "hil/learning/intake.py",
    "hil/learning/lockstep.py", "hil/learning/open_device.py", "hil/learning/opened.py",
    "hil/learning/opening.py", "hil/learning/repeated.py", "hil/learning/session.py",
)  # fmt: skip
"""The link and the verdict."""


@dataclass(frozen=True)
class Module:
    """What was executed of a module."""

    file: str
    lines: int
    lines_executed: int
    branches: tuple[tuple[Point, bool], ...]


def read(report: Path, sources: Path) -> list[Module]:
    """The modules of a report that `coverage json` has written."""
    told = json.loads(report.read_text("utf-8"))["files"]
    return [_module(name, told[name], sources) for name in sorted(told)]


def _module(file: str, told: dict[str, list[list[int]]], sources: Path) -> Module:
    text = (sources / file).read_text("utf-8")
    names, lines = _functions(text), ["", *text.splitlines()]
    found = {
        (begin, end): key == "executed_branches"
        for key in ("executed_branches", "missing_branches")
        for begin, end in told[key]
    }
    executed = len(told["executed_lines"])
    return Module(
        file, executed + len(told["missing_lines"]), executed,
        tuple(
            (Point(file, names.get(begin, "module"), _way(lines, begin, end)), taken)
            for (begin, end), taken in sorted(found.items())
        ),
    )  # fmt: skip


def _way(lines: list[str], begin: int, end: int) -> str:
    return f"{lines[begin].strip()} -> {lines[end].strip() if end > 0 else 'exit'}"


def _functions(text: str) -> dict[int, str]:
    """The innermost function that each line belongs to, with its classes' names."""
    found: dict[int, str] = {}

    def enter(node: ast.AST, names: tuple[str, ...]) -> Iterator[tuple[int, str]]:
        for child in ast.iter_child_nodes(node):
            inner = names
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = (*names, child.name)
            if isinstance(child, ast.FunctionDef):
                for line in range(child.lineno, (child.end_lineno or 0) + 1):
                    yield line, ".".join(inner)
            yield from enter(child, inner)

    found.update(enter(ast.parse(text), ()))
    return found
