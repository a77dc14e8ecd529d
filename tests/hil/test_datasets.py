"""Data sets: the fixed split, the order, and files that are not what they say."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from codegen.spec import Inputs
from hil.data import datasets, idx
from hil.errors import DataError

MIX = 0xFFFFFFFF


def mix(x: int) -> int:
    """The generator of docs/arithmetic.md, in Python integers: an independent oracle."""
    x ^= x >> 16
    x = x * 0x7FEB352D & MIX
    x ^= x >> 15
    x = x * 0x846CA68B & MIX
    return x ^ x >> 16


def permutation(seed: int, stream: int, n: int) -> list[int]:
    base = mix(seed) + 0x9E3779B9 * (stream + 1)
    return sorted(range(n), key=lambda i: mix((i + base) & MIX))


def test_digits_are_the_real_1797_split_by_hash() -> None:
    data = datasets.load("digits")
    assert data.train_x.shape == (1437, 64) and data.test_x.shape == (360, 64)
    assert data.train_x.dtype == np.uint8 and data.train_x.max() == 16
    assert data.inputs == Inputs("u8", 16.0)
    assert data.classes == 10 and data.features == 64
    counts = np.bincount(np.concatenate([data.train_y, data.test_y]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    with np.load(Path(datasets.__file__).parent / "digits.npz") as file:
        places = permutation(0x5EED, 0, 1797)
        assert (file["x"][places[:1437]] == data.train_x).all()
        assert (file["y"][places[1437:]] == data.test_y).all()


def test_digits_equal_those_of_scikit_learn() -> None:
    source = pytest.importorskip("sklearn.datasets")
    with np.load(Path(datasets.__file__).parent / "digits.npz") as file:
        known = source.load_digits()
        assert (file["x"] == known.data).all() and (file["y"] == known.target).all()


@pytest.mark.parametrize(("seed", "epoch"), [(1, 0), (3, 7), (4294967295, 19)])
def test_order_is_that_of_the_written_rule(seed: int, epoch: int) -> None:
    assert datasets.order(seed, epoch, 200).tolist() == permutation(
        seed, 1000 + epoch, 200
    )


@pytest.mark.parametrize(
    ("dtype", "inputs"),
    [
        (np.uint8, Inputs("u8", 255.0)),
        (np.int16, Inputs("i16", 32768.0)),
        (np.float32, Inputs("f32", 1.0)),
    ],
)
def test_an_npz_is_split_80_to_20_and_keeps_its_type(
    tmp_path: Path, dtype: type, inputs: Inputs
) -> None:
    x = np.arange(300).reshape(100, 3).astype(dtype)
    np.savez(tmp_path / "mine.npz", x=x, y=np.arange(100) % 4)
    data = datasets.load(str(tmp_path / "mine.npz"))
    assert (data.name, data.inputs) == ("mine", inputs)
    assert len(data.train_x) == 80 and len(data.test_x) == 20
    assert data.train_x.dtype == dtype and data.classes == 4
    both = np.concatenate([data.train_x, data.test_x])
    assert sorted(map(tuple, both)) == sorted(map(tuple, x))


def test_an_npz_may_bring_its_own_test_part_and_scale(tmp_path: Path) -> None:
    x = np.ones((4, 2), np.int16)
    path = tmp_path / "own.npz"
    np.savez(path, x=x, y=[0, 1, 0, 1], x_test=x[:1], y_test=[2], scale=4096.0)
    data = datasets.load(str(path))
    assert len(data.train_x) == 4 and len(data.test_x) == 1
    assert data.inputs == Inputs("i16", 4096.0) and data.classes == 3


GOOD = {"x": np.zeros((4, 2), np.uint8), "y": np.zeros(4, int)}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"x": np.zeros(4, np.uint8)},
            r"x is uint8 \[4\], expected \[samples, features\]",
        ),
        ({"y": np.zeros(3, int)}, r"y is int64 \[3\], expected 4 integers"),
        (
            {"y": np.array([0, 1, 65536, 0])},
            "y has labels 0 to 65536, expected 0 to 65535",
        ),
        ({"scale": np.float32(0)}, "scale is float32 .*, expected one positive number"),
        ({"x_test": np.zeros((1, 2), np.uint8)}, "has no array 'y_test'"),
        (
            {"x_test": np.zeros((1, 3), np.uint8), "y_test": np.zeros(1, int)},
            r"x_test is uint8 \[1, 3\], but x is uint8 \[4, 2\]",
        ),
        ({"x": np.full((4, 2), np.inf, np.float32)}, "x holds non-finite values"),
    ],
)
def test_a_wrong_npz_is_named_with_what_is_wrong(
    tmp_path: Path, change: dict[str, np.ndarray], sentence: str
) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, **{**GOOD, **change})  # type: ignore[arg-type]
    with pytest.raises(DataError, match=sentence) as caught:
        datasets.load(str(path))
    assert str(path) in str(caught.value) and caught.value.exit_code == 2


def test_what_is_no_npz_at_all_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.npz"
    path.write_text("no archive")
    with pytest.raises(DataError, match=r"cannot be read as \.npz"):
        datasets.load(str(path))
    with pytest.raises(DataError, match="there is no data file"):
        datasets.load(str(tmp_path / "absent.npz"))
    with pytest.raises(DataError, match="unknown data set 'digts'"):
        datasets.load("digts")


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


def test_mnist_is_read_from_hil_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "fashion_mnist"
    folder.mkdir()
    images = np.arange(2 * 9, dtype=np.uint8).reshape(2, 3, 3)
    for part, array in zip(
        idx.PARTS, (images, np.uint8([3, 4]), images[:1], np.uint8([5])), strict=True
    ):
        write_idx(folder / part, array)
    monkeypatch.setenv("HIL_DATA", str(tmp_path))
    data = datasets.load("fashion")
    assert (data.train_x == images.reshape(2, 9)).all()
    assert data.test_y.tolist() == [5] and data.inputs == Inputs("u8", 255.0)


def test_a_missing_idx_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"there is no .*train-images-idx3-ubyte\.gz"):
        datasets.load("mnist")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"\0\0\x0d\1\0\0\0\1x", "is no idx file of bytes"),
        (b"\0\0\x08\3\0\0", "is cut off"),
        (b"\0\0\x08\1\0\0\0\2x", r"has 1 elements, its header says \[2\]"),
    ],
)
def test_a_wrong_idx_file_is_named(tmp_path: Path, raw: bytes, sentence: str) -> None:
    path = tmp_path / "bad.gz"
    path.write_bytes(gzip.compress(raw))
    with pytest.raises(DataError, match=sentence) as caught:
        idx.read(path)
    assert str(path) in str(caught.value)


def test_an_idx_file_that_is_not_gzipped_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(b"not gzip")
    with pytest.raises(DataError, match="cannot be read"):
        idx.read(path)


def test_dense_has_no_zero_and_is_as_wide_as_it_is_asked_to_be() -> None:
    data = datasets.load("dense", (30, 8, 7))
    assert data.train_x.shape == (1000, 30) and data.test_x.shape == (200, 30)
    assert data.train_x.dtype == np.uint8 and data.train_x.min() == 1
    assert sorted(np.unique(data.train_y)) == list(range(7))
    words = mix(datasets.DENSE_SEED) + 0x9E3779B9 * 2
    assert data.train_y[3] == mix((3 + words) & MIX) % 7
    assert data.train_x[0, 5] == 1 + mix((1200 + 5 + words) & MIX) % 255
    assert datasets.load("dense").features == 784
