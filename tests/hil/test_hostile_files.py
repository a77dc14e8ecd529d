"""No file makes hil fall: each that is broken ends in one sentence, exit code 2."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil import Experiment, run
from hil.cli import main
from hil.data import arrays, datasets
from hil.errors import DataError, HilError, UsageError
from hil.lesson import weights
from hil.records import run_comparison, run_files
from hil.reports import runs, tracking
from tests.hil import hostile

Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a command that has to be refused; returns its sentence."""

    def check(*command: str | Path) -> str:
        capsys.readouterr()
        code = main([str(word) for word in command])
        said = capsys.readouterr().err
        sentences = [line for line in said.splitlines() if line.startswith("hil: ")]
        assert (code, len(sentences)) == (2, 1), said
        assert said.replace("\n", "").isprintable(), repr(said)
        assert len(sentences[0]) < 1000, sentences[0]
        return sentences[0]

    return check


@pytest.mark.parametrize("write", hostile.DATA.values(), ids=hostile.DATA)
def test_data_is_refused(
    tmp_path: Path, refused: Refused, write: hostile.Write
) -> None:
    path = tmp_path / "mine.npz"
    write(path)
    said = refused("run", "--data", path, "--target", "host", "--out", tmp_path / "out")
    assert "mine.npz'" in said
    assert not (tmp_path / "out").exists()


OTHER_DATA = {
    f"{kind}, {name}": (mine, write)
    for kind, mine, cases in (
        ("table", "mine.csv", hostile.TABLES),
        ("libsvm", "mine.libsvm", hostile.LIBSVM),
        ("folder", "mine", hostile.FOLDERS),
    )
    for name, write in cases.items()
}


@pytest.mark.parametrize(("name", "write"), OTHER_DATA.values(), ids=OTHER_DATA)
def test_data_of_other_kinds_is_refused(
    tmp_path: Path, refused: Refused, name: str, write: hostile.Write
) -> None:
    write(tmp_path / name)
    said = refused(
        *("run", "--data", tmp_path / name, "--target", "host", "--out"),
        tmp_path / "out",
    )
    assert "mine" in said and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("mine.csv", hostile.TABLES["a hole of 64 MiB"]),
        ("mine.csv", hostile.TABLES["a line of megabytes"]),
        ("mine.libsvm", hostile.LIBSVM["zeros of gigabytes"]),
        ("mine", hostile.FOLDERS["x header 6 GiB"]),
    ],
)
def test_no_file_takes_memory_that_it_has_no_right_to(
    tmp_path: Path, name: str, write: hostile.Write
) -> None:
    write(tmp_path / name)
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            datasets.load(str(tmp_path / name))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("write", hostile.WEIGHTS.values(), ids=hostile.WEIGHTS)
def test_weights_are_refused(tmp_path: Path, write: hostile.Write) -> None:
    path = tmp_path / "mine.npz"
    write(path)
    with pytest.raises(DataError, match=r"mine\.npz'"):
        weights.load(str(path), {"W1": (4, 3), "b1": (3,)})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Path:
    """The folder of a run that is as it should be, without its image and sources."""
    lesson = Experiment(target="host", network=(64, 4, 10), steps=20, test=0)
    folder = run(lesson, out=tmp_path_factory.mktemp("runs")).folder
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    (folder / "image.elf").unlink()
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.mark.parametrize("verb", ["report", "compare", "replay"])
@pytest.mark.parametrize("write", hostile.JSON.values(), ids=hostile.JSON)
def test_a_record_is_refused(
    copy: Path, whole: Path, refused: Refused, write: hostile.Write, verb: str
) -> None:
    (copy / "run.json").unlink()
    write(copy / "run.json")
    given = (copy, whole) if verb == "compare" else (copy,)
    assert "run.json" in refused(verb, *given)


@pytest.mark.parametrize("verb", ["report", "compare"])
@pytest.mark.parametrize("write", hostile.LINES.values(), ids=hostile.LINES)
def test_the_lines_of_a_run_are_refused(
    copy: Path, whole: Path, refused: Refused, write: hostile.Write, verb: str
) -> None:
    (copy / "metrics.jsonl").unlink()
    write(copy / "metrics.jsonl")
    given = (copy, whole) if verb == "compare" else (copy,)
    assert "metrics.jsonl', line 1 " in refused(verb, *given)


@pytest.mark.parametrize("write", hostile.JSON.values(), ids=hostile.JSON)
def test_a_demo_is_refused(
    tmp_path: Path, refused: Refused, write: hostile.Write
) -> None:
    write(tmp_path / "demo.json")
    refused("report", tmp_path)


