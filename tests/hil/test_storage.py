"""What the host cannot keep: full disks, full streams, links in the place of files."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.building import cache
from hil import Experiment, run
from hil.cli import main
from hil.errors import StorageError
from targets import storage
from tests.hil import full_disk

ROOT = Path(__file__).parents[2]
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
LIMIT = 60.0


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(
    tmp_path: Path,
) -> None:
    victim, place = tmp_path / "victim", tmp_path / "place"
    victim.write_text("mine")
    place.symlink_to(victim)
    storage.write(place, "new")
    assert (victim.read_text(), place.read_text()) == ("mine", "new")
    assert not place.is_symlink()


@pytest.mark.parametrize("number", [*storage.SCARCE, errno.EACCES])
def test_a_file_that_fails_is_as_it_was_and_nothing_is_beside_it(
    tmp_path: Path, number: int
) -> None:
    place = tmp_path / "place"
    storage.write(place, "old")
    with pytest.raises(StorageError) as caught, storage.whole(place) as file:
        file.write(b"new")
        raise OSError(number, os.strerror(number))
    assert str(caught.value).startswith(f"{str(place)!r} cannot be written: ")
    assert caught.value.exit_code == 9
    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("what", ["folder", "missing", "long"])
def test_a_place_that_cannot_be_is_told_in_a_sentence(
    tmp_path: Path, what: str
) -> None:
    (tmp_path / "folder").mkdir()
    names = {"folder": "folder", "missing": "no/file", "long": "x" * 300}
    with pytest.raises(StorageError, match="cannot be written: "):
        storage.write(tmp_path / names[what], "new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_pipe_that_the_user_names_takes_what_comes(tmp_path: Path) -> None:
    """And so does /dev/stdout, which replacing would destroy."""
    reader, writer = os.pipe()
    storage.write(Path(f"/dev/fd/{writer}"), "through", device=True)
    os.close(writer)
    with os.fdopen(reader) as end:
        assert end.read() == "through"


@needs_full
def test_a_file_that_grows_tells_of_a_full_disk_once() -> None:
    with (
        pytest.raises(StorageError, match="'/dev/full' cannot be written: the disk is"),
        storage.Growing(FULL) as file,
    ):
        file.write(b"x" * storage.Growing.ROOM)
    file = storage.Growing(FULL)
    file.write(b"x")  # is kept back
    with pytest.raises(StorageError):
        file.close()
    file.write(b"x" * storage.Growing.ROOM)
    file.close()


def test_a_file_that_grows_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    with pytest.raises(StorageError):
        storage.Growing(tmp_path / "link")
    assert not (tmp_path / "victim").exists()


def test_a_report_does_not_follow_a_link_in_the_runs_folder(
    small: Experiment, folder: Path, tmp_path: Path, host_cc: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    record = run(small, out=folder)
    page = record.folder / "report.html"
    page.symlink_to(victim)
    assert main(["report", str(record.folder)]) == 0
    assert victim.read_text() == "mine"
    assert page.read_text().startswith("<!DOCTYPE html>") and not page.is_symlink()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> tuple[Path, int]:
    """Where a disk of limited size may be, and the bytes that a run writes onto it;
    skips where nobody may make one."""
    folder = tmp_path_factory.mktemp("disk")
    try:
        ended = full_disk.run(folder, full_disk.PLENTY, cache.folder())
    except PermissionError as error:
        pytest.skip(str(error))
    assert (ended.code, ended.fault) == (0, ""), ended.said
    return folder, ended.used


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_a_disk_that_fills_ends_a_run_in_one_sentence(
    disk: tuple[Path, int], share: float
) -> None:
    """In its sources, its image, its steps; `make disk-full` looks at 50 moments."""
    folder, used = disk
    ended = full_disk.run(folder, int(share * used), cache.folder())
    assert (ended.code, ended.fault) == (9, ""), ended.said
    assert ended.record is not None and ended.record["result"] == "error"


def test_a_disk_that_fills_ends_a_build_in_one_sentence(
    disk: tuple[Path, int],
) -> None:
    """An image that is built on it takes besides what a run writes."""
    folder, used = disk
    ended = full_disk.run(folder, used)
    assert (ended.code, ended.fault) == (9, ""), ended.said


def hil(folder: Path, *given: str, **streams: object) -> tuple[int, str, Path | None]:
    """The smallest run by the command: exit code, stderr, run.json."""
    command = [
        sys.executable,
        "-m",
        "hil",
        *full_disk.RUN,
        "--out",
        str(folder),
        *given,
    ]
    done = subprocess.run(  # type: ignore[call-overload]
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=LIMIT, **streams
    )
    records = list(folder.glob("*/run.json"))
    return done.returncode, done.stderr, records[0] if records else None


def result(path: Path | None) -> str:
    """What the record says; with the exit code, which is no other than the run's."""
    assert path is not None
    document = json.loads(path.read_text())
    return f"{document['result']} {document['exit_code']}"


@needs_full
@pytest.mark.parametrize("given", [(), ("--json", "-")], ids=["lines", "json"])
def test_a_full_stdout_loses_no_run(
    folder: Path, given: tuple[str, ...], host_cc: str
) -> None:
    with FULL.open("w") as full:
        code, said, record = hil(folder, *given, stdout=full)
    assert (code, result(record)) == (9, "pass 0")
    assert said.count("hil: ") == 1 and "No space left on device" in said


def test_a_reader_that_has_gone_loses_no_run(folder: Path, host_cc: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code, said, record = hil(folder, stdout=writer)
    os.close(writer)
    assert (code, said, result(record)) == (0, "", "pass 0")


def test_a_run_without_any_stream_is_a_run(folder: Path, host_cc: str) -> None:
    def close() -> None:
        os.closerange(0, 3)

    code, _, record = hil(folder, preexec_fn=close)
    assert (code, result(record)) == (0, "pass 0")


def test_too_few_descriptors_are_told_in_a_sentence(folder: Path, host_cc: str) -> None:
    def few() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (10, 10))

    code, said, record = hil(folder, preexec_fn=few, stdout=subprocess.DEVNULL)
    assert (code, result(record)) == (9, "error 9")
    assert said.startswith(
        "hil: this process may have 10 files open at once, and needs"
    )
    assert "Traceback" not in said


def test_a_limit_of_a_files_size_is_told_in_a_sentence(
    folder: Path, tmp_path: Path, host_cc: str
) -> None:
    """Also where the compiler meets it, which it kills."""

    def short() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, 16_384))

    environment = {**os.environ, "HIL_CACHE": str(tmp_path / "cache")}
    code, said, record = hil(
        folder, preexec_fn=short, stdout=subprocess.DEVNULL, env=environment
    )
    assert (code, result(record)) == (9, "error 9")
    assert said.count("hil: ") == 1 and "Traceback" not in said, said
