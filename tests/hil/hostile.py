"""Files that are broken, or that somebody has made to harm: a table of them.

Each case is a name, and what writes the file, a folder or a link at the path it is
given. tests/hil/test_hostile_files.py reads all of them; `python tests/hil/hostile.py`
prints how many there are of each kind. More than 400 lines because it is one table.
"""

from __future__ import annotations

import io
import json
import os
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

Write = Callable[[Path], object]
X = np.arange(40, dtype=np.uint8).reshape(10, 4)
Y = np.arange(10) % 3
GOOD = {"x": X, "y": Y}
DEEP = 100_000
EVIL = "a\x1b[2Jb\x9bc\u202ed"
"""Clears a terminal's screen, and turns the writing round."""


def npy(array: np.ndarray, pickled: bool = False) -> bytes:
    """The bytes of a .npy."""
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=pickled)
    return out.getvalue()


def headed(text: str, data: bytes = b"\0" * 40, version: int = 1) -> bytes:
    """A .npy whose header is this text."""
    form = "<H" if version == 1 else "<I"
    head = text.encode("latin-1") + b"\n"
    prefix = b"\x93NUMPY" + bytes((version, 0))
    return prefix + struct.pack(form, len(head)) + head + data


def said(shape: str, descr: str = "'|u1'", order: str = "False") -> str:
    """The text of a header."""
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


def archive(members: Mapping[str, bytes], packed: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


def holding(**arrays: Any) -> Write:
    """An .npz with these arrays."""
    return lambda path: np.savez(path.open("wb"), **arrays)


def but(**arrays: Any) -> Write:
    """A good .npz, but for these arrays."""
    return holding(**{**GOOD, **arrays})


def x_is(member: bytes) -> Write:
    """An .npz whose member x.npy is these bytes."""
    return content(archive({"x.npy": member, "y.npy": npy(Y)}))


def content(data: bytes | str) -> Write:
    """A file of these bytes."""
    raw = data.encode() if isinstance(data, str) else data
    return lambda path: path.write_bytes(raw)


def patched(change: Callable[[bytearray], object], **arrays: Any) -> Write:
    """A packed .npz, changed."""

    def write(path: Path) -> None:
        data = bytearray(
            archive({f"{n}.npy": npy(a) for n, a in {**GOOD, **arrays}.items()})
        )
        change(data)
        path.write_bytes(data)

    return write


def _encrypt(data: bytearray) -> None:
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1


def _method(data: bytearray) -> None:
    data[8] = 99
    data[data.index(b"PK\x01\x02") + 10] = 99


def _said_size(data: bytearray) -> None:
    """The directory says that x has nearly 4 GiB."""
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 0xFFFFFFF0)


def _flip(data: bytearray) -> None:
    data[48] ^= 0xFF


def _checksum(data: bytearray) -> None:
    at = data.index(b"PK\x01\x02") + 16
    data[at] ^= 1


