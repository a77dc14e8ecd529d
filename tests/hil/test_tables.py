"""Tables and files of LIBSVM: what they are taken for, and what is said of a culprit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.spec import Inputs
from hil import run
from hil.cli import main
from hil.data import datasets, table
from hil.data import text as text_files
from hil.data.dataset import Dataset
from hil.errors import DataError
from hil.experiment import load

KINDS = "cat", "dog", "eel"
ROWS = [(1.5, -2.25, 0), (3.0, 0.125, 1), (5.5, 4.0, 2), (0.0, 7.0, 1), (2.0, 1.0, 0)]
NUMBERS = "\n".join(f"{a},{b},{y}" for a, b, y in ROWS) + "\n"
TEXTS = "\n".join(f"{a},{b},{KINDS[y]}" for a, b, y in ROWS) + "\n"


def loaded(path: Path, text: str | bytes, column: str = "") -> Dataset:
    """The data set of a file with this text."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return datasets.load(f"{path}:{column}" if column else str(path))


def rows(data: Dataset) -> list[tuple[float, ...]]:
    """All of its samples, each with its label, sorted."""
    x = np.concatenate([data.train_x, data.test_x])
    y = np.concatenate([data.train_y, data.test_y])
    return sorted((*sample.tolist(), label) for sample, label in zip(x, y, strict=True))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no header", NUMBERS),
        ("a header", "width,height,kind\n" + NUMBERS),
        ("a byte order mark", b"\xef\xbb\xbf" + f"width,height,kind\n{NUMBERS}".encode()),
        ("a byte order mark and numbers", b"\xef\xbb\xbf" + NUMBERS.encode()),
        ("texts", TEXTS),
        ("a header and texts", "width,height,kind\n" + TEXTS),
        ("quotes", 'width,height,kind\n' + TEXTS.replace("cat", '"cat"')),
        ("semicolons", TEXTS.replace(",", ";")),
        ("tabs", TEXTS.replace(",", "\t")),
        ("spaces", TEXTS.replace(",", " , ")),
        ("Windows", TEXTS.replace("\n", "\r\n")),
        ("blank lines", "\n" + TEXTS.replace("\n", "\n\n")),
        ("semicolons after a blank line", "\n" + TEXTS.replace(",", ";")),
        ("no last newline", TEXTS.rstrip()),
    ],
)  # fmt: skip
def test_a_table_is_read_however_it_is_written(
    tmp_path: Path, name: str, text: str | bytes
) -> None:
    data = loaded(tmp_path / "mine.csv", text)
    assert rows(data) == sorted(ROWS)
    assert data.inputs == Inputs("f32", 1.0) and data.name == "mine"
    assert data.labels == (
        KINDS if b"cat" in (tmp_path / "mine.csv").read_bytes() else ()
    )
    assert len(data.train_x) == 4 and data.columns in (("width", "height"), ("1", "2"))


def test_a_tsv_is_separated_by_tabs_alone(tmp_path: Path) -> None:
    data = loaded(
        tmp_path / "mine.TSV", TEXTS.replace(",", "\t").replace("cat", "a,b;c")
    )
    assert data.labels == ("a,b;c", "dog", "eel")


@pytest.mark.parametrize(
    ("header", "column", "place"),
    [
        ("kind,a,b", "kind", 0),
        ("kind,a,b", "1", 0),
        ("a,kind,b", "2", 1),
        ("a,label,b", "", 1),
        ("Target,a,b", "", 0),
        ("label,class,b", "", 2),  # two of them: the last column
        ("a,b,c", "", 2),
        ("a:b,c,d", "a:b", 0),
        ("2,b,c", "", None),
    ],
)
def test_the_column_of_the_labels_has_a_name_or_is_the_last(
    tmp_path: Path, header: str, column: str, place: int | None
) -> None:
    order = [0, 1]
    order.insert(2 if place is None else place, 2)
    lines = "\n".join(",".join(str(row[i]) for i in order) for row in ROWS)
    if place is None:  # a number: no header
        with pytest.raises(DataError, match="line 1, column 2 holds 'b'"):
            loaded(tmp_path / "mine.csv", f"{header}\n{lines}", column)
        return
    data = loaded(tmp_path / "mine.csv", f"{header}\n{lines}", column)
    assert rows(data) == sorted(ROWS)
    names = header.split(",")
    assert f"label in column {names.pop(place)!r}" in data.said[0]
    assert data.columns == tuple(names)