COMMANDS = {
    "experiment": ("run", "FILE"),
    "sweep": ("sweep", "FILE", "--list"),
    "demo": ("demo", "FILE"),
    "tuned file": ("run", "--target", "host", "--tuned", "FILE"),
    "baseline": ("bench", "step", "--baseline", "FILE"),
    "bench": ("run", "--target", "host", "--unit", "mine"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("write", hostile.TOML.values(), ids=hostile.TOML)
def test_a_description_is_refused(
    tmp_path: Path,
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
    write: hostile.Write,
    command: tuple[str, ...],
) -> None:
    path = tmp_path / "mine.toml"
    write(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HIL_BENCH", str(path))
    refused(*(str(path) if word == "FILE" else word for word in command))


MOST = 3
"""Places that are looked at in a table of a record, all of which are alike."""


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        inside = list(value.items())
        for name, inner in inside[: MOST if path else None]:
            yield from _places(inner, (*path, name))
    elif isinstance(value, list) and value:
        yield from _places(value[0], (*path, 0))


LEFT_OUT = "left out"
WRONG: tuple[Any, ...] = (None, True, -1, 10**40, hostile.EVIL, [[]], {"a": []})


def test_no_value_at_any_place_of_a_record_makes_hil_fall(
    copy: Path, whole: Path
) -> None:
    """Read and compared: with an answer or a sentence."""
    good = json.loads((whole / "run.json").read_text())
    other, tried, read = run_comparison.read(whole), 0, 0
    for place in _places(good):
        for wrong in (*WRONG, LEFT_OUT):
            (copy / "run.json").write_text(json.dumps(changed(good, place, wrong)))
            tried += 1
            try:
                run_files.document(copy / "run.json")
                runs.load([copy])
                tracking.load(copy)
                run_comparison.compare(run_comparison.read(copy), other)
                read += 1
            except HilError as error:
                assert error.exit_code == 2 and str(error)
    assert tried > 400 and 40 < read < tried


def changed(good: Any, place: tuple[Any, ...], wrong: Any) -> Any:
    """A copy of a document with another value at this place, or none."""
    document = inner = json.loads(json.dumps(good))
    for name in place[:-1]:
        inner = inner[name]
    if wrong == LEFT_OUT:
        del inner[place[-1]]
    else:
        inner[place[-1]] = wrong
    return document


@pytest.mark.parametrize("order", ["<", ">", "F"])
@pytest.mark.parametrize("kind", ["i2", "f4"])
def test_samples_are_the_same_in_any_order_of_bytes_and_axes(
    tmp_path: Path, order: str, kind: str
) -> None:
    x = np.arange(-20, 20).reshape(10, 4)
    y = np.arange(10) % 3
    as_it_is = np.asarray(x, np.dtype(kind))
    other = (
        np.asfortranarray(as_it_is)
        if order == "F"
        else as_it_is.astype(np.dtype(order + kind))
    )
    labels = y.astype(">i8") if order == ">" else y
    scale = np.array(2.0, ">f8" if order == ">" else "<f8")
    np.savez(tmp_path / "a.npz", x=as_it_is, y=y, scale=2.0)
    np.savez_compressed(tmp_path / "b.npz", x=other, y=labels, scale=scale)
    a, b = (datasets.load(str(tmp_path / name)) for name in ("a.npz", "b.npz"))
    for name in ("train_x", "train_y", "test_x", "test_y"):
        one, two = getattr(a, name), getattr(b, name)
        assert one.dtype == two.dtype and one.dtype.isnative
        assert one.tobytes() == two.tobytes()
    assert a.inputs == b.inputs


def test_weights_are_the_same_in_any_order_of_bytes_and_axes(tmp_path: Path) -> None:
    tensor = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.savez(tmp_path / "a.npz", W=np.asfortranarray(tensor.astype(">f4")))
    (found,) = weights.read(str(tmp_path / "a.npz")).values()
    assert found.tobytes() == tensor.tobytes() and found.flags.c_contiguous


def test_an_array_that_nobody_asks_for_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    spoilt = hostile.npy(np.array([print], dtype=object), pickled=True)
    good = {f"{name}.npy": hostile.npy(array) for name, array in hostile.GOOD.items()}
    path.write_bytes(
        hostile.archive({**good, "notes.npy": spoilt, "read.me": b"hello"})
    )
    assert datasets.load(str(path)).features == 4


@pytest.mark.parametrize("name", ["bomb", "header 6 GiB", "directory says 4 GiB"])
def test_headers_are_read_before_memory_is_taken(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.npz"
    hostile.DATA[name](path)
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            datasets.load(str(path))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["objects said", "structures", "void", "no width"])
def test_an_element_is_a_number_or_a_text(tmp_path: Path, name: str) -> None:
    """Whoever asks for it: nothing of another kind is ever made."""
    path = tmp_path / "mine.npz"
    hostile.DATA[name](path)
    with (
        arrays.opened(path, "data file") as found,
        pytest.raises(DataError, match="expected numbers or texts"),
    ):
        found["x"]


def test_an_array_of_more_than_may_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the archive really holds it."""
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.zeros((10, 4), np.uint8), y=hostile.Y)
    monkeypatch.setattr(arrays, "MOST", 39)
    with pytest.raises(
        DataError, match=r"'x' cannot be read: .* 40 bytes: expected 39"
    ):
        datasets.load(str(path))


def test_what_is_read_is_what_numpy_reads(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    given = {
        "a": np.array(3.5), "b": np.array(["ä", "longer"]), "c": np.zeros((0, 3)),
        "d": np.arange(24, dtype=">i4").reshape(2, 3, 4), "e": np.array([True]),
    }  # fmt: skip
    np.savez(path, **given)
    with arrays.opened(path, "data file") as found:
        assert list(found) == list(given)
        for name, array in given.items():
            assert (
                np.array_equal(found[name], array) and found[name].shape == array.shape
            )
            assert found[name].flags.writeable and found[name].dtype.isnative


def test_there_are_enough_of_them() -> None:
    assert sum(map(len, hostile.ALL.values())) >= 150


def test_a_shape_says_where_a_record_is_wrong(copy: Path) -> None:
    document = json.loads((copy / "run.json").read_text())
    document["link"]["resent"] = "many"
    (copy / "run.json").write_text(json.dumps(document))
    with pytest.raises(UsageError) as caught:
        run_files.document(copy / "run.json")
    assert str(caught.value).endswith(
        "expected 'link' in it to be 'resent' in it to be a whole number from 0"
    )
