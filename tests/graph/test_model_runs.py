"""hil run --model: test samples through a model as it is, and a record of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from codegen.reference import graph as twin
from hil.cli import main
from hil.data import datasets
from hil.errors import DataError, ModelError, UsageError
from hil.experiment import Experiment
from hil.inferring import evaluation, running, session
from hil.inferring.evaluation import Evaluation, prepare
from hil.learning.progress import Progress
from hil.lesson import preparing
from hil.records.record import EXPERIMENT

from .conftest import PLACE, graph, places

NAME = "ptq_mnist_lenet-300-100"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first digits that test, as a file."""
    read = datasets.load("mnist")
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    few = {"x": read.test_x, "y": read.test_y}
    tests = {f"{name}_test": part[:40] for name, part in few.items()}
    np.savez(path, x=few["x"][:4], y=few["y"][:4], **tests, scale=np.float32(255))
    return path


def command(digits: Path, out: Path, *more: str) -> int:
    what = ("--model", str(places()[NAME]), "--data", str(digits), "--target", "host")
    return main(["run", *what, "--out", str(out), *more])


def record(out: Path) -> dict[str, Any]:
    (path,) = out.glob("*/run.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def asked(name: str = NAME, **keys: Any) -> Evaluation:
    return prepare(Experiment(target="host", model=str(places()[name]), **keys))


def test_every_sample_is_compared_and_the_accuracy_is_the_twins(
    digits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(digits, tmp_path, "--test", "30") == 0
    told = capsys.readouterr().out
    with np.load(digits) as stored:
        x, y = stored["x_test"][:30], stored["y_test"][:30]
    model = graph(NAME)
    given = [row.astype(np.float32) / np.float32(255) for row in x]
    shape, last = model.inputs[0].shape, model.outputs[0].index
    made = [twin.run(model, [row.reshape(shape)])[last] for row in given]
    share = float(np.mean([one.argmax() for one in made] == y))
    assert share > 0.9
    assert "PASS: 30 of 30 samples bit-exact, digest" in told
    assert f"test accuracy {share:.2%} (30 of 40), model {NAME} on" in told
    found = record(tmp_path)
    assert (found["compared"], found["learned"], found["rule"]) == (30, 0, "none")
    assert found["accuracy"]["test"] == found["accuracy"]["prequential"] == share
    lines = (Path(found["folder"]) / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in lines] == y.tolist()
    again = str(Path(found["folder"]) / EXPERIMENT)
    assert main(["run", again, "--out", str(tmp_path / "again")]) == 0
    assert record(tmp_path / "again")["digest"] == found["digest"]
    runs = [found["folder"], record(tmp_path / "again")["folder"]]
    assert main(["compare", *runs]) == 0
    assert main(["report", found["folder"]]) == 0
    assert "EQUAL: the outputs agree" in capsys.readouterr().out


@pytest.mark.full
@pytest.mark.parametrize("target", ["qemu-rv64gcv", "mps2-an386"])
def test_other_machines_give_the_same_outputs(
    digits: Path, tmp_path: Path, target: str
) -> None:
    for name in ("host", target):
        assert command(digits, tmp_path / name, "--target", name, "--test", "4") == 0
    assert record(tmp_path / "host")["digest"] == record(tmp_path / target)["digest"]


def test_a_sample_that_differs_ends_the_run_and_is_no_pass(
    digits: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin is made another model's from the third sample on."""
    honest, calls = running.check.outputs, []

    def wrong(*given: Any) -> list[np.ndarray]:
        calls.append(1)
        (made,) = honest(*given)
        return [np.nextafter(made, np.float32(9)) if len(calls) > 2 else made]

    monkeypatch.setattr(running.check, "outputs", wrong)
    assert command(digits, tmp_path, "--test", "9") == 1
    seen = capsys.readouterr()
    assert (
        "device and reference differ at step 2 (test), out0[0, 0]: device" in seen.err
    )
    assert "1 ulp apart" in seen.err
    assert "FAIL: 2 of 9 samples bit-exact" in seen.out and "accuracy" not in seen.out
    found = record(tmp_path)
    assert (found["result"], found["exit_code"], found["compared"]) == ("fail", 1, 2)
    assert (Path(found["folder"]) / "divergence.npz").is_file()


def test_a_record_has_the_model_that_ran_also_where_its_file_changes(
    digits: Path, tmp_path: Path
) -> None:
    """Between the reading of it and the run."""
    path, whole = tmp_path / f"{NAME}.tflite", places()[NAME].read_bytes()
    path.write_bytes(whole)
    keys = {"target": "host", "model": str(path), "data": str(digits), "test": 1}
    prepared = prepare(Experiment(**keys))
    path.write_bytes(places()["simple_mnist"].read_bytes())
    done = session.carried_out(prepared, tmp_path / "runs", Progress())
    assert done.record.result == "pass"
    kept = (done.record.folder / path.name).read_bytes()
    assert crc32(kept) == crc32(whole)


def test_a_sample_is_given_by_the_models_own_scale(tmp_path: Path) -> None:
    """As whoever made the cases quantised it: real MFCCs of ten words."""
    files = [PLACE / "inputs" / "kws_mfcc" / f"{k}.f32le.bin" for k in range(10)]
    x = np.stack([np.fromfile(path, "<f4") for path in files])
    path, y = tmp_path / "words.npz", np.arange(10)
    np.savez(path, x=x, y=y, x_test=x, y_test=y, scale=np.float32(1))
    made = [sample for sample, _ in asked("kws_ref_model", data=str(path)).samples]
    with np.load(PLACE / "golden" / "kws_ref_model.npz") as stored:
        assert np.array_equal(np.stack(made), stored["in0"].reshape(-1, 1, 49, 10, 1))


def test_outputs_that_are_not_the_classes_have_no_accuracy(
    digits: Path, tmp_path: Path
) -> None:
    """Twelve labels, and ten outputs; or fewer labels, and a model that ends with
    softmax."""
    with np.load(digits) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for most, classifies in ((11, False), (9, True), (1, True)):
        arrays["y_test"] = np.arange(40) % (most + 1)
        arrays["y"] = np.arange(4) % (most + 1)
        path = tmp_path / f"{most}.npz"
        np.savez(path, **arrays)
        assert asked(data=str(path)).classifies is classifies


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"rule": "bp"}, "rule is 'bp' and model is .* expected one of them"),
        ({"lr": 0.5}, "lr is 0.5 and model is .* expected one of them"),
        ({"compare": "none"}, "compare is 'none' and model is"),
        ({"test": 0}, "expected at least one sample"),
        ({"faults": "cut=0.1"}, "expected no power cut"),
        ({"data": "digits"}, "takes samples of 784 numbers, .* has samples of 64"),
        ({"data": "hapt"}, "says what a device makes of a sample|has samples of 768"),
    ],
)
def test_what_a_model_as_it_is_has_no_use_for_is_refused(
    digits: Path, keys: dict[str, Any], said: str
) -> None:
    with pytest.raises((UsageError, DataError), match=said):
        asked(**{"data": str(digits), **keys})


def test_what_learns_takes_no_model_as_it_is(digits: Path) -> None:
    with pytest.raises(
        UsageError, match="learns nothing, and `hil run` alone takes it"
    ):
        preparing.prepare(Experiment(model=str(places()[NAME]), data=str(digits)))


def test_a_model_of_several_inputs_takes_no_samples() -> None:
    several = graph(NAME)
    several = type(several)(
        several.size, several.tensors, several.operators, several.inputs * 2,
        several.outputs,
    )  # fmt: skip
    with pytest.raises(ModelError, match="takes 2 inputs: expected one"):
        evaluation._require_samples("two.tflite", several, datasets.load("digits"))


def test_nothing_is_resumed(digits: Path, tmp_path: Path) -> None:
    assert command(digits, tmp_path, "--resume", "--flash", str(tmp_path / "f")) == 2
