"""What was built before, images and objects, each in a folder named by its digest.

An entry is whole or it is not used: its facts carry a digest of their own and the
digests of its files. What is damaged is built again, and an entry gets its name
only when all of it is on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from codegen.building.image import Image, sizes
from targets import storage
from targets.errors import StorageError
from targets.signals import held

IMAGE = "image.elf"
FACTS = "image.json"
CALLS = "calls.ci"
"""Beside an image of gcc's: its call graph."""


def folder() -> Path:
    """Where the cache is: $HIL_CACHE, or the user's cache folder."""
    return Path(os.environ.get("HIL_CACHE") or platformdirs.user_cache_path("hil"))


def entry(root: Path, digest: str) -> Path:
    """The folder of the image with this build digest."""
    return root / "images" / digest[:32]


def find(place: Path, digest: str) -> Image | None:
    """The image in the entry at `place`; None when it is not there, or not whole."""
    facts = whole(place, digest)
    if facts is None:
        return None
    return Image(place / IMAGE, digest, facts["toolchain"], facts["text"], facts["ram"])


def whole(place: Path, digest: str) -> dict[str, Any] | None:
    """The facts of the entry at `place`; None when it is not there, not whole, or
    another's."""
    facts = read_facts(place / FACTS)
    if not isinstance(facts, dict) or facts.get("digest") != digest:
        return None
    files = facts["files"]
    if any(_sha256(place / name) != sha for name, sha in files.items()):
        return None
    return facts


@contextmanager
def making(place: Path) -> Iterator[Path]:
    """A folder to build in, which is cleared away. Raises `StorageError`."""
    with storage.naming(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
        with held():  # a folder that is made is cleared away
            temp = tempfile.TemporaryDirectory(
                dir=place.parent, prefix="building-", ignore_cleanup_errors=True
            )
    with temp as made:
        yield Path(made)


def keep(made: Path, place: Path, digest: str, toolchain: str) -> Image:
    """The files of `made` as the entry at `place`, unless another process was first.
    Raises `StorageError`."""
    with storage.naming(place):
        text, ram = sizes(made / IMAGE)
    facts = {"digest": digest, "toolchain": toolchain, "text": text, "ram": ram}
    enter(made, place, facts)
    return Image(place / IMAGE, digest, toolchain, text, ram)


def enter(made: Path, place: Path, facts: dict[str, Any]) -> None:
    """The files of `made`, and `facts` with their digest, as the entry at `place`,
    unless another process was first. Raises `StorageError`."""
    with storage.naming(place):
        files = {file.name: _sha256(file) for file in made.iterdir()}
        for name in files:
            _sync(made / name)
        write_facts(made / FACTS, {**facts, "files": files})
        storage.sync_folder(made)
        while True:
            try:
                made.rename(place)
                storage.sync_folder(place.parent)
            except OSError:
                if not os.path.lexists(place):
                    raise
            if whole(place, facts["digest"]) is not None:
                return
            _set_aside(place, made.parent)  # a damaged entry makes room


def read_facts(path: Path) -> Any:
    """What `write_facts` has written; None when it is not there, or not whole."""
    try:
        document = json.loads(path.read_bytes())
        facts, sha = document["facts"], document["sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return facts if _digest(facts) == sha else None


def write_facts(path: Path, facts: Any) -> None:
    """Keep a JSON value and its digest. Raises `StorageError`."""
    document = {"facts": facts, "sha256": _digest(facts)}
    storage.write(path, json.dumps(document), sync=True)


def _digest(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _set_aside(place: Path, temp: Path) -> None:
    """Move what is at `place` into the folder that is cleared away."""
    try:
        place.rename(temp / f"damaged-{len(list(temp.iterdir()))}")
    except FileNotFoundError:
        return  # another process has done it
    except OSError as error:
        raise StorageError(
            f"the damaged image in {str(place)!r} cannot be replaced: {error.strerror}",
            "remove that folder; it is built again",
        ) from error