@pytest.mark.parametrize("header", [",a,b,kind", ",0,1,2"])
def test_the_index_that_pandas_writes_is_left_out_and_it_is_said(
    tmp_path: Path, header: str
) -> None:
    lines = [f"{i},{a},{b},{y}" for i, (a, b, y) in enumerate(ROWS)]
    data = loaded(tmp_path / "mine.csv", "\n".join([header, *lines]))
    assert rows(data) == sorted(ROWS)
    assert data.columns == tuple(header.split(",")[1:3])
    assert "counts the rows: left out" in data.said[0]


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("0,255,a\n7,9,b\n", Inputs("u8", 255.0)),
        ("0,1,a\n1,1,b\n", Inputs("u8", 1.0)),
        ("-3,4,a\n1,1,b\n", Inputs("i16", 4.0)),
        ("0.0,1.0,a\n1.0,1.0,b\n", Inputs("f32", 1.0)),
        (f"{10**17},1,a\n1,1,b\n", Inputs("f32", 1.0)),
    ],
)
def test_integers_of_a_table_travel_as_integers(
    tmp_path: Path, text: str, inputs: Inputs
) -> None:
    assert loaded(tmp_path / "mine.csv", text).inputs == inputs


def test_labels_with_points_are_numbers_to_learn(tmp_path: Path) -> None:
    data = loaded(tmp_path / "mine.csv", "1,2,0.5\n3,4,1.25\n")
    assert not data.labelled and sorted(rows(data)) == [(1, 2, [0.5]), (3, 4, [1.25])]


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("a,b,y\n1,2,0\n3,,1\n", r"line 3, column 'b' has no value", r"\.dropna\(\)"),
        ("1,2,0\n3,NA,1\n", r"line 2, column 2 has no value but 'NA'", "header=None"),
        ("a,b,y\n1,2,0\n\n3,4,?\n", r"line 4, column 'y' has no value but '\?'", "dropna"),
        ('a,b,"y\nz"\n1,2,0\n3,x,1\n', r"line 4, column 'b' holds 'x'", "get_dummies"),
        ("1;2;0\n3;1,5;1\n", r"line 2, column 2 holds '1,5'", "decimal=','"),
        ("1,2,0\n3,inf,1\n", r"line 2, column 2 holds 'inf'", "np.inf"),
        ("\n\n1,x,0\n3,1,1\n", r"line 3, column 2 holds 'x'", "mine.csv:2"),
        ("label,b,c\n0,1,2\n1,2,x\n", r"line 3, column 'c' holds 'x'", "get_dummies"),
        ("1,2,0\n3,1\n", r"line 2 has 2 columns, but the first line has 3", "skip"),
        ("a,b\n1,2\n", r"no column 'kind': expected a number from 1 to 2, or .*'a', 'b'", ""),
    ],
)  # fmt: skip
def test_a_culprit_has_its_line_and_its_column(
    tmp_path: Path, text: str, sentence: str, hint: str
) -> None:
    column = "kind" if "no column" in sentence else ""
    with pytest.raises(DataError, match=sentence) as caught:
        loaded(tmp_path / "mine.csv", text, column)
    assert hint.replace("\\", "") in "".join(caught.value.hints)


@pytest.mark.parametrize(
    ("text", "column", "samples"),
    [
        ("a;b;y\n1;2;u\n3;;v\n4;5;v\n", "", 2),
        ("1,2,0\n?,2,1\n5,6,1\n", "", 2),
        ("1,2,0\ninf,2,1\n5,6,1\n", "", 2),
        ("1,2,0\n5,6,1\n1,2,3,4\n", "", 2),
        ("a;b;y\n1,5;2,5;0\n2,5;1,0;1\n", "", 2),
        ("a,b,y\nred,2,0\nblue,3,1\n", "y", 2),
        ("0,1,label\n1,2,0\n1,2,1\n", "", 2),
    ],
)
def test_the_line_that_mends_a_table_mends_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    column: str,
    samples: int,
) -> None:
    pandas = pytest.importorskip("pandas")  # an environment older than the lock
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        loaded(Path("mine.csv"), text)
    line = caught.value.hints[0]
    exec(line[: line.index("False)") + 6], {"pandas": pandas, "np": np})
    mended = "mended.csv" + (f":{column}" if column else "")
    assert len(rows(datasets.load(mended))) == samples


