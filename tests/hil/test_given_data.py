"""Arrays as people have them: converted and said, or refused with what mends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.spec import Inputs
from hil.cli import main
from hil.data import datasets, labels, samples, windows
from hil.data.dataset import Dataset
from hil.data.taken import dataset_of
from hil.errors import DataError

X = np.arange(40, dtype=np.uint8).reshape(10, 4)
Y = np.arange(10) % 3
LINE = {"u8": np.uint8, "i16": np.int16, "f32": np.float32}


def whole(x: Any, y: Any = Y, **more: Any) -> Dataset:
    """A data set whose test part is its training part."""
    return dataset_of(x, y, x, y, **more)


@pytest.mark.parametrize(
    ("x", "inputs", "sentence"),
    [
        (X, Inputs("u8", 255.0), ""),
        (X.astype(">i2"), Inputs("i16", 32768.0), ""),
        (np.asfortranarray(X, np.float32), Inputs("f32", 1.0), ""),
        (X * 1.0, Inputs("f32", 1.0), "x is float64: travels as float32, each value rounded"),
        (X.astype(np.float16), Inputs("f32", 1.0), "x is float16: travels as float32"),
        (X.astype(np.longdouble), Inputs("f32", 1.0), "each value rounded"),
        (X.astype(int), Inputs("u8", 39.0), "x is int64: travels as uint8, divided by 39"),
        (X.astype(">u4"), Inputs("u8", 39.0), "x is uint32: travels as uint8"),
        (X.astype(int) - 50, Inputs("i16", 50.0), "travels as int16, divided by 50"),
        (X.astype(int) * 1000, Inputs("f32", 39000.0), "travels as float32, divided by 39000"),
        (X > 7, Inputs("u8", 1.0), "x is bool: travels as uint8"),
        (X.reshape(10, 2, 2), Inputs("u8", 255.0), "x is [n, 2, 2]: a sample is a row of 4 numbers"),
        (X.tolist(), Inputs("u8", 39.0), "x is int64"),
    ],
)  # fmt: skip
def test_samples_of_any_type_travel_as_a_type_of_the_line(
    x: Any, inputs: Inputs, sentence: str
) -> None:

    made = whole(x)
    assert made.inputs == inputs and sentence in " ".join(made.said)
    assert bool(made.said) == bool(sentence)
    assert made.train_x.dtype == LINE[inputs.dtype] and made.train_x.dtype.isnative
    assert made.train_x.flags.c_contiguous
    assert (made.train_x == np.asarray(x).reshape(10, 4)).all()


def test_a_float64_is_rounded_to_the_nearest_float32() -> None:
    made = whole(np.full((10, 4), 0.1))
    assert (made.train_x == np.float32(0.1)).all()


def test_both_parts_travel_as_one_type() -> None:
    """Also where the training part alone would fit a narrower one."""
    made = dataset_of(X.astype(int), Y, X.astype(int) - 300, Y)
    assert made.train_x.dtype == made.test_x.dtype == np.int16
    assert made.inputs.scale == 39.0  # of what is learned, not of what is tested
    assert (made.test_x == X.astype(int) - 300).all()


@pytest.mark.parametrize(
    ("y", "classes", "names", "sentence"),
    [
        (Y, Y, (), ""),
        (Y.astype(">u2"), Y, (), ""),
        (np.eye(3)[Y], Y, (), "y is one-hot: 3 classes, 0 to 2"),
        (np.eye(3, dtype=bool)[Y], Y, (), "y is one-hot"),
        (Y + 1, Y, ("1", "2", "3"), "y has labels 1 to 3: 3 classes, 1 -> 0, 2 -> 1, 3 -> 2"),
        (Y * 2 - 2, Y, ("-2", "0", "2"), "y has labels -2 to 2: 3 classes, -2 -> 0, 0 -> 1, 2 -> 2"),
        (Y == 1, Y == 1, ("False", "True"), "y is bool: False -> 0, True -> 1"),
        (Y[:, None], Y, (), "y is one column: a label a sample"),
        (np.array(["cat", "dog", "eel"])[Y], Y, ("cat", "dog", "eel"), "y is text: 3 classes, cat -> 0, dog -> 1, eel -> 2"),
        (np.array(["cat", "dog", "eel"], object)[Y], Y, ("cat", "dog", "eel"), "y is text"),
    ],
)  # fmt: skip
def test_labels_of_any_kind_become_classes_from_0(
    y: np.ndarray, classes: np.ndarray, names: tuple[str, ...], sentence: str
) -> None:
    made = whole(X, y)
    assert made.train_y.dtype == np.int64 and (made.train_y == classes).all()
    assert made.labels == names and "; ".join(made.said).startswith(sentence)
    assert bool(made.said) == bool(sentence)
    assert (labels.of(y, made.labels, made.outputs) == classes).all()


def test_labels_of_both_parts_are_numbered_together() -> None:
    y = np.array(["b", "c"] * 5)
    made = dataset_of(X, y, X[:2], np.array(["a", "c"]))
    assert made.labels == ("a", "b", "c")
    assert made.train_y[:2].tolist() == [1, 2] and made.test_y.tolist() == [0, 2]


def test_whole_floats_are_numbers_to_learn_and_it_is_said() -> None:
    made = whole(X, Y * 1.0)
    assert not made.labelled
    assert made.said == (
        "y is float64: learned as numbers (y = y.astype(int): as classes)",
    )
    assert not whole(X, Y * 1.5).said


BAD: dict[str, tuple[Any, Any, str, str]] = {
    "object": (np.array([[1, "a"]] * 10, object), Y, "x is object [10, 2]", "np.array(x.tolist())"),
    "text": (X.astype(str), Y, "x is text [10, 4]", "x.astype(np.float32)"),
    "ragged": ([[1, 2], [3]] * 5, Y, "x is no array", "np.array(x)"),
    "one axis": (X[:, 0], Y, "x is uint8 [10]", "x.reshape(-1, 1)"),
    "complex": (X * 1j, Y, "x is complex128", "x.real, x.imag"),
    "NaN": (np.where(X == 9, np.nan, X), Y, "nan in row 2, column 1", "np.isfinite(x)"),
    "too large": (X * 1e300, Y, "1e+300 in row 0, column 1", "np.abs(x).max()"),
    "integers too large": (X.astype(int) << 40, Y, "integers from 0 to 42880953483264", "astype(np.float32)"),
    "labels too large": (X, Y + 70_000, "labels 70000 to 70002", "np.unique(y"),
    "labels short": (X, Y[:9], "y is int64 [9], expected 10 integers", "y[:n]"),
    "labels of objects": (X, np.array([None] * 10), "y is object [10]", "np.array(y.tolist())"),
    "a label missing": (X, np.array(["a", ""] * 5), "no label in row 1", 'y != ""'),
    "two hot": (X, np.ones((10, 3), int), "y is int64 [10, 3], expected 10 integers (labels), or", "astype(np.float32)"),
    "texts that differ": (np.zeros((30, 2)), np.arange(30).astype(str), "30 different texts in 30 samples", "y.astype(np.float32)"),
}  # fmt: skip
"""x, y, what is said, and a piece of the line that mends it."""


@pytest.mark.parametrize(("x", "y", "sentence", "line"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_with_the_line_that_mends_it(
    x: Any, y: Any, sentence: str, line: str
) -> None:
    with pytest.raises(DataError) as caught:
        dataset_of(x, y, name="mine")
    assert str(caught.value).startswith("data 'mine'")
    assert sentence in str(caught.value)
    assert any(line in hint for hint in caught.value.hints), caught.value.hints


def test_later_samples_are_taken_as_the_first_ones_were() -> None:
    inputs = whole(X.astype(int)).inputs
    made = samples.of(X.reshape(10, 2, 2) * 1.0, inputs)
    assert made.dtype == np.uint8 and (made == X).all()
    with pytest.raises(DataError, match="values from 0 to 390 that are not all uint8"):
        samples.of(X.astype(int) * 10, inputs)
    with pytest.raises(DataError, match=r"not all uint8"):
        samples.of(X + 0.5, inputs)
    with pytest.raises(DataError, match="non-finite"):
        samples.of(X * np.nan, Inputs("f32", 1.0))


@pytest.mark.parametrize(
    ("y", "names", "sentence"),
    [
        (np.array(["fox"]), ("cat", "dog"), "label fox: expected one of cat -> 0"),
        (np.array([3]), (), "label 3: expected one of 0 to 1"),
        (np.array([0.5]), (), r"label 0\.5: expected one of 0 to 1"),
        (np.array([None]), (), "expected a label a sample"),
    ],
)
def test_a_later_label_that_nobody_knows_is_refused(
    y: np.ndarray, names: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        labels.of(y, names, 2)


def test_windows_of_any_integers_travel_as_int16(tmp_path: Path) -> None:
    """Also where all of them would fit a byte: a window is of int16."""
    x = np.arange(160).reshape(10, 4, 4)
    made = windows.standardised(x.reshape(10, 16).astype(np.int16), rows=8, axes=2)
    np.savez(tmp_path / "mine.npz", x=x, y=Y, **windows.arrays(made))
    data = datasets.load(str(tmp_path / "mine.npz"))
    assert data.inputs == Inputs("i16", 1.0, made) and data.train_x.dtype == np.int16


def test_a_run_says_in_its_first_line_what_was_converted(
    tmp_path: Path, host_cc: str, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "mine.npz", x=X.astype(int), y=Y + 1)
    command = ["run", "--target", "host", "--steps", "2", "--out", str(tmp_path)]
    assert main([*command, "--data", str(tmp_path / "mine.npz")]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == (
        "data     x is int64: travels as uint8, divided by 39; "
        "y has labels 1 to 3: 3 classes, 1 -> 0, 2 -> 1, 3 -> 2"
    )
    np.savez(tmp_path / "mine.npz", x=X, y=Y)
    assert main([*command, "--data", str(tmp_path / "mine.npz")]) == 0
    assert capsys.readouterr().out.startswith("plan")


def test_a_table_of_pandas_is_data() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X * 0.5, columns=["a", "b", "c", "d"])
    kinds = pandas.Series(np.array(["cat", "dog", "eel"])[Y])
    made = dataset_of(frame, kinds, frame, kinds)
    assert made.columns == ("a", "b", "c", "d") and made.labels == ("cat", "dog", "eel")
    assert (made.train_x == X * np.float32(0.5)).all() and (made.train_y == Y).all()
    frame.iloc[3, 1] = None
    with pytest.raises(DataError, match=r"nan in row 3, column 'b'"):
        dataset_of(frame, kinds)
