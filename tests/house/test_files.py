"""Files are read and written in one way each (targets/storage.py,
hil/data/arrays.py)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("targets", "codegen", "emulation", "hil")
WRITERS = {"write_text", "write_bytes", "NamedTemporaryFile", "copyfile", "copy2"}
READERS = {"load", "save", "savez", "savez_compressed", "fromfile", "tofile"}
"""Of numpy's."""
LEAVE = {
    ("targets/storage.py", "open"): "the writer itself",
    ("codegen/building/toolchain.py", "write_text"): "in a folder that is cleared away",
    ("emulation/probe.py", "write_bytes"): "in a folder that is cleared away",
    ("emulation/machine.py", "open"): "a flash, which keeps what it holds",
    ("hil/desk/locks.py", "open"): "a lock, which nobody reads but for who has it",
    ("hil/desk/loaders/gdb.py", "NamedTemporaryFile"): "orders to gdb, gone with it",
    ("hil/pytest_plugin.py", "open"): "bytes of a line, unbuffered, in a new folder",
    (
        "hil/device/protocol_tables.py",
        "write_text",
    ): "a page of this repository, for its maker",
}
"""What may be elsewhere, and why."""


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Names of the calls in a file that read or write arrays, or write files."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else ""
        of = called.value if isinstance(called, ast.Attribute) else None
        numpy = isinstance(of, ast.Name) and of.id == "np"
        modes = [
            *node.args,
            *(word.value for word in node.keywords if word.arg == "mode"),
        ]
        writes = name == "open" and any(
            isinstance(mode, ast.Constant) and str(mode.value)[:1] in tuple("wax")
            for mode in modes
        )
        if name in WRITERS or writes or (numpy and name in READERS):
            yield name, node.lineno


def test_files_are_written_and_arrays_are_read_in_one_place() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name): line
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for name, line in calls(path)
    }
    assert {key: line for key, line in found.items() if key not in LEAVE} == {}
    assert set(LEAVE) <= set(found), "what is left out is no longer there"