def test_a_file_with_a_colon_in_its_name_is_that_file(tmp_path: Path) -> None:
    assert loaded(tmp_path / "mine.csv:a.csv", NUMBERS).features == 2


def test_a_file_of_more_than_may_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "MOST", len(NUMBERS) - 1)
    with pytest.raises(DataError, match=f"has {len(NUMBERS)} bytes: expected"):
        loaded(tmp_path / "mine.csv", NUMBERS)


def test_too_many_texts_are_no_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MOST_TEXTS", 2)
    with pytest.raises(
        DataError, match="line 1, column 3 holds 'cat', one of too many"
    ):
        loaded(tmp_path / "mine.csv", TEXTS)


def test_a_libsvm_file_is_read_as_scikit_learn_reads_it(tmp_path: Path) -> None:
    source = pytest.importorskip("sklearn.datasets")
    path = tmp_path / "mine.libsvm"
    x = np.array([[0, 1.5, 0, -2], [3, 0, 0, 0], [0, 0, 0.25, 0], [1, 1, 1, 1]])
    for zero_based in (True, False):
        source.dump_svmlight_file(x, [-1, 1, 1, -1], str(path), zero_based=zero_based)
        data = datasets.load(str(path))
        known, _ = source.load_svmlight_file(str(path))
        assert data.labels == ("-1", "1")
        assert sorted(map(tuple, known.toarray())) == [row[:-1] for row in rows(data)]


def test_a_libsvm_file_may_have_comments_and_integers(tmp_path: Path) -> None:
    text = "# weather\n+1 1:1 3:1 # sunny\n\n-1 2:1\n"
    data = loaded(tmp_path / "mine.svm", text)
    assert rows(data) == [(0, 1, 0, 0), (1, 0, 1, 1)]
    assert data.inputs == Inputs("u8", 1.0)
    assert data.said[0] == "2 lines, places from 1"


def test_a_folder_of_npy_files_is_an_npz_that_is_not_packed(tmp_path: Path) -> None:
    x, y = np.arange(40, dtype=np.uint8).reshape(10, 4), np.arange(10) % 3
    arrays = {"x": x, "y": y, "x_test": x[:3], "y_test": y[:3], "scale": 7.0}
    np.savez(tmp_path / "packed.npz", **arrays)
    (tmp_path / "mine").mkdir()
    for name, array in arrays.items():
        np.save(tmp_path / "mine" / f"{name}.npy", array)
    packed, mine = (datasets.load(str(tmp_path / n)) for n in ("packed.npz", "mine"))
    assert (mine.name, mine.inputs) == ("mine", packed.inputs)
    for part in ("train_x", "train_y", "test_x", "test_y"):
        assert (getattr(mine, part) == getattr(packed, part)).all()


def test_a_column_may_be_named_in_an_experiment_beside_its_table(
    tmp_path: Path, host_cc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths in it start at its folder; the record's are the same from everywhere."""
    (tmp_path / "mine.csv").write_text("kind,a,b\n" + "u,1,0.5\nv,2,1.5\n" * 10)
    (tmp_path / "mine.toml").write_text('data = "mine.csv:kind"\ntarget = "host"\n')
    monkeypatch.chdir(tmp_path / "..")
    record = run(load(tmp_path / "mine.toml"), out=tmp_path / "runs", steps=8)
    assert record.result == "pass"
    assert record.experiment["data"] == f"{tmp_path.resolve()}/mine.csv:kind"
    monkeypatch.chdir("/")
    assert main(["replay", str(record.folder), "--step", "3"]) == 0
