"""A build plan: every file that goes into an image, by name, and its digest.

The idea is Amaranth's: rendering ends in a value that can be looked at, tested
and compared without any toolchain; executing it is another object's work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BuildPlan:
    """Files in order of name. `library` are the sources of the generated
    network (a C library of its own), `runtime` those of the firmware around it,
    `linker_script` the name of the script, or None for a hosted program."""

    name: str
    files: dict[str, str]
    library: tuple[str, ...]
    runtime: tuple[str, ...]
    linker_script: str | None

    def digest(self, *context: str) -> str:
        """SHA-256 over every file and `context` (the toolchain's version and
        flags), 64 hex digits. Equal inputs give equal digests on any machine."""
        sha = hashlib.sha256()
        for part in (*context, *(p for item in self.files.items() for p in item)):
            data = part.encode()
            sha.update(len(data).to_bytes(8, "little") + data)
        return sha.hexdigest()

    def write(self, folder: Path) -> None:
        """Write every file below `folder`, making folders as needed."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
