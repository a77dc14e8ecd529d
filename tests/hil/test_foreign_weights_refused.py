"""Files of other programs that are wrong, or made to harm, end in one sentence.

More than 400 lines, because each format has its table of files that are wrong.
"""

from __future__ import annotations

import gzip
import io
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pytest
import skops.io
from onnx import numpy_helper
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from codegen.spec import Inputs
from hil.cli import main
from hil.errors import DataError
from hil.lesson import foreign
from tests.hil.trained import B1, DUMPS, GEMM, MATMUL, THREE, TORCH, X, model, spec

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
"""A few steps of training do not converge."""


@pytest.fixture(scope="module")
def classifier() -> MLPClassifier:
    return MLPClassifier((5, 6), max_iter=9, random_state=1).fit(X, THREE)


class Evil:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("suffix", [".joblib", ".pkl", ".pt"])
def test_nothing_in_a_pickle_is_done(tmp_path: Path, suffix: str) -> None:
    path, done = tmp_path / f"mine{suffix}", tmp_path / "done"
    program = pickle.dumps({"0.weight": Evil(done), "0.bias": 0})
    if suffix == ".pt":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("mine/data.pkl", program)
    else:
        path.write_bytes(program)
    with pytest.raises(DataError):
        foreign.load(str(path), spec(4, 3))
    assert not done.exists()
    pickle.loads(program)
    assert done.exists()  # as it is for who does what the pickle says


def spoilt(classifier: MLPClassifier, **attributes: Any) -> MLPClassifier:
    """The same, with other attributes."""
    made = pickle.loads(pickle.dumps(classifier))
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def words(*parts: bytes) -> bytes:
    """A pickle of these words."""
    return b"\x80\x04" + b"".join(parts) + b"."


SHARED = b")q\0" + b"h\0h\0\x86q\0" * 16
"""The words of a tuple that has itself twice, and so on: long when it is written."""


def array(
    element: bytes = b"\x8c\x02f8",
    order: bytes = b"\x8c\x01<",
    shape: bytes = b"K\x01\x85",
    data: bytes = b"C\x08" + bytes(8),
) -> bytes:
    """The words of numpy's array, as protocol 5 has it."""
    made = b"cnumpy\ndtype\n" + element + b"\x85R(K\x03" + order + b"tb"
    return (
        b"cnumpy._core.numeric\n_frombuffer\n(" + data + made + shape + b"\x8c\x01CtR"
    )


def large(word: bytes, use: bytes) -> bytes:
    """A pickle of 2 MiB, which are made 33 times."""
    return words(
        word, (2 << 20).to_bytes(4, "little"), bytes(2 << 20), b"q\0", use * 33
    )


PICKLES = {
    "empty": (b"", "as a pickle"),
    "text": (b"hello, I am no pickle", "as a pickle"),
    "no stop": (b"\x80\x04]", "as a pickle"),
    "stack empty": (words(b"R"), "more from its stack than there is"),
    "a mark too few": (words(b"u"), "damaged"),
    "memo of 2^31": (words(b"r\xff\xff\xff\x7f"), "damaged"),
    "text of 4 GiB": (words(b"X\xff\xff\xff\xff"), "as a pickle"),
    "words without end": (b"\x80\x04" + b"]" * 200_010, "more than 200,000 words"),
    "deep keys": (words(b"}", b")" + b"\x85" * 90_000, b"Ns"), "neither a text nor"),
    "deep": (words(b")" + b"\x85" * 90_000), "holds a tuple"),
    "another class": (pickle.dumps(StandardScaler()), "holds a StandardScaler"),
    "a number": (pickle.dumps(7), "holds a int"),
    "packed": (gzip.compress(pickle.dumps(7)), "packed by gzip"),
    "an extension": (words(b"\x82\x01"), "as a pickle|no weights need"),
    "a large element": (words(SHARED, array(element=b"h\0")), "uses a tuple as if it were a str"),
    "a large order": (words(SHARED, array(order=b"h\0")), "an unknown byte order"),
    "an order that is Python": (words(array(order=b"\x8c\x03(,)")), "an unknown byte order"),
    "a large shape": (words(SHARED, array(element=b"\x8c\x02O8", shape=b"h\0")), "no list of lengths"),
    "five axes": (words(array(shape=b"(" + b"K\x01" * 5 + b"t")), "no list of lengths"),
    "a length of 2^31": (words(array(shape=b"\x8a\x05\0\0\0\x80\0\x85")), "no list of lengths"),
    "a large name": (words(SHARED, b"\x8c\x01a\x93"), "uses a tuple as if it were a str"),
    "a list of arguments": (words(b"ca\nb\n](NNeR"), "uses a list as if it were a tuple"),
    "a text of arguments": (words(b"ca\nb\n\x8c\x02abR"), "uses a str as if it were a tuple"),
    "a text made bytes": (large(b"X", b"c_codecs\nencode\nh\0\x8c\x06latin1\x86R"), "more than 64 MiB"),
    "an order turned": (large(b"B", array(order=b"\x8c\x01>", shape=b"J\0\0\x04\0\x85", data=b"h\0")), "more than 64 MiB"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "says"), PICKLES.values(), ids=PICKLES)
