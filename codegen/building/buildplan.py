"""A build plan: every file that goes into an image, by name, and its digest.

The idea is Amaranth's: rendering ends in a value that can be looked at, tested
and compared without any toolchain; executing it is another object's work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from targets import storage


@dataclass(frozen=True)
class BuildPlan:
    """Files in order of name. `library` are the sources of the generated
    network (a C library of its own), `runtime` those of the firmware around it,
    `linker_script` the name of the script, or None for a hosted program.
    `data` are files that are no text, which a source takes in as they are."""

    name: str
    files: dict[str, str]
    library: tuple[str, ...]
    runtime: tuple[str, ...]
    linker_script: str | None
    data: dict[str, bytes] = field(default_factory=dict)

    def digest(self, *context: str) -> str:
        """SHA-256 over every file and `context` (the toolchain's version and
        flags), 64 hex digits. Equal inputs give equal digests on any machine."""
        sha = hashlib.sha256()
        parts = [part.encode() for part in context]
        for name, content in self._contents():
            parts += [name.encode(), content]
        for part in parts:
            sha.update(len(part).to_bytes(8, "little") + part)
        return sha.hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """Every file, text or not."""
        return (*self.files, *self.data)

    @property
    def includes(self) -> tuple[str, ...]:
        """The compiler's flags for every folder that has a header."""
        folders = {str(Path(name).parent) for name in self.files if name.endswith(".h")}
        return tuple(f"-I{folder}" for folder in sorted(folders))

    def write(self, folder: Path) -> None:
        """Write every file below `folder`, making folders as needed. Raises
        `StorageError`."""
        for name, content in self._contents():
            path = folder / name
            with storage.naming(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            storage.write(path, content)

    def differs_from(self, folder: Path) -> str | None:
        """The first file that is not the same below `folder`, None if all are."""
        for name, content in self._contents():
            path = folder / name
            if not path.is_file() or path.read_bytes() != content:
                return name
        return None

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        """Every file as the bytes it is."""
        for name, text in self.files.items():
            yield name, text.encode()
        yield from self.data.items()
