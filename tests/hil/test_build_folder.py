"""The folder of hil build holds one build, and what its user put there."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.building.buildplan import BuildPlan
from hil.cli import main
from hil.lesson import build_folder
from hil.lesson.build_folder import HEAD, LIST


def made(*names: str) -> BuildPlan:
    return BuildPlan("made", dict.fromkeys(names, "new\n"), names, (), None)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "an image"
    path.write_bytes(b"\x7fELF")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "build"


def there(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_what_an_earlier_build_has_left_is_removed(folder: Path, image: Path) -> None:
    first = made("generated/net.c", "generated/net_const.c", "image/resident.bin")
    build_folder.write(folder, first, image)
    assert there(folder) == {*first.names, "image.elf", LIST}
    second = made("generated/net.c", "generated/net_more.c")
    build_folder.write(folder, second, image)
    assert there(folder) == {*second.names, "image.elf", LIST}
    assert not (folder / "image").exists(), "a folder without files goes too"


def test_what_a_user_put_there_stays(folder: Path, image: Path) -> None:
    build_folder.write(folder, made("generated/old.c"), image)
    mine = [folder / "main.c", folder / "generated" / "mine.c", folder / "own" / "a.c"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    build_folder.write(folder, made("generated/net.c"), image)
    assert [path.read_text() for path in mine] == ["mine"] * 3
    assert not (folder / "generated" / "old.c").exists()


@pytest.mark.parametrize(
    "name", ["../outside", "ROOT/outside", "linked/outside", ".", "..", ""]
)
def test_a_list_that_leads_out_of_the_folder_removes_nothing(
    folder: Path, image: Path, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("stays")
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path)
    (folder / LIST).write_text(HEAD + name.replace("ROOT", str(tmp_path)) + "\n")
    build_folder.write(folder, made("generated/net.c"), image)
    assert outside.read_text() == "stays"


def test_a_file_of_that_name_that_no_build_wrote_is_no_list(
    folder: Path, image: Path
) -> None:
    folder.mkdir()
    (folder / "mine").write_text("mine")
    (folder / LIST).write_text("mine\n")
    assert build_folder.listed(folder) == set()
    build_folder.write(folder, made("generated/net.c"), image)
    assert (folder / "mine").exists()


def test_a_build_that_was_interrupted_is_cleared_away_by_the_next(
    folder: Path, image: Path
) -> None:
    build_folder.write(folder, made("generated/first.c"), image)
    with pytest.raises(FileNotFoundError):
        build_folder.write(folder, made("generated/second.c"), image.parent / "none")
    build_folder.write(folder, made("generated/third.c"), image)
    assert there(folder) == {"generated/third.c", "image.elf", LIST}


def test_hil_build_writes_such_a_folder(host_cc: str, folder: Path) -> None:
    """After a network with constants, those of the next have none of its files."""
    asked = ("build", "--target", "host", "--network", "64-10", "--out", str(folder))
    folder.joinpath("generated").mkdir(parents=True)
    (folder / "generated" / "net_const.c").write_text("int old;\n")
    (folder / LIST).write_text(HEAD + "generated/net_const.c\n")
    assert main([*asked]) == 0
    listed = build_folder.listed(folder)
    assert there(folder) == {*listed, LIST}
    assert "generated/net.c" in listed and "generated/net_const.c" not in listed
