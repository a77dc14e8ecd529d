"""The table of inputs in docs/data.md: each works, or ends in one sentence with the
line that mends it, and exit code 2."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.cli import main
from hil.data.taken import dataset_of

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
ROW = re.compile(r"^\| ([^|]+) \| (works|exit 2) \|(.*?)\|(.*)\|$", re.M)
X = np.arange(40, dtype=np.uint8).reshape(10, 4)
Y = np.arange(10) % 3
TABLE = "".join(
    f"{a},{b},{c},{y}\n" for (a, b, c), y in zip(X[:, :3].tolist(), Y, strict=True)
)

Arrays = dict[str, Any]
INDEX = "file,label\n1.csv,walk\n2.csv,run\n"


def windows(
    to: Path, *names: str, head: str = "x,y,z", rows: tuple[int, ...] = (4,)
) -> None:
    """A folder of windows of these names."""
    for place, name in enumerate(names):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        count = rows[min(place, len(rows) - 1)]
        lines = [",".join(map(str, row[:3])) for row in X[place:].tolist()[:count]]
        text = INDEX if name == "labels.csv" else "\n".join([head, *lines])
        (to / name).write_text(text)


FILES: dict[str, tuple[str, Arrays | Callable[[Path], object]]] = {
    "float64": ("mine.npz", {"x": X * 0.1, "y": Y}),
    "float16": ("mine.npz", {"x": X.astype(np.float16), "y": Y}),
    "int64": ("mine.npz", {"x": X.astype(int), "y": Y}),
    "int64, some below 0": ("mine.npz", {"x": X.astype(int) - 50, "y": Y}),
    "truth values": ("mine.npz", {"x": X > 7, "y": Y}),
    "[n, 28, 28]": ("mine.npz", {"x": np.resize(X, (10, 28, 28)), "y": Y}),
    "big-endian": ("mine.npz", {"x": X.astype(">i2"), "y": Y.astype(">i4")}),
    "Fortran order": ("mine.npz", {"x": np.asfortranarray(X), "y": Y}),
    "x_train, y_train": ("mine.npz", {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y}),
    "one-hot labels": ("mine.npz", {"x": X, "y": np.eye(3)[Y]}),
    "labels from 1": ("mine.npz", {"x": X, "y": Y + 1}),
    "labels -1 and 1": ("mine.npz", {"x": X, "y": Y // 2 * 2 - 1}),
    "labels as texts": ("mine.npz", {"x": X, "y": np.array(["cat", "dog", "eel"])[Y]}),
    "labels as one column": ("mine.npz", {"x": X, "y": Y[:, None]}),
    "labels as whole floats": ("mine.npz", {"x": X, "y": Y * 1.0}),
    "a folder with x.npy, y.npy": ("mine", lambda p: folder(p, x=X, y=Y)),
    "CSV without a header": ("mine.csv", lambda p: p.write_text(TABLE)),
    "CSV with a header and a byte order mark": ("mine.csv", lambda p: p.write_text("a,b,c,kind\n" + TABLE, "utf-8-sig")),
    "CSV between semicolons": ("mine.csv", lambda p: p.write_text(TABLE.replace(",", ";"))),
    "a folder a class, in it a CSV a window": ("mine", lambda p: windows(p, "walk/1.csv", "run/1.csv")),
    "windows named LABEL.NAME.csv, with a time": ("mine", lambda p: windows(p, "walk.1.csv", "run.1.csv", head="timestamp,x,y")),
    "windows and labels.csv": ("mine", lambda p: windows(p, "1.csv", "2.csv", "labels.csv")),
    "windows below train and test": ("mine", lambda p: windows(p, "train/a/1.csv", "train/b/1.csv", "test/a/1.csv")),
    "a window too short": ("mine", lambda p: windows(p, "walk/1.csv", "run/1.csv", rows=(4, 3))),
    "windows without a class": ("mine", lambda p: windows(p, "1.csv", "2.csv")),
    "LIBSVM": ("mine.libsvm", lambda p: p.write_text("-1 1:0.5 3:2\n+1 2:1\n")),
    "NaN": ("mine.npz", {"x": np.where(X == 9, np.nan, X), "y": Y}),
    "float64 beyond float32": ("mine.npz", {"x": X * 1e300, "y": Y}),
    "int64 beyond 2^24": ("mine.npz", {"x": X.astype(int) << 40, "y": Y}),
    "objects": ("mine.npz", {"x": X.astype(object), "y": Y}),
    "texts as samples": ("mine.npz", {"x": X.astype(str), "y": Y}),
    "complex numbers": ("mine.npz", {"x": X * 1j, "y": Y}),
    "a sample of one number": ("mine.npz", {"x": X[:, 0], "y": Y}),
    "fewer labels than samples": ("mine.npz", {"x": X, "y": Y[:9]}),
    "large labels": ("mine.npz", {"x": X, "y": Y + 99_999_997}),
    "a label missing": ("mine.npz", {"x": X, "y": np.array(["cat", ""] * 5)}),
    "a text for each sample": ("mine.npz", {"x": np.tile(X, (3, 1)), "y": np.arange(30).astype(str)}),
    "two ones in a row of labels": ("mine.npz", {"x": X, "y": np.ones((10, 3), int)}),
    "one class only": ("mine.npz", {"x": X, "y": Y * 0}),
    "np.savez(file, x, y)": ("mine.npz", {"arr_0": X, "arr_1": Y}),
    "a lone .npy": ("mine.npy", lambda p: np.save(p, X)),
    "an empty directory": ("mine", lambda p: p.mkdir()),
    "an empty file": ("mine.npz", lambda p: p.touch()),
    "CSV, empty": ("mine.csv", lambda p: p.touch()),
    "CSV with a gap": ("mine.csv", lambda p: p.write_text("a,b,kind\n1,2,0\n1,,1\n")),
    "CSV with decimal commas": ("mine.csv", lambda p: p.write_text("a;b;y\n1,5;2,0;0\n")),
    "CSV with texts as features": ("mine.csv", lambda p: p.write_text("a,b,y\n1,2,0\n1,red,1\n")),
    "CSV with a line too short": ("mine.csv", lambda p: p.write_text("1,2,0\n1,2\n")),
    "CSV in UTF-16": ("mine.csv", lambda p: p.write_text(TABLE, "utf-16")),
}  # fmt: skip
"""What stands in the first column of the table -> a file's name, and its arrays or what
writes it."""


def folder(path: Path, **arrays: np.ndarray) -> None:
    path.mkdir()
    for name, array in arrays.items():
        np.save(path / f"{name}.npy", array)


def rows() -> dict[str, tuple[str, str, str]]:
    """The table: an input -> what becomes of it, a sentence, and what mends it."""
    cells = [
        [cell.strip().strip("`") for cell in row]
        for row in ROW.findall(PAGE.read_text())
    ]
    return {name: (outcome, sentence, line) for name, outcome, sentence, line in cells}


def test_the_table_has_a_row_for_every_input_that_is_tried() -> None:
    assert list(rows()) == list(FILES) and len(FILES) >= 25


@pytest.mark.parametrize("name", FILES)
def test_an_input_works_or_ends_in_a_sentence_with_the_line_that_mends_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    file, made = FILES[name]
    if isinstance(made, dict):
        np.savez(file, **made)
    else:
        made(Path(file))
    outcome, sentence, line = rows()[name]
    if outcome == "works":
        assert main(["data", file]) == 0
        shown = capsys.readouterr().out
        assert sentence in shown and bool(sentence) == ("made" in shown), shown
        return
    assert main(["run", "--data", file, "--target", "host"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("hil: ") and sentence in said[0], said
    assert line and any(line in hint for hint in said[1:]), said
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    "name", [n for n, row in rows().items() if re.match(r"(x|y|n|ok) = ", row[2])]
)
def test_the_line_that_mends_an_input_mends_it(name: str) -> None:
    given = FILES[name][1]
    assert isinstance(given, dict)
    arrays = {"np": np, **given}
    exec(rows()[name][2], arrays)
    dataset_of(arrays["x"], arrays["y"])