def _twice(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of what we want
        for name in ("x.npy", "x.npy", "y.npy"):
            file.writestr(name, npy(Y if name[0] == "y" else X))


@lru_cache
def _bomb() -> bytes:
    """32 MiB of zeros in 32 KiB, as elements that no sample has."""
    zeros = headed(said("(4194304,)", "'<f8'"), bytes(1 << 25))
    return archive({"x.npy": zeros, "y.npy": npy(Y)})


def _stream(names: Any, ends: Any, tests: Any) -> Write:
    return but(x_test=X, y_test=Y, task_names=names, task_ends=ends, task_tests=tests)


_NAMES, _TESTS = np.array(["a", "b"]), np.array([[0, 5], [5, 10]])
_NO_TEXT = np.array([0xFFFFFF, 0x41], np.uint32).view("U1")

DATA: dict[str, Write] = {
    "empty": content(b""),
    "text": content("x, y\n1, 2\n"),
    "npy": content(npy(X)),
    "pickle": content(b"\x80\x04\x95" + b"." * 30),
    "cut in half": lambda p: p.write_bytes(archive({"x.npy": npy(X)})[:60]),
    "cut directory": lambda p: p.write_bytes(archive({"x.npy": npy(X)})[:-25]),
    "no members": content(archive({})),
    "encrypted": patched(_encrypt),
    "unknown packing": patched(_method),
    "bzip2": content(archive({"x.npy": npy(X), "y.npy": npy(Y)}, zipfile.ZIP_BZIP2)),
    "lzma": content(archive({"x.npy": npy(X), "y.npy": npy(Y)}, zipfile.ZIP_LZMA)),
    "zlib error": patched(_flip),
    "wrong checksum": patched(_checksum),
    "directory says 4 GiB": patched(_said_size),
    "bomb": lambda p: p.write_bytes(_bomb()),
    "x twice": _twice,
    "x no array": content(archive({"x": b"text", "y.npy": npy(Y)})),
    "x text": x_is(b"no array at all"),
    "x empty": x_is(b""),
    "x cut": x_is(npy(X)[:-5]),
    "x longer": x_is(npy(X) + b"!"),
    "x only magic": x_is(b"\x93NUMPY"),
    "x header cut": x_is(npy(X)[:30]),
    "format 3.0": x_is(b"\x93NUMPY\x03\0" + npy(X)[8:]),
    "format 9.9": x_is(b"\x93NUMPY\x09\x09" + npy(X)[8:]),
    "header 6 GiB": x_is(headed(said(f"({6 << 28}, 4)"))),
    "header overflows": x_is(headed(said(f"({1 << 62}, {1 << 62})"))),
    "header negative": x_is(headed(said("(-10, 4)"))),
    "header no lengths": x_is(headed(said("(10, 'four')"))),
    "header no tuple": x_is(headed(said("10"))),
    "header code": x_is(headed("__import__('os').system('touch here')")),
    "header deep": x_is(headed("(" * 9_000)),
    "header long": x_is(headed(" " * 60_000)),
    "header very long": x_is(headed(said("(10, 4)") + " " * 3_000_000, version=2)),
    "header keys": x_is(headed("{'shape': (10, 4)}")),
    "header not closed": x_is(headed("{'descr': '|u1', 'shape': (10, 4)")),
    "header no type": x_is(headed(said("(10, 4)", "'no such'"))),
    "header binary": x_is(headed("\xff\xfe\0\0" * 9)),
    "objects": x_is(npy(np.array([[print, 1]], dtype=object), pickled=True)),
    "objects said": x_is(headed(said("(10, 4)", "'|O'"))),
    "structures": x_is(npy(np.zeros((10, 4), dtype=[("a", "u1")]))),
    "no width": x_is(headed(said("(10, 4)", "'|S0'"), b"")),
    "void": x_is(headed(said("(10, 4)", "'|V4'"))),
    "x complex": but(x=X.astype(complex)),
    "x float64 beyond float32": but(x=X * 1e300),
    "x int64 beyond float32": but(x=X.astype(int) << 40),
    "x_test beyond float32": but(x=X * 1.0, x_test=X * 1e300, y_test=Y),
    "x of texts": but(x=X.astype(str)),
    "x 1 axis": but(x=X[:, 0]),
    "x 0 axes": but(x=np.uint8(3)),
    "x no samples": but(x=X[:0], y=Y[:0]),
    "x no features": but(x=X[:, :0]),
    "x one sample": but(x=X[:1], y=Y[:1]),
    "x NaN": but(x=np.full((10, 4), np.nan, np.float32)),
    "x infinite": but(x=np.full((10, 4), np.inf, ">f4")),
    "y missing": holding(x=X),
    "y floats with a NaN": but(y=Y.astype(float) * np.nan),
    "y short": but(y=Y[:9]),
    "y a table": but(y=np.stack([Y, Y])),
    "y texts, one empty": but(y=np.array(["a", ""] * 5)),
    "y texts, one of spaces": but(y=np.array(["a", " "] * 5)),
    "y bytes": but(y=np.array([b"a", b"b"] * 5)),
    "y a text a number": but(y=np.array([["a", "b"]] * 10)),
    "y objects": but(y=np.array([1, "a"] * 5, dtype=object)),
    "y two hot": but(y=np.ones((10, 3), int)),
    "y -2^63": but(y=np.full(10, -(2**63))),
    "y 99,999,999": but(y=np.where(Y == 2, 99_999_999, Y)),
    "y 2^64 - 1": but(y=np.full(10, 2**64 - 1, np.uint64)),
    "y big-endian, large": but(y=np.full(10, 70_000, ">i4")),
    "x_test alone": but(x_test=X),
    "x_test another type": but(x_test=X.astype(np.int16), y_test=Y),
    "x_test wider": but(x_test=np.zeros((10, 5), np.uint8), y_test=Y),
    "scale 0": but(scale=0.0),
    "scale NaN": but(scale=np.nan),
    "scale a text": but(scale="255"),
    "scale two": but(scale=np.ones(2)),
    "scale long": but(scale=np.ones(200_000)),
    "window alone": but(window=np.array([2, 2])),
    "window huge": but(
        x=X.astype(np.int16), window=np.array([2**62, 2**62]),
        offset=np.zeros(3, np.float32), divisor=np.ones(3, np.float32),
    ),
    "window divides by 0": but(
        x=X.astype(np.int16), window=np.array([2, 2]),
        offset=np.zeros(6, np.float32), divisor=np.zeros(6, np.float32),
    ),
    "task names alone": but(x_test=X, y_test=Y, task_names=_NAMES),
    "task names no texts": _stream(np.arange(2), np.array([5, 10]), _TESTS),
    "task names no characters": _stream(_NO_TEXT, np.array([5, 10]), _TESTS),
    "task names command": _stream(np.array(["a", EVIL]), np.array([5, 10]), _TESTS),
    "task names alike": _stream(np.array(["a", "a"]), np.array([5, 10]), _TESTS),
    "task ends fall, unsigned": _stream(
        np.array(["a", "b", "c"]), np.array([7, 3, 10], np.uint64), np.zeros((3, 2), int)
    ),
    "task ends 2^63": _stream(_NAMES, np.array([2**63, 10], np.uint64), _TESTS),
    "task tests beyond": _stream(_NAMES, np.array([5, 10]), _TESTS + 3),
    "task tests 2^64 - 1": _stream(
        _NAMES, np.array([5, 10]), np.full((2, 2), 2**64 - 1, np.uint64)
    ),
    "a folder": lambda p: p.mkdir(),
    "a pipe": lambda p: os.mkfifo(p),
    "a dangling link": lambda p: p.symlink_to("nowhere"),
    "a link to a device": lambda p: p.symlink_to("/dev/zero"),
    "a link to itself": lambda p: p.symlink_to(p.name),
}  # fmt: skip
"""As --data: all of them exit code 2."""

TABLES: dict[str, Write] = {
    "empty": content(b""),
    "a byte order mark alone": content(b"\xef\xbb\xbf"),
    "blank lines": content("\n\n  \n"),
    "a header alone": content("a,b,label\n"),
    "one column": content("a\n1\n2\n"),
    "one row": content("1,2,0\n"),
    "a gap": content("a,b,label\n1,2,0\n1,,1\n"),
    "a gap at the label": content("a,b,label\n1,2,0\n1,2,\n"),
    "a question mark": content("1,2,0\n?,2,1\n"),
    "NaN": content("1,2,0\nnan,2,1\n"),
    "infinity": content("1,2,0\ninf,2,1\n"),
    "beyond floats": content("1,2,0\n1e999,2,1\n"),
    "beyond float32": content("1,2,0\n1e99,2,1\n"),
    "a text among numbers": content("1,2,0\n1,two,1\n"),
    "a text column": content("a,b,label\nred,2,0\n1,2,1\n"),
    "a header with numbers": content("a,1,label\n1,2,0\n1,2,1\n"),
    "a label that is a header": content("0,1,label\n1,2,0\n1,2,1\n"),
    "a decimal comma": content("a;b;label\n1,5;2,0;0\n1,5;2,0;1\n"),
    "a row too short": content("1,2,0\n1,2\n"),
    "a row too long": content("1,2,0\n1,2,0,4\n"),
    "labels too large": content("1,2,0\n1,2,70000\n"),
    "texts that differ": content("".join(f"1,2,a{i}\n" for i in range(50))),
    "one class": content("1,2,0\n3,4,0\n"),
    "a quote without end": content('1,2,0\n1,"2,0\n1,2,0\n'),
    "a quote in a cell": content('1,2,0\n1,"2"3,0\n'),
    "latin-1": content("a,b,label\n1,2,é\n".encode("latin-1")),
    "utf-16": content("1,2,0\n1,2,1\n".encode("utf-16")),
    "binary": content(bytes(range(256))),
    "NUL": content("1,2,0\n1,\0,1\n"),
    "a command": content(f"1,2,0\n{EVIL},2,1\n"),
    "a long cell": content("1," + "2" * 200_000 + ",0\n"),
    "a long text": content("1," + "x" * 100_000 + ",0\n"),
    "a line of megabytes": content("1," * (1 << 20) + "0\n"),
    "commas": content("," * (1 << 19) + "\n"),
    "an npz": content(archive({"x.npy": npy(X), "y.npy": npy(Y)})),
    "JSON": content('[{"a": 1, "label": 0}]'),
    "a hole of 64 MiB": lambda p: (p.touch(), os.truncate(p, 1 << 26)),
    "a hole of 1 GiB": lambda p: (p.touch(), os.truncate(p, 1 << 30)),
    "a folder": lambda p: p.mkdir(),
    "a pipe": lambda p: os.mkfifo(p),
    "a dangling link": lambda p: p.symlink_to("nowhere"),
    "a link to a device": lambda p: p.symlink_to("/dev/zero"),
}
"""As --data, for a name that ends in .csv: all of them exit code 2."""

LIBSVM: dict[str, Write] = {
    "empty": content(b""),
    "a comment alone": content("# none\n"),
    "labels alone": content("1\n0\n"),
    "a table": content("1,2,0\n3,4,1\n"),
    "no place": content("1 :2\n0 1:2\n"),
    "no value": content("1 1:\n0 1:2\n"),
    "no label": content("1:2\n"),
    "a query": content("1 qid:3 1:2\n0 1:2\n"),
    "two labels": content("1,2 1:2\n0 1:2\n"),
    "a place below 0": content("1 -1:2\n0 1:2\n"),
    "a place twice": content("1 1:2 1:3\n0 1:2\n"),
    "places fall": content("1 2:2 1:3\n0 1:2\n"),
    "a place of 10^18": content(f"1 {10**18}:2\n0 1:2\n"),
    "a place of many digits": content("1 " + "9" * 5000 + ":2\n0 1:2\n"),
    "zeros of gigabytes": content("1 1000000:1\n" * 1000),
    "NaN": content("1 1:nan\n0 1:2\n"),
    "infinity": content("inf 1:1\n0 1:2\n"),
    "one line": content("1 1:2\n"),
    "binary": content(bytes(range(256))),
    "a command": content(f"1 {EVIL}\n"),
    "a line of megabytes": content("1" + " 1:1" * (1 << 19) + "\n"),
    "a folder": lambda p: p.mkdir(),
    "a pipe": lambda p: os.mkfifo(p),
}
"""As --data, for a name that ends in .libsvm."""


def _in_folder(**members: bytes | None) -> Write:
    """A folder with these .npy files, None: a folder of that name."""

    def write(path: Path) -> None:
        path.mkdir()
        for name, member in members.items():
            inside = path / f"{name}.npy"
            inside.mkdir() if member is None else inside.write_bytes(member)

    return write


FOLDERS: dict[str, Write] = {
    "empty": _in_folder(),
    "x alone": _in_folder(x=npy(X)),
    "y short": _in_folder(x=npy(X), y=npy(Y[:9])),
    "x a folder": _in_folder(x=None, y=npy(Y)),
    "x text": _in_folder(x=b"no array", y=npy(Y)),
    "x cut": _in_folder(x=npy(X)[:-5], y=npy(Y)),
    "x header 6 GiB": _in_folder(x=headed(said(f"({6 << 28}, 4)")), y=npy(Y)),
    "x objects": _in_folder(x=headed(said("(10, 4)", "'|O'")), y=npy(Y)),
    "x an npz": _in_folder(x=archive({"x.npy": npy(X)}), y=npy(Y)),
}
"""As --data: folders."""

_STATE = {"W1": np.zeros((4, 3), np.float32), "b1": np.zeros(3, np.float32)}


def state_but(**arrays: Any) -> Write:
    """Weights, but for these."""
    return holding(**{**_STATE, **arrays})


WEIGHTS: dict[str, Write] = {
    **{name: DATA[name] for name in (
        "empty", "text", "npy", "pickle", "cut in half", "encrypted", "unknown packing",
        "zlib error", "wrong checksum", "directory says 4 GiB", "bomb", "x twice",
        "x no array", "header 6 GiB", "header deep", "objects", "structures", "a folder",
        "a pipe", "a dangling link", "a link to a device",
    )},
    "a tensor too many": state_but(W2=np.zeros(3, np.float32)),
    "a tensor missing": holding(W1=_STATE["W1"]),
    "float64": state_but(W1=np.zeros((4, 3))),
    "integers": state_but(b1=np.zeros(3, int)),
    "another shape": state_but(W1=np.zeros((3, 4), np.float32)),
    "NaN": state_but(b1=np.full(3, np.nan, np.float32)),
    "texts": state_but(b1=np.array(["a", "b", "c"])),
}  # fmt: skip
"""As --init, for tensors W1 [4, 3] and b1 [3]."""

JSON: dict[str, Write] = {
    "empty": content(b""),
    "cut": content("{"),
    "no JSON": content("result = 1"),
    "a list": content("[]"),
    "null": content("null"),
    "another schema": content('{"schema": 99}'),
    "deep lists": content("[" * DEEP),
    "deep tables": content('{"a":' * DEEP),
    "a byte order mark": content(b"\xef\xbb\xbf{}"),
    "latin-1": content('{"a": "é"}'.encode("latin-1")),
    "utf-16": content('{"schema": 1}'.encode("utf-16")),
    "binary": content(bytes(range(256))),
    "NaN": content('{"schema": 1, "steps": NaN}'),
    "digits without end": content('{"schema": 1, "steps": ' + "9" * 10_000 + "}"),
    "beyond floats": content('{"schema": 1, "steps": 1e999}'),
    "a folder": lambda p: p.mkdir(),
    "a pipe": lambda p: os.mkfifo(p),
    "a link to a device": lambda p: p.symlink_to("/dev/zero"),
}
"""As run.json, or demo.json."""

LINES: dict[str, Write] = {
    "no JSON": content("{\n"),
    "a list": content("[1]\n"),
    "deep": content("[" * DEEP + "\n"),
    "binary": content(bytes(range(256)) + b"\n"),
    "no step": content('{"digest": null, "loss": 1, "correct": true}\n'),
    "a step -1": content('{"step": -1, "digest": null, "loss": 1, "correct": true}\n'),
    "a step 2^70": content(
        f'{{"step": {2**70}, "digest": null, "loss": 1, "correct": true}}\n'
    ),
    "a digest of numbers": content(
        '{"step": 0, "digest": 7, "loss": 1, "correct": true}\n'
    ),
    "a loss of texts": content(
        '{"step": 0, "digest": null, "loss": "1", "correct": true}\n'
    ),
    "a label of lists": content(
        '{"step": 0, "digest": null, "loss": 1, "correct": true, "label": [1]}\n'
    ),
    "health of texts": content(
        '{"step": 0, "digest": null, "loss": 1, "correct": true, "health": {"angle": "x"}}\n'
    ),
    "a line of megabytes": content("{" + " " * (3 << 20) + "\n"),
}
"""As metrics.jsonl."""

TOML: dict[str, Write] = {
    "no TOML": content("= 1"),
    "cut": content('name = "a'),
    "deep lists": content("a = " + "[" * DEEP),
    "deep tables": content("a = " + "{a = " * DEEP),
    "a byte order mark": content(b"\xef\xbb\xbfname = 'a'"),
    "latin-1": content("name = 'é'".encode("latin-1")),
    "utf-16": content("name = 'a'".encode("utf-16")),
    "binary": content(bytes(range(256))),
    "an unknown key": content("nmae = 'a'"),
    "a key that is a command": content(f"{json.dumps(EVIL)} = 1"),
    "digits without end": content("steps = " + "9" * 10_000),
    "a date": content("name = 1979-05-27"),
    "a list": content("name = [1, 2]"),
    "infinity": content("lr = inf"),
    "not a number": content("lr = nan"),
    "twice": content("name = 'a'\nname = 'b'"),
    "a folder": lambda p: p.mkdir(),
    "a pipe": lambda p: os.mkfifo(p),
    "a dangling link": lambda p: p.symlink_to("nowhere"),
    "a link to a device": lambda p: p.symlink_to("/dev/zero"),
}
"""As an experiment, a sweep, a demo, a bench, a tuned file, a baseline."""

ALL = {
    "data": DATA, "tables": TABLES, "libsvm": LIBSVM, "folders": FOLDERS,
    "weights": WEIGHTS, "JSON": JSON, "lines": LINES, "TOML": TOML,
}  # fmt: skip

if __name__ == "__main__":
    for kind, cases in ALL.items():
        print(f"{kind:8} {len(cases)}")
