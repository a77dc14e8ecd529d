"""What hatchling does for a wheel: the rooms of the repository go below hil.

Other distributions have packages that are called codegen or targets too. So a wheel
has one top-level package: codegen/ lies in it as hil/_rooms/codegen/, and each import
of codegen says hil._rooms.codegen. Lines stay where they are. A checkout, and an
editable install of it, are left as they lie.
"""

from __future__ import annotations

import ast
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "hil"
BELOW = "_rooms"
ROOMS = ("targets", "codegen", "emulation")
"""Packages that are imported by their names."""
BESIDE = ("firmware", "examples")
"""Folders that go with them, as they are."""
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


class Wheel(BuildHookInterface):
    """Gives hatchling a tree that is made for this wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the wheel is packed; an editable one has nothing in it."""
        if version == "editable":
            return
        self.made = Path(tempfile.mkdtemp(prefix="hil-wheel-"))
        tree(Path(self.root), self.made / PACKAGE)
        build_data["force_include"][str(self.made / PACKAGE)] = PACKAGE

    def finalize(self, version: str, build_data: dict[str, Any], path: str) -> None:
        """After it."""
        if version != "editable":
            shutil.rmtree(self.made)


def tree(root: Path, made: Path) -> None:
    """The package as a wheel has it, of the repository at `root`."""
    shutil.copytree(root / PACKAGE, made, ignore=LEFT_OUT)
    for name in (*ROOMS, *BESIDE):
        shutil.copytree(root / name, made / BELOW / name, ignore=LEFT_OUT)
    (made / BELOW / "__init__.py").touch()
    for path in made.rglob("*.py"):
        path.write_text(moved(path.read_text("utf-8"), str(path)), "utf-8")


def moved(text: str, name: str) -> str:
    """A module whose imports of rooms name them where a wheel has them. Raises
    `SyntaxError` for an import that cannot be moved line by line."""
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text, name)):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            if node.module.partition(".")[0] in ROOMS:
                old = rf"\bfrom {re.escape(node.module)}\b"
                new = f"from {PACKAGE}.{BELOW}.{node.module}"
                _put(lines, node, name, old, new)
        elif isinstance(node, ast.Import):
            tops = {alias.name.partition(".")[0] for alias in node.names}
            if not tops & set(ROOMS):
                continue
            if len(node.names) > 1 or "." in node.names[0].name:
                raise _unmovable(node, name)
            old, new = r"\bimport ", f"from {PACKAGE}.{BELOW} import "
            _put(lines, node, name, old, new)
        elif _imports_by_text(node):
            raise _unmovable(node, name)
    return "".join(lines)


def _imports_by_text(node: ast.AST) -> bool:
    """Whether it is a program that imports a room, or a call with a room's name."""
    rooms = "|".join(ROOMS)
    if isinstance(node, ast.Constant):
        program = rf"(^|;)\s*(from|import) ({rooms})\b(?!.*\n)"
        return isinstance(node.value, str) and bool(re.search(program, node.value))
    if not isinstance(node, ast.Call) or not node.args:
        return False
    function = ast.unparse(node.func).rpartition(".")[2]
    named = re.match(rf"f?['\"]({rooms})\b", ast.unparse(node.args[0]))
    return function in ("import_module", "find_spec") and named is not None


def _put(lines: list[str], node: ast.stmt, name: str, old: str, new: str) -> None:
    """Put `new` for `old` into the first line of a statement."""
    place = node.lineno - 1
    lines[place], count = re.subn(old, new, lines[place], count=1)
    if not count:
        raise _unmovable(node, name)


def _unmovable(node: ast.AST, name: str) -> SyntaxError:
    return SyntaxError(
        f"{name}, line {getattr(node, 'lineno', 0)}: {ast.unparse(node)!r} cannot be moved below "
        f"{PACKAGE}: expected `from {ROOMS[0]}.x import y` or `import {ROOMS[0]}`"
    )
