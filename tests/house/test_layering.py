"""The rooms and who may call whom (DESIGN section 2)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("targets", "codegen", "emulation", "hil")
MAY_IMPORT = {
    "targets": {"targets"},
    "codegen": {"codegen", "targets"},
    "emulation": {"emulation", "targets"},
    "hil": {"hil", "codegen", "emulation", "targets"},
}


def modules(room: str) -> list[Path]:
    """Every Python file of a room."""
    return sorted((ROOT / room).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Top-level names that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    assert modules(room)
    for path in modules(room):
        wrong = (set(imported(path)) & set(ROOMS)) - MAY_IMPORT[room]
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_targets_needs_nothing_but_the_standard_library() -> None:
    allowed = set(sys.stdlib_module_names) | {"targets", "tomli"}
    for path in modules("targets"):
        foreign = set(imported(path)) - allowed
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


def parts_of_codegen(path: Path) -> set[str]:
    """What a file takes of codegen: "rules.get" for `from codegen.rules import get`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {n.partition(".")[2] for n in names if n.startswith("codegen.")}
    return found


SHARED = {"constants", "errors", "reference", "spec", "streams", "window"}
"""What the reference may start from (docs/arithmetic.md, section 10)."""
PARAMETERS = {"rules.get", "rules.require_gates"}
"""And of a rule its name and its parameters, checked and with their defaults: the
machine hands them to the twin as values. Nothing of how the device computes."""


def test_the_reference_is_written_from_the_contract_alone() -> None:
    for path in modules("codegen/reference"):
        taken = parts_of_codegen(path)
        if path.name == "machine.py":
            assert taken >= PARAMETERS
            taken -= PARAMETERS
        foreign = {part for part in taken if part.partition(".")[0] not in SHARED}
        assert not foreign, f"{path.relative_to(ROOT)} takes {sorted(foreign)}"


def test_what_runs_on_a_device_takes_nothing_of_the_reference() -> None:
    """Else both sides could be wrong alike, and agree."""
    for path in modules("codegen"):
        if "reference" not in path.parts:
            rooms = {part.partition(".")[0] for part in parts_of_codegen(path)}
            assert "reference" not in rooms, path.relative_to(ROOT)


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_is_a_drawer(room: str) -> None:
    drawers = {"utils", "helpers", "common", "misc", "manager"}
    for path in modules(room):
        assert path.stem not in drawers, path.relative_to(ROOT)
