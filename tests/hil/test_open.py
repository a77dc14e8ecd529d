"""A device in a Python program: what it learns and tells (docs/python.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hil
from hil import Experiment, OpenDevice
from hil.errors import (
    UsageError,
)
from hil.lesson.preparing import prepare
from tests.hil.conftest import DIGITS

pytestmark = pytest.mark.usefixtures("host_cc")

X, Y = DIGITS.train_x, DIGITS.train_y
ROOT = Path(__file__).parents[2]
PAGE, NOTEBOOK = ROOT / "docs" / "python.md", ROOT / "examples" / "device.ipynb"


# -- learning


def test_it_learns_what_a_run_learns_of_the_same_samples(
    opens: Callable[..., OpenDevice], folder: Path
) -> None:
    asked = Experiment(target="host", network=(64, 17, 10), steps=60, test=20)
    lesson = prepare(asked)
    x, y = zip(*map(lesson.sample, range(60)), strict=True)
    with opens() as device:
        device.partial_fit(x[:30], y[:30])
        assert device.record.learned == 30
        told = [device.step(*sample) for sample in zip(x[30:33], y[30:33], strict=True)]
        device.partial_fit(np.array(x[33:], np.float64), np.array(y[33:], np.int16))
        score = device.score(DIGITS.test_x[:20], DIGITS.test_y[:20])
    ran = hil.run(asked, out=folder)
    record = device.record
    assert (record.result, record.compared, record.steps) == ("pass", 60, 60)
    assert record.digest == ran.digest
    assert score == ran.accuracy["test"] == record.accuracy["test"]
    for name, values in ran.history().items():
        assert np.array_equal(
            record.history()[name], values, equal_nan=values.dtype.kind == "f"
        )
    assert [one.step for one in told] == [30, 31, 32]
    assert told[0].outputs is not None and told[0].predicted == told[0].outputs.argmax()


def test_its_folder_is_that_of_a_run_which_can_be_done_again(
    opens: Callable[..., OpenDevice], folder: Path
) -> None:
    with opens() as device:
        device.set_weights({"b1": np.full(17, 0.25)})
        device.partial_fit(X[:40], Y[:40] % 3 + 1)  # no class 0
    record = device.record
    assert json.loads((record.folder / "run.json").read_text())["learned"] == 40
    again = hil.run(record.folder / "experiment.toml", out=folder)
    assert (again.result, again.digest) == ("pass", record.digest)


@pytest.mark.parametrize("target", ["qemu-rv64gcv", "mps2-an386"])
def test_an_emulated_device_is_taught_in_the_same_way(
    opens: Callable[..., OpenDevice], qemu64: str, qemu_arm: str, target: str
) -> None:
    digests = []
    for name in (target, "host"):
        with opens(target=name) as device:
            device.partial_fit(X[:20], Y[:20])
            device.predict(X[20:25])
            device.weights()
        digests.append(device.record.digest)
    assert device.record.result == "pass" and digests[0] == digests[1]


def test_the_lines_of_the_page_work(
    qemu64: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = re.search(r"\n\n((?:    .*\n)+)", PAGE.read_text("utf-8"))
    assert code is not None
    lines = [line[4:] for line in code[1].splitlines()]
    assert len(lines) <= 10
    known: dict[str, Any] = {}
    exec("\n".join(lines), known)
    record = known["device"].record
    assert (record.result, record.compared) == ("pass", 1000)
    assert record.accuracy["test"] > 0.8 and "W2" in known["weights"]


def test_the_notebook_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    known: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), known)
            assert cell["outputs"] == []
    assert known["device"].record.result == "pass"


def test_targets_and_samples_can_be_learned(opens: Callable[..., OpenDevice]) -> None:
    with opens(goal="vector", network="64-5-2", output="identity", lr=0.01) as device:
        device.partial_fit(X[:20], np.stack([Y[:20], -Y[:20]], axis=1))
        assert device.predict(X[:3]).shape == (3, 2)
        device.score(X[:20], np.stack([Y[:20], -Y[:20]], axis=1))
    assert device.record.residuals is not None
    with opens(goal="sample", network="64-5-64") as device:
        device.partial_fit(X[:20])
    assert device.record.result == "pass"


def test_the_learning_rate_is_the_callers(opens: Callable[..., OpenDevice]) -> None:
    with opens(lr=0.5) as device:
        device.partial_fit(X[:2], Y[:2])
        before = device.weights()
        device.partial_fit(X[2:4], Y[2:4], lr=0.125)
        assert device.history["eta"].tolist() == [0.5, 0.5, 0.125, 0.125]
        assert (device.weights()["W2"] != before["W2"]).any()


@pytest.mark.parametrize("kept", [{"commit": 16}, {}], ids=["checkpoints", "nothing"])
def test_a_device_that_loses_its_power_goes_on_from_what_was_set(
    opens: Callable[..., OpenDevice], kept: dict[str, Any]
) -> None:
    with opens(**kept, faults="cut=0.03,seed=3") as device:
        device.set_weights({"b1": np.ones(17)})
        for first in range(0, 120, 10):
            device.partial_fit(X[first : first + 10], Y[first : first + 10])
        with pytest.raises(UsageError, match="lost its power"):
            device.set_weights({"b1": np.zeros(17)})
    assert device.record.result == "pass" and device.record.link["recovered"]


# -- what it has learned


def test_outputs_become_classes_and_shares(opens: Callable[..., OpenDevice]) -> None:
    with opens() as device:
        device.partial_fit(X[:50], Y[:50])
        outputs, shares = device.infer(X[:5]), device.predict_proba(X[:5])
        assert outputs.dtype == np.float32
        assert device.predict(X[:5]).tolist() == outputs.argmax(axis=1).tolist()
        assert np.allclose(shares.sum(axis=1), 1) and (shares >= 0).all()


def test_classes_have_the_names_that_the_data_give_them(folder: Path) -> None:
    names = np.array([f"digit {y}" for y in Y[:80]])
    np.savez(folder.parent / "named.npz", x=X[:80], y=names)
    data = str(folder.parent / "named.npz")
    with hil.open(target="host", data=data, network="64-10", out=folder) as device:
        device.partial_fit(X[:80], names)
        assert set(device.predict(X[:9])) <= set(names)
        assert device.score(X[:80], names) > 0.1


def test_arrays_say_what_samples_are(folder: Path) -> None:
    x, y = X[:60].astype(np.int64), Y[:60] % 3 + 1
    with hil.open(target="host", data=(x, y), out=folder) as device:
        device.partial_fit(x, y)
        assert set(device.predict(x)) <= {"1", "2", "3"}
    assert device.record.network == (64, 128, 3)
    assert device.record.result == "pass"


@pytest.mark.parametrize("rule", ["dfa", "fg-weight"])
def test_weights_go_out_and_in_between_steps(
    opens: Callable[..., OpenDevice], rule: str
) -> None:
    with opens(rule=rule) as device:
        device.partial_fit(X[:20], Y[:20])
        kept, outputs = device.weights(), device.infer(X[:4])
        device.partial_fit(X[20:40], Y[20:40])
        device.set_weights({name: kept[name].astype(np.float64) for name in kept})
        assert np.array_equal(device.infer(X[:4]), outputs)
        device.partial_fit(X[:5], Y[:5])
        assert device.memory["bytes"][device.memory["name"] == "W1"] == 64 * 17 * 4
    assert (device.record.result, device.record.compared) == ("pass", 45)


def test_it_goes_on_from_a_file_and_from_a_runs_checkpoint(
    opens: Callable[..., OpenDevice], folder: Path, tmp_path: Path
) -> None:
    file = str(tmp_path / "w.npz")
    flash = str(tmp_path / "flash.bin")
    with opens(save=file, flash=flash) as device:
        device.partial_fit(X[:20], Y[:20])
        committed = device.commit()
    assert f"{committed.digest:08x}" == device.record.digest
    known = {"target": "host", "out": folder}
    for source in (file, device.record.folder):
        form = {"dtype": "uint8", "scale": 16} if source == file else {}
        with hil.open(source, **known, **form) as again:
            assert all(
                np.array_equal(value, np.load(file)[name])
                for name, value in again.weights().items()
            )
            again.partial_fit(X[:5], Y[:5])
        assert again.record.result == "pass"