def test_a_pickle_that_is_wrong_is_refused(
    tmp_path: Path, data: bytes, says: str
) -> None:
    (tmp_path / "mine.joblib").write_bytes(data)
    with pytest.raises(DataError, match=rf"mine\.joblib' .*({says})") as caught:
        foreign.load(str(tmp_path / "mine.joblib"), spec(4, 3))
    assert len(str(caught.value)) < 1000


ESTIMATORS: dict[str, tuple[dict[str, Any], str]] = {
    "NaN": ({"intercepts_": [np.full(5, np.nan), np.zeros(6), np.zeros(3)]}, "not finite"),
    "too large": ({"intercepts_": [np.full(5, 1e39), np.zeros(6), np.zeros(3)]}, "not finite"),
    "integers": ({"intercepts_": [np.zeros(5, int), np.zeros(6), np.zeros(3)]}, "int64"),
    "complex": ({"intercepts_": [np.zeros(5, complex), np.zeros(6), np.zeros(3)]}, "complex128|'c16'"),
    "another shape": ({"intercepts_": [np.zeros(5), np.zeros(5), np.zeros(3)]}, r"\[5, 6\] and biases \[5\]"),
    "a layer missing": ({"coefs_": [np.zeros((4, 5))], "intercepts_": [np.zeros(5)]}, "network 4-5, softmax"),
    "biases missing": ({"intercepts_": [np.zeros(5)]}, "3 coefs_ and 1 intercepts_"),
    "layers apart": ({"coefs_": [np.zeros((4, 5)), np.zeros((6, 6)), np.zeros((6, 3))]}, "5 outputs, but"),
    "no layer": ({"coefs_": [], "intercepts_": []}, "no dense layer"),
    "no arrays": ({"coefs_": [1, 2, 3]}, "no array"),
    "an activation": ({"activation": "gelu"}, "gelu"),
    "an output": ({"out_activation_": "logistic"}, "sigmoid"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".skops", ".joblib", ".pickle"])
@pytest.mark.parametrize(("attributes", "says"), ESTIMATORS.values(), ids=ESTIMATORS)
def test_an_estimator_that_is_wrong_is_refused(
    tmp_path: Path,
    classifier: MLPClassifier,
    attributes: dict[str, Any],
    says: str,
    suffix: str,
) -> None:
    path = tmp_path / f"mine{suffix}"
    DUMPS[suffix](spoilt(classifier, **attributes), path)
    with pytest.raises(DataError, match=f"mine{suffix}'.*({says})"):
        foreign.load(str(path), spec(4, 5, 6, 3))


def test_an_estimator_that_has_learned_nothing_is_refused(tmp_path: Path) -> None:
    for suffix, dump in DUMPS.items():
        dump(MLPClassifier(), tmp_path / f"mine{suffix}")
        with pytest.raises(DataError, match="without weights"):
            foreign.load(str(tmp_path / f"mine{suffix}"), spec(4, 3))


def test_a_pipeline_is_refused_with_what_would_be_lost(
    tmp_path: Path, classifier: MLPClassifier
) -> None:
    joblib.dump(make_pipeline(StandardScaler(), classifier), tmp_path / "mine.joblib")
    with pytest.raises(DataError, match="holds a Pipeline") as caught:
        foreign.load(str(tmp_path / "mine.joblib"), spec(4, 3))
    assert "a scaler" in caught.value.hints[0]


