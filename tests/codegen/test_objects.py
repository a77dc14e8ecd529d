"""Objects that images share: compiled once, and only where nothing that they are
made from has changed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

import targets
from codegen.building import cache, commands, objects, toolchain
from codegen.building.buildplan import BuildPlan
from codegen.building.image import Image
from codegen.planning.plan import plan
from codegen.rendering.render import render
from codegen.spec import Network, Spec
from targets import Target

HOST, BOARD = targets.load("host"), targets.load("qemu-rv64gc")
FILES = {
    "firmware/include/b.h": "int b = B_BYTES;\n",
    "firmware/include/c.h": "int c;\n",
    "firmware/src/a.c": '#include "b.h"\n#if 0\n  #  include <c.h>\n#endif\n',
    "generated/net.c": "int net;\n",
    "generated/net.h": "",
    objects.SIZES: "#define A_BYTES 1\n/* of b */\n#define B_BYTES 2\n",
}
"""A source that reads two headers, and one of two sizes."""
SOURCE = "firmware/src/a.c"
FILES[SOURCE] += '#include "hil_config.h"\n'


def plan_of(files: dict[str, str]) -> BuildPlan:
    return BuildPlan("tiny", files, ("generated/net.c",), (SOURCE,), None)


def key(changed: dict[str, str], *compiler: str) -> str | None:
    return objects.key(plan_of({**FILES, **changed}), SOURCE, compiler or ("cc", "1"))


@pytest.mark.parametrize(
    "changed",
    [
        {SOURCE: FILES[SOURCE] + "int a;\n"},
        {"firmware/include/b.h": "int b = 1 + B_BYTES;\n"},
        {"firmware/include/c.h": "long c;\n"},
        {"firmware/src/b.h": FILES["firmware/include/b.h"]},
        {objects.SIZES: FILES[objects.SIZES].replace("B_BYTES 2", "B_BYTES 3")},
        {objects.SIZES: "#if 0\n" + FILES[objects.SIZES] + "#endif\n"},
    ],
    ids=["source", "header", "in a condition", "nearer header", "size", "condition"],
)
def test_what_an_object_is_made_from_makes_another(changed: dict[str, str]) -> None:
    assert key(changed) != key({})


def test_a_path_through_the_folder_above_leads_to_the_file() -> None:
    """As tests/fuzz includes the runtime, and all that it includes."""
    near = {SOURCE: '#include "../../generated/net.h"\n'}
    assert key(near) != key({**near, "generated/net.h": "int x;\n"})


def test_another_compiler_or_flag_makes_another_object() -> None:
    assert len({key({}), key({}, "cc", "2"), key({}, "cc", "1", "-O1")}) == 3


def test_what_a_source_does_not_read_changes_nothing() -> None:
    sizes = FILES[objects.SIZES].replace("A_BYTES 1", "A_BYTES 9")
    assert key({objects.SIZES: sizes, "generated/net.h": "int x;\n"}) == key({})


def test_a_source_that_takes_in_a_file_is_not_shared() -> None:
    assert key({SOURCE: '.incbin "samples.bin"\n'}) is None


Compiled = list[str]
"""The sources that were compiled, and once for those of a call that takes several."""


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Compiled:
    seen: Compiled = []
    run = commands.run

    def watched(
        calls: Iterable[Sequence[str]], *given: Any
    ) -> Generator[commands.Ended, None, None]:
        kept = list(calls)
        seen.extend(call[-3] for call in kept if "-c" in call)
        seen.extend(toolchain.OWN for call in kept if call[-1] == toolchain.OWN)
        return run(kept, *given)

    monkeypatch.setattr(commands, "run", watched)
    return seen


def build(
    root: Path,
    width: int,
    window: int = 8,
    on: Target = HOST,
    extra: tuple[str, ...] = (),
) -> Image:
    firmware = render(plan(Spec(Network((8, width))), on, window=window))
    return toolchain.build(firmware, toolchain.find(on), extra=extra, root=root)


def test_the_second_image_is_compiled_in_part_and_is_what_it_would_be_alone(
    tmp_path: Path, host_cc: str, compiled: Compiled
) -> None:
    build(tmp_path / "both", 3)
    first = set(compiled)
    compiled.clear()
    shared = build(tmp_path / "both", 5)
    new = set(compiled)
    alone = build(tmp_path / "alone", 5)
    assert first - new >= {
        f"firmware/src/{name}.c" for name in ("hil_frame", "hil_session", "main")
    }
    assert new >= {"generated/net.c", "firmware/src/network/hil_steps.c", "hil_build.c"}
    assert shared.path.read_bytes() == alone.path.read_bytes()
    graphs = [image.path.with_name(cache.CALLS) for image in (shared, alone)]
    if graphs[1].exists():  # gcc's
        assert graphs[0].read_bytes() == graphs[1].read_bytes()


def test_a_network_in_other_firmware_is_not_compiled_again(
    tmp_path: Path, host_cc: str, compiled: Compiled
) -> None:
    build(tmp_path / "both", 3)
    compiled.clear()
    shared = build(tmp_path / "both", 3, window=2)
    assert "generated/net.c" not in compiled
    assert {"firmware/src/network/hil_steps.c", "hil_build.c"} <= set(compiled)
    alone = build(tmp_path / "alone", 3, window=2)
    assert shared.path.read_bytes() == alone.path.read_bytes()


def test_what_is_one_images_alone_takes_one_call_of_zig(
    tmp_path: Path, compiled: Compiled
) -> None:
    """Beside the network, which has flags of its own."""
    build(tmp_path / "both", 3, on=BOARD)
    compiled.clear()
    shared = build(tmp_path / "both", 5, on=BOARD)
    assert sorted(compiled) == ["generated/net.c", toolchain.OWN]
    alone = build(tmp_path / "alone", 5, on=BOARD)
    assert shared.path.read_bytes() == alone.path.read_bytes()


def test_an_image_that_keeps_its_debug_information_is_made_of_the_same_objects(
    tmp_path: Path, compiled: Compiled
) -> None:
    """All objects have it; of the others' images the linker strips it."""
    build(tmp_path / "both", 3, on=BOARD)
    compiled.clear()
    kept = build(tmp_path / "both", 3, on=BOARD, extra=toolchain.KEPT)
    assert compiled == [toolchain.OWN]
    alone = build(tmp_path / "alone", 3, on=BOARD, extra=toolchain.KEPT)
    assert kept.path.read_bytes() == alone.path.read_bytes()
    assert b"generated/net.c" in kept.path.read_bytes()


def flipped(path: Path) -> None:
    """Another byte in its midst."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [Path.unlink, flipped], ids=["missing", "altered"])
def test_a_damaged_object_is_compiled_again(
    tmp_path: Path, host_cc: str, compiled: Compiled, damage: Callable[[Path], None]
) -> None:
    image = build(tmp_path, 3).path
    made = image.read_bytes()
    compiled.clear()
    image.unlink()
    for kept in tmp_path.glob(f"objects/*/{objects.OBJECT}"):
        damage(kept)
    assert build(tmp_path, 3).path.read_bytes() == made
    assert "firmware/src/main.c" in compiled
