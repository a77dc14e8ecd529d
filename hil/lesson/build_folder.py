"""The folder that `hil build` writes: it holds one build, and what a user put there.

A list in the folder says which files a build has written. The next build removes those
of them that it does not write itself: the C of an earlier network would be compiled with
the new one's. A file that no list names is the user's and stays.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path, PurePosixPath

from codegen.building.buildplan import BuildPlan
from targets import storage

IMAGE = "image.elf"
LIST = "files.txt"
HEAD = "# Written by hil build. The next build into this folder removes these files.\n"


def write(folder: Path, files: BuildPlan, image: Path | None = None) -> None:
    """Write a build's files, its image if it has one, and their list, and remove what
    an earlier build has left. Raises `StorageError`."""
    earlier, names = listed(folder), {*files.names, *([IMAGE] if image else [])}
    with storage.naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
    _list(folder, names | earlier)  # also where this is interrupted
    for name in sorted(earlier - names):
        with storage.naming(folder / name):
            _remove(folder, folder / name)
    files.write(folder)
    if image:
        storage.write(folder / IMAGE, image.read_bytes())
    _list(folder, names)


def listed(folder: Path) -> set[str]:
    """Files below `folder` that an earlier build has written: by its list, of which a
    name that leads out of the folder is none."""
    try:
        text = (folder / LIST).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return set()
    if not text.startswith(HEAD):
        return set()
    return {name for name in text.splitlines()[1:] if _within(folder, name)}


def _within(folder: Path, name: str) -> bool:
    try:
        path = (folder / name).parent.resolve() / PurePosixPath(name).name
        return path.is_relative_to(folder.resolve()) and not path.is_dir()
    except (OSError, ValueError):
        return False


def _list(folder: Path, names: set[str]) -> None:
    storage.write(folder / LIST, HEAD + "".join(f"{name}\n" for name in sorted(names)))


def _remove(folder: Path, path: Path) -> None:
    """Remove a file, and the folders that are empty without it."""
    path.unlink(missing_ok=True)
    with suppress(OSError):  # one that is not empty stays
        while (path := path.parent) != folder:
            path.rmdir()