def test_another_network_is_told_with_the_flags_that_ask_for_it(
    tmp_path: Path, classifier: MLPClassifier
) -> None:
    skops.io.dump(classifier, tmp_path / "mine.skops")
    with pytest.raises(
        DataError, match="4-5-6-3, relu, softmax: expected 4-3"
    ) as caught:
        foreign.load(str(tmp_path / "mine.skops"), spec(4, 3))
    flags = "--network 4-5-6-3 --activation relu --output softmax"
    assert caught.value.hints[0].startswith(flags)


def with_member(name: str, data: bytes | None) -> bytes:
    """PyTorch's file, with another member of this name, or none."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(TORCH) as file,
        zipfile.ZipFile(made, "w") as other,
    ):
        for one in file.infolist():
            if one.filename.partition("/")[2] != name:
                other.writestr(one.filename, file.read(one))
        if data is not None:
            other.writestr(f"{file.namelist()[0].partition('/')[0]}/{name}", data)
    return made.getvalue()


def described(old: bytes, new: bytes) -> bytes:
    """PyTorch's file, described otherwise."""
    with zipfile.ZipFile(TORCH) as file:
        (name,) = (one for one in file.namelist() if one.endswith("data.pkl"))
        before = file.read(name)
    assert old in before
    return with_member("data.pkl", before.replace(old, new, 1))


STATE_DICTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "as .pt"),
    "cut": (lambda: TORCH.read_bytes()[:700], "as .pt"),
    "no description": (lambda: with_member("data.pkl", None), "no data.pkl"),
    "no storage": (lambda: with_member("data/1", None), "no '.*data/1'"),
    "a short storage": (lambda: with_member("data/0", bytes(76)), "19 elements"),
    "a torn storage": (lambda: with_member("data/0", bytes(77)), "buffer size"),
    "NaN": (lambda: with_member("data/1", b"\xff" * 20), "not finite"),
    "integers": (lambda: described(b"FloatStorage", b"LongStorage"), "torch.LongStorage"),
    "a bias missing": (lambda: described(b"0.bias", b"0.bits"), "followed by '0.bits'"),
    "an offset": (lambda: described(b"QK\x00K\x05K\x04", b"QK\x09K\x05K\x04"), "20 elements"),
    "strides": (lambda: described(b"K\x04K\x01\x86", b"K\xffK\x01\x86"), "20 elements"),
    "a shape": (lambda: described(b"K\x05K\x04\x86", b"K\x04K\x05\x86"), "4 outputs|biases|20 elements"),
    "another function": (lambda: described(b"_rebuild_tensor_v2", b"_rebuild_tensor_v9"), "_rebuild"),
    "a module": (lambda: with_member("data.pkl", pickle.dumps(StandardScaler())), "holds a sklearn"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "says"), STATE_DICTS.values(), ids=STATE_DICTS)
def test_a_state_dict_that_is_wrong_is_refused(
    tmp_path: Path, make: Callable[[], bytes], says: str
) -> None:
    (tmp_path / "mine.pt").write_bytes(make())
    with pytest.raises(DataError, match=rf"mine\.pt'.*({says})"):
        foreign.load(str(tmp_path / "mine.pt"), spec(4, 5, 3, activation="tanh"))


