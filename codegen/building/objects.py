"""Objects that images share: a source is compiled once for all that it reads.

The firmware around a network never changes with it, but for the sizes in
hil_config.h, of which each source reads some; and a network never changes with the
line, the checkpoints or the samples around it. So an object is kept under a digest of
its source, of the headers it includes, of the sizes that these name, and of the
compiler with its flags; an entry is whole or it is not used, as an image is.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import shutil
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from codegen.building import cache
from codegen.building.buildplan import BuildPlan
from targets import storage

SIZES = "image/hil_config.h"
"""The header that differs from image to image, of which a source reads a part."""
OBJECT = "object.o"

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+[<"]([^">]+)[">]', re.MULTILINE)
_DEFINE = re.compile(r"#define[ \t]+(\w+)")
_WORD = re.compile(r"\w+")
_TAKEN_IN = ".incbin"


def key(plan: BuildPlan, source: str, compiler: Sequence[str]) -> str | None:
    """Digest of all that the object of `source` is made from, 64 hex digits; None
    when it takes in a file that is no text. `compiler`: name, version and flags."""
    names = _read(plan, source)
    texts = {name: plan.files[name] for name in names}
    if any(_TAKEN_IN in text for text in texts.values()):
        return None
    if SIZES in texts:
        sizes = texts.pop(SIZES)
        words = frozenset[str]().union(*map(_words, texts.values()))
        texts[SIZES] = "\n".join(_named(sizes, words))
    sha = hashlib.sha256()
    for part in (*compiler, *(part for item in texts.items() for part in item)):
        data = part.encode()
        sha.update(len(data).to_bytes(8, "little") + data)
    return sha.hexdigest()


def reads(plan: BuildPlan, source: str, folder: str) -> bool:
    """Whether `source` reads a file of `folder`, which ends in a slash."""
    return any(name.startswith(folder) for name in _read(plan, source))


def take(root: Path, digest: str, target: Path) -> bool:
    """Put the object with this digest at `target`, and its part of the call graph
    beside it; false when it is not in the cache at `root`, or not whole."""
    place = _entry(root, digest)
    if not cache.whole(place, digest):
        return False
    for path in (place / OBJECT, place / cache.CALLS):
        if path.exists():
            shutil.copy(path, _beside(target, path))
    return True


def keep(root: Path, digest: str, target: Path) -> None:
    """Keep the object at `target`, unless another process was first. Raises
    `StorageError`."""
    place = _entry(root, digest)
    with cache.making(place) as temp:
        made = temp / "out"
        made.mkdir()
        for name in (OBJECT, cache.CALLS):
            told = _beside(target, made / name)
            if told.exists():
                with storage.naming(made / name):
                    shutil.copy(told, made / name)
        cache.enter(made, place, {"digest": digest})


def _entry(root: Path, digest: str) -> Path:
    return root / "objects" / digest[:32]


def _beside(target: Path, kept: Path) -> Path:
    """What `kept` is called among the objects of a build."""
    return target if kept.name == OBJECT else target.with_suffix(".ci")


def _read(plan: BuildPlan, source: str) -> list[str]:
    """The files of the plan that a source reads, itself first: also what it includes
    under a condition that does not hold."""
    folders = [flag.removeprefix("-I") for flag in plan.includes]
    found, waiting = [source], [source]
    while waiting:
        name = waiting.pop()
        places = [posixpath.dirname(name), *folders]
        for included in _included(plan.files[name]):
            paths = (
                posixpath.normpath(posixpath.join(place, included)) for place in places
            )
            path = next((path for path in paths if path in plan.files), None)
            if path is not None and path not in found:
                found.append(path)
                waiting.append(path)
    return found


@lru_cache(maxsize=512)
def _included(text: str) -> tuple[str, ...]:
    """What a source or a header includes. The firmware's are in every image, and are
    read through once."""
    return tuple(_INCLUDE.findall(text))


@lru_cache(maxsize=512)
def _words(text: str) -> frozenset[str]:
    """Every word of it, the names of sizes among them."""
    return frozenset(_WORD.findall(text))


def _named(sizes: str, words: frozenset[str]) -> Iterator[str]:
    """Of the header of sizes, what tells those that `words` name."""
    for line in sizes.splitlines():
        define = _DEFINE.match(line)
        if line.startswith("#") and (define is None or define[1] in words):
            yield line
