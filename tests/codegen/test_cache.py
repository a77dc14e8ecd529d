"""The cache of images: what is not whole is built again, by whoever comes first."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import targets
from codegen.building import cache, toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.image import Image
from codegen.errors import BuildError
from targets.errors import StorageError

HOST = targets.load("host")
PLAN = BuildPlan(
    "tiny",
    {
        "main.c": "int main(void) { return 0; }\n",
        "hil_build.h": "#include <stdint.h>\n",
    },
    (),
    ("main.c",),
    None,
)
"""The smallest program that a toolchain links."""


Whole = tuple[Path, Image, bytes]
"""A cache's folder, its image, and the bytes of that."""


def build(root: Path) -> Image:
    return toolchain.build(PLAN, toolchain.find(HOST), root=root)


def place(root: Path) -> Path:
    """The folder of the one entry."""
    (found,) = (root / "images").iterdir()
    return found


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def altered(path: Path) -> None:
    """Another word, in a document that is still JSON."""
    document = json.loads(path.read_text())
    document["facts"]["text"] += 1
    path.write_text(json.dumps(document))


def flipped(path: Path) -> None:
    """One bit of a file, in its middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def instead(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


DAMAGE: dict[str, tuple[str, Callable[[Path], object]]] = {
    "facts missing": (cache.FACTS, Path.unlink),
    "facts empty": (cache.FACTS, instead("")),
    "facts cut": (cache.FACTS, cut),
    "facts no JSON": (cache.FACTS, instead("{")),
    "facts a list": (cache.FACTS, instead("[]")),
    "facts a number": (cache.FACTS, instead("7")),
    "facts without digest": (cache.FACTS, instead('{"facts": {}}')),
    "facts deep": (cache.FACTS, instead("[" * 100_000)),
    "facts altered": (cache.FACTS, altered),
    "facts of an older version": (
        cache.FACTS,
        instead('{"toolchain": "cc", "text": 1, "ram": 1}'),
    ),
    "facts no text": (cache.FACTS, lambda path: path.write_bytes(b"\xff\xfe\0")),
    "image missing": (cache.IMAGE, Path.unlink),
    "image empty": (cache.IMAGE, instead("")),
    "image cut": (cache.IMAGE, cut),
    "image altered": (cache.IMAGE, flipped),
    "image a script": (cache.IMAGE, instead("#!/bin/sh\n")),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Whole:
    root = tmp_path_factory.mktemp("cache")
    image = build(root)
    return root, image, image.path.read_bytes()


@pytest.mark.parametrize(("name", "damage"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_entry_is_built_again(
    whole: Whole, name: str, damage: Callable[[Path], object]
) -> None:
    root, image, content = whole
    damage(place(root) / name)
    assert build(root) == image
    assert image.path.read_bytes() == content
    assert list((root / "images").iterdir()) == [place(root)]


def test_a_whole_entry_is_not_built_again(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(whole[0])
    monkeypatch.setattr(toolchain, "_compile", lambda *_: pytest.fail("compiled"))
    build(whole[0])


def test_an_entry_under_another_digest_is_not_taken(whole: Whole) -> None:
    made = build(whole[0])
    assert cache.find(made.path.parent, made.digest) == made
    assert cache.find(made.path.parent, made.digest[::-1]) is None


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_is_no_folder_makes_room_for_an_entry(
    tmp_path: Path, what: str, host_cc: str
) -> None:
    made = build(tmp_path)
    aside = tmp_path / "aside"
    made.path.parent.rename(aside)
    if what == "file":
        made.path.parent.write_text("")
    else:
        made.path.parent.symlink_to(tmp_path / "nowhere")
    assert build(tmp_path).path.read_bytes() == (aside / cache.IMAGE).read_bytes()
    assert not made.path.parent.is_symlink()


def test_two_that_build_at_once_get_the_same_image(
    tmp_path: Path, host_cc: str
) -> None:
    """Also where both find the same damage."""
    damaged = build(tmp_path).path
    damaged.write_text("")
    both = threading.Barrier(2)
    found: list[bytes] = []

    def one() -> None:
        both.wait()
        found.append(build(tmp_path).path.read_bytes())

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 2 and len(set(found)) == 1


def test_a_bound_that_is_not_whole_is_found_again(tmp_path: Path) -> None:
    kept = tmp_path / "stack"
    cache.write_facts(kept, 1234)
    assert cache.read_facts(kept) == 1234
    kept.write_text(kept.read_text().replace("1234", "4321"))
    assert cache.read_facts(kept) is None


def test_a_cache_that_cannot_be_made_is_told_in_a_sentence(
    tmp_path: Path, host_cc: str
) -> None:
    (tmp_path / "images").write_text("no folder")
    with pytest.raises(StorageError, match=r"images' cannot be written"):
        build(tmp_path)


def test_what_fails_to_build_leaves_nothing(tmp_path: Path, host_cc: str) -> None:
    broken = BuildPlan("broken", {**PLAN.files, "main.c": "x"}, (), ("main.c",), None)
    with pytest.raises(BuildError):
        toolchain.build(broken, toolchain.find(HOST), root=tmp_path)
    assert not list((tmp_path / "images").iterdir())