@pytest.mark.parametrize("shape", [b"M\0\x04M\0\x04\x86", b"K\x01K\x01\x86"])
def test_an_archive_is_not_unpacked_without_limit(tmp_path: Path, shape: bytes) -> None:
    """18 tensors, of 4 MiB or of one element, each with a storage of 4 MiB: one that all
    share, or their own."""
    path, own = tmp_path / "mine.pt", shape.startswith(b"K")
    keys = [b"%02d" % (n * own) for n in range(18)]
    names = [b"%d.%s" % (n // 2, (b"weight", b"bias")[n % 2]) for n in range(18)]
    tensors = (
        b"\x8c%c%s" % (len(name), name)
        + b"ctorch._utils\n_rebuild_tensor_v2\n((Nctorch\nFloatStorage\n\x8c\x02"
        + key + b"NNtQK\0" + shape + b"M\0\x04K\x01\x86tR"
        for name, key in zip(names, keys, strict=True)
    )  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("mine/data.pkl", words(b"}(", *tensors, b"u"))
        for key in set(keys):
            file.writestr(f"mine/data/{key.decode()}", bytes(4 << 20))
    with pytest.raises(DataError, match=r"mine\.pt' unpacks to more than 64 MiB"):
        foreign.load(str(path), spec(4, 3))


def test_an_array_too_large_is_not_unpacked(
    tmp_path: Path, classifier: MLPClassifier
) -> None:
    skops.io.dump(classifier, tmp_path / "good.skops")
    begins = io.BytesIO()
    large = {"descr": "<f8", "fortran_order": False, "shape": (4096, 4096)}
    np.lib.format.write_array_header_1_0(begins, large)
    path = tmp_path / "mine.skops"
    with zipfile.ZipFile(tmp_path / "good.skops") as file, zipfile.ZipFile(path, "w") as out:  # fmt: skip
        for name in file.namelist():
            array = name.endswith(".npy")
            out.writestr(name, begins.getvalue() if array else file.read(name))
    with pytest.raises(DataError, match=r"mine\.skops' unpacks to more than 64 MiB"):
        foreign.load(str(path), spec(4, 3))


def test_numbers_of_another_order_of_bytes_are_the_same(tmp_path: Path) -> None:
    """In PyTorch's file, and in one of joblib."""
    of = spec(4, 5, 3, activation="tanh")
    good = foreign.load(str(TORCH), of)
    swapped = with_member("byteorder", b"big")
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(swapped)) as file,
        zipfile.ZipFile(made, "w") as out,
    ):
        for one in file.infolist():
            data = file.read(one)
            if "/data/" in one.filename:
                data = np.frombuffer(data, "<f4").byteswap().tobytes()
            out.writestr(one.filename, data)
    (tmp_path / "mine.pt").write_bytes(made.getvalue())
    other = foreign.load(str(tmp_path / "mine.pt"), of)
    assert all(np.array_equal(good[name], other[name]) for name in good)


def external() -> Any:
    made = model(GEMM)
    (tensor,) = (one for one in made.graph.initializer if one.name == "V1")
    onnx.external_data_helper.set_external_data(tensor, "../../etc/passwd")
    tensor.ClearField("raw_data")
    return made


def short_tensor() -> Any:
    made = model(GEMM)
    made.graph.initializer[-1].raw_data = b"\0" * 7
    return made


def without_output() -> Any:
    made = model((("Constant", [], "c", {"value": numpy_helper.from_array(B1)}), *GEMM))
    made.graph.node[0].ClearField("output")
    return made


def repeated() -> Any:
    """A layer of 2 MiB, 33 times."""
    nodes = [("Gemm", [f"h{n}", "W1", "b1"], f"h{n + 1}") for n in range(33)]
    first = ("Identity", ["x"], "h0")
    return model((first, *nodes), "h33", W1=np.zeros((512, 1024), np.float32))


MODELS: dict[str, tuple[Callable[[], Any], str]] = {
    "an activation": (lambda: model((GEMM[0], ("Elu", ["a"], "h"), *GEMM[2:])), "'Elu': expected some of Gemm"),
    "two activations": (lambda: model((GEMM[0], GEMM[1], ("Tanh", ["h"], "hh"), ("Gemm", ["hh", "W2", "b2"], "p"))), "follows no dense layer"),
    "no biases": (lambda: model((("MatMul", ["x", "W1"], "p"),)), "no Add of biases"),
    "biases computed": (lambda: model((("Gemm", ["x", "V1", "x"], "p"),)), "no constant as its input 2"),
    "alpha": (lambda: model((("Gemm", ["x", "W1", "b1"], "p", {"alpha": 0.5}),)), "alpha 0.5: expected 1.0"),
    "transA": (lambda: model((("Gemm", ["x", "W1", "b1"], "p", {"transA": 1}),)), "transA 1: expected 0"),
    "not transposed": (lambda: model((("Gemm", ["x", "V1", "b1"], "p"),)), r"weights \[5, 4\] and biases \[5\]"),
    "beside the path": (lambda: model((*GEMM[:2], ("Gemm", ["x", "W1", "b1"], "p"))), "beside the path"),
    "the end missing": (lambda: model(GEMM[:2], out="p"), "not that of its last"),
    "elsewhere": (external, "in another file"),
    "damaged": (short_tensor, "damaged"),
    "integers": (lambda: model(GEMM, b1=np.zeros(5, np.int32)), "int32"),
    "NaN": (lambda: model(GEMM, b1=np.full(5, np.nan, np.float32)), "not finite"),
    "no layer": (lambda: model((("Relu", ["x"], "p"),)), "follows no dense layer"),
    "a layer missing": (lambda: model((GEMM[2],), out="z"), "beside the path"),
    "a constant of nothing": (lambda: model((("Constant", [], "c"), *GEMM)), "a Constant with 0 attributes and 1 outputs"),
    "a constant for nothing": (without_output, "a Constant with 1 attributes and 0 outputs"),
    "MatMul of one": (lambda: model((("MatMul", ["x"], "p"),)), "MatMul of 'x' has no constant as its input 1"),
    "Add of one": (lambda: model((*MATMUL[:2], ("Add", ["m"], "p"))), "Add of 'm' has no constant as its input 1"),
    "a bias of samples": (lambda: model(MATMUL, b2=np.zeros((3, 1), np.float32)), r"'W2' has biases \[3, 1\]: expected \[outputs\]"),
    "a layer many times": (repeated, "more than 64 MiB"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "says"), MODELS.values(), ids=MODELS)
def test_a_model_that_is_wrong_is_refused(
    tmp_path: Path, make: Callable[[], Any], says: str
) -> None:
    (tmp_path / "mine.onnx").write_bytes(make().SerializeToString())
    with pytest.raises(DataError, match=rf"mine\.onnx'.*({says})"):
        foreign.load(str(tmp_path / "mine.onnx"), spec(4, 5, 3, activation="tanh"))


@pytest.mark.parametrize("suffix", foreign.SUFFIXES)
def test_what_is_no_file_of_its_name_ends_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    """Exit code 2, before there is a run."""
    (tmp_path / f"mine{suffix}").write_bytes(bytes(range(256)))
    command = ["run", "--target", "host", "--out", str(tmp_path / "runs"), "--init"]
    for name in ("mine", "missing"):
        assert main([*command, str(tmp_path / f"{name}{suffix}")]) == 2
        said = capsys.readouterr().err
        assert said.count("hil: ") == 1 and f"{name}{suffix}" in said
    assert not (tmp_path / "runs").exists()


def test_integers_are_not_made_of_floats(
    tmp_path: Path, classifier: MLPClassifier
) -> None:
    skops.io.dump(classifier, tmp_path / "mine.skops")
    of = replace(spec(4, 5, 6, 3), inputs=Inputs(), format="i16")
    with pytest.raises(DataError, match="format i16"):
        foreign.load(str(tmp_path / "mine.skops"), of)


def changed(data: bytes, choose: random.Random) -> bytes:
    """The same, with a byte or two changed, left out or doubled."""
    made = bytearray(data)
    for _ in range(choose.choice((1, 1, 2, 4))):
        at, some = choose.randrange(len(made)), choose.randrange(1, 9)
        how = choose.randrange(3)
        new = (
            bytes([choose.choice((0, 1, 128, 255))]),
            b"",
            bytes(made[at : at + some]),
        )
        made[at : at + (some if how == 1 else how == 0)] = new[how]
    return bytes(made)


def repacked(data: bytes, choose: random.Random) -> bytes:
    """An archive, the description in it changed and its checksum right."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as file, zipfile.ZipFile(made, "w") as out:
        for name in file.namelist():
            member = file.read(name)
            described = name.endswith(("data.pkl", "schema.json"))
            out.writestr(name, changed(member, choose) if described else member)
    return made.getvalue()


def test_a_file_that_is_changed_is_read_or_refused(
    tmp_path: Path, classifier: MLPClassifier
) -> None:
    files = {".pt": TORCH.read_bytes(), ".onnx": model(GEMM).SerializeToString()}
    for suffix, dump in DUMPS.items():
        dump(classifier, tmp_path / f"good{suffix}")
        files[suffix] = (tmp_path / f"good{suffix}").read_bytes()
    choose, read = random.Random(5), 0
    for count in range(300):
        suffix = choose.choice(list(files))
        change = repacked if suffix in (".pt", ".skops") and count % 3 else changed
        path = tmp_path / f"mine{suffix}"
        path.write_bytes(change(files[suffix], choose))
        of = spec(4, 5, 6, 3) if suffix in DUMPS else spec(4, 5, 3, activation="tanh")
        try:
            foreign.load(str(path), of)
            read += 1
        except DataError as error:
            assert len(str(error)) < 1000
    assert 20 < read < 200
