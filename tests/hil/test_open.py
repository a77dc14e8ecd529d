"""A device in a Python program: what it learns, tells and refuses, and that what it
says is held against the reference."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hil
from emulation.faults import Line
from hil import Experiment, OpenDevice
from hil.errors import (
    DataError,
    DeviceFault,
    Divergence,
    HilError,
    Interrupted,
    LinkError,
    UsageError,
)
from hil.lesson.preparing import prepare
from hil.measuring.lying_device import Lie, LyingLine

pytestmark = pytest.mark.usefixtures("host_cc")

DIGITS = prepare(Experiment(network=(64, 17, 10))).dataset
X, Y = DIGITS.train_x, DIGITS.train_y
PAGE = Path(__file__).parents[2] / "docs" / "python.md"
SMALL = {
    "network": "64-17-10", "target": "host", "dtype": np.uint8, "scale": 16,
}  # fmt: skip


@pytest.fixture
def small(folder: Path) -> Callable[..., OpenDevice]:
    """Opens a small network on the host, with these keys besides."""
    return lambda *source, **keys: hil.open(*source, **{**SMALL, "out": folder, **keys})


def lying(*lies: Lie) -> Callable[[Line], Line]:
    """What a line is seen through whose device tells these."""
    return lambda line: LyingLine(line, lies)


# -- learning


def test_it_learns_what_a_run_learns_of_the_same_samples(
    small: Callable[..., OpenDevice], folder: Path
) -> None:
    asked = Experiment(target="host", network=(64, 17, 10), steps=60, test=20)
    lesson = prepare(asked)
    x, y = zip(*map(lesson.sample, range(60)), strict=True)
    with small() as device:
        device.partial_fit(x[:30], y[:30])
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
    small: Callable[..., OpenDevice], folder: Path
) -> None:
    with small() as device:
        device.set_weights({"b1": np.full(17, 0.25)})
        device.partial_fit(X[:40], Y[:40] % 3 + 1)  # no class 0
    record = device.record
    assert json.loads((record.folder / "run.json").read_text())["learned"] == 40
    again = hil.run(record.folder / "experiment.toml", out=folder)
    assert (again.result, again.digest) == ("pass", record.digest)


@pytest.mark.parametrize("target", ["qemu-rv64gcv", "mps2-an386"])
def test_an_emulated_device_is_taught_in_the_same_way(
    small: Callable[..., OpenDevice], qemu64: str, qemu_arm: str, target: str
) -> None:
    digests = []
    for name in (target, "host"):
        with small(target=name) as device:
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


def test_targets_and_samples_can_be_learned(small: Callable[..., OpenDevice]) -> None:
    with small(goal="vector", network="64-5-2", output="identity", lr=0.01) as device:
        device.partial_fit(X[:20], np.stack([Y[:20], -Y[:20]], axis=1))
        assert device.predict(X[:3]).shape == (3, 2)
        device.score(X[:20], np.stack([Y[:20], -Y[:20]], axis=1))
    assert device.record.residuals is not None
    with small(goal="sample", network="64-5-64") as device:
        device.partial_fit(X[:20])
    assert device.record.result == "pass"


def test_the_learning_rate_is_the_callers(small: Callable[..., OpenDevice]) -> None:
    with small(lr=0.5) as device:
        device.partial_fit(X[:2], Y[:2])
        before = device.weights()
        device.partial_fit(X[2:4], Y[2:4], lr=0.125)
        assert device.history["eta"].tolist() == [0.5, 0.5, 0.125, 0.125]
        assert (device.weights()["W2"] != before["W2"]).any()


@pytest.mark.parametrize("kept", [{"commit": 16}, {}], ids=["checkpoints", "nothing"])
def test_a_device_that_loses_its_power_goes_on_from_what_was_set(
    small: Callable[..., OpenDevice], kept: dict[str, Any]
) -> None:
    with small(**kept, faults="cut=0.03,seed=3") as device:
        device.set_weights({"b1": np.ones(17)})
        for first in range(0, 120, 10):
            device.partial_fit(X[first : first + 10], Y[first : first + 10])
        with pytest.raises(UsageError, match="lost its power"):
            device.set_weights({"b1": np.zeros(17)})
    assert device.record.result == "pass" and device.record.link["recovered"]


# -- what it has learned


def test_outputs_become_classes_and_shares(small: Callable[..., OpenDevice]) -> None:
    with small() as device:
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


@pytest.mark.parametrize("rule", ["dfa", "fg-weight"])
def test_weights_go_out_and_in_between_steps(
    small: Callable[..., OpenDevice], rule: str
) -> None:
    with small(rule=rule) as device:
        device.partial_fit(X[:20], Y[:20])
        kept, outputs = device.weights(), device.infer(X[:4])
        device.partial_fit(X[20:40], Y[20:40])
        device.set_weights({name: kept[name].astype(np.float64) for name in kept})
        assert np.array_equal(device.infer(X[:4]), outputs)
        device.partial_fit(X[:5], Y[:5])
        assert device.memory["bytes"][device.memory["name"] == "W1"] == 64 * 17 * 4
    assert (device.record.result, device.record.compared) == ("pass", 45)


def test_it_goes_on_from_a_file_and_from_a_runs_checkpoint(
    small: Callable[..., OpenDevice], folder: Path, tmp_path: Path
) -> None:
    file = str(tmp_path / "w.npz")
    flash = str(tmp_path / "flash.bin")
    with small(save=file, flash=flash) as device:
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


# -- what differs, and what breaks off


@pytest.mark.parametrize(
    "lie",
    [
        Lie("step", "tail[0]", "a bit", 8),
        Lie("step", "tail[1]", "plus 1", 12),
        Lie("step", "tail[-1]", "a bit", 19),
    ],
    ids=str,
)
def test_a_lie_about_a_step_is_found_where_it_is_told(
    small: Callable[..., OpenDevice], lie: Lie
) -> None:
    with (
        pytest.raises(Divergence, match=f"differ at step {lie.which}"),
        small(through=lying(lie)) as device,
    ):
        device.partial_fit(X[:20], Y[:20])
        pytest.fail("the lie was believed")
    record = json.loads((device.record.folder / "run.json").read_text())
    assert (record["result"], record["exit_code"]) == ("fail", 1)
    assert record["divergence"]["step"] == lie.which


@pytest.mark.parametrize(
    ("lie", "ask"),
    [
        (Lie("infer", "tail[-1]", "a bit"), lambda device: device.predict(X[:3])),
        (Lie("infer", "tail[0]", "zero"), lambda device: device.score(X[:3], Y[:3])),
        (Lie("read", "tail[0]", "a bit"), lambda device: device.weights()),
        (Lie("digest", "digest", "a bit"), lambda device: device.weights()),
        (Lie("digest", "digest", "a bit"), lambda device: device.close()),
    ],
)
def test_a_lie_about_what_was_learned_is_found(
    small: Callable[..., OpenDevice], lie: Lie, ask: Callable[[OpenDevice], Any]
) -> None:
    device = small(through=lying(lie)).partial_fit(X[:9], Y[:9])
    with pytest.raises((Divergence, LinkError)):
        ask(device)
    with pytest.raises((Divergence, LinkError)):
        device.close()
    assert device.record.result in ("fail", "error")


def test_a_lie_about_a_state_that_was_set_is_found(
    small: Callable[..., OpenDevice],
) -> None:
    device = small(through=lying(Lie("init", "digest", "a bit", 2)))
    with pytest.raises(Divergence):
        device.set_weights({"b1": np.ones(17)})
    with pytest.raises(Divergence):
        device.close()


def test_a_state_that_has_changed_between_steps_is_found(
    small: Callable[..., OpenDevice],
) -> None:
    device = small().partial_fit(X[:9], Y[:9])
    inside = device._life.device
    inside.write(inside.plan.tensor("b1"), np.ones(17, np.float32))
    with pytest.raises(Divergence, match=r"step 9 \(state\), b1\[0\]"):
        device.weights()
    with pytest.raises(Divergence):
        device.close()


def test_a_difference_that_was_caught_ends_the_session_all_the_same(
    small: Callable[..., OpenDevice],
) -> None:
    device = small(through=lying(Lie("step", "tail[0]", "a bit", 3)))
    with pytest.raises(Divergence), device:
        with pytest.raises(Divergence):
            device.partial_fit(X[:9], Y[:9])
        with pytest.raises(UsageError, match="has ended: device and reference differ"):
            device.predict(X[:9])
    assert device.record.result == "fail"


def test_an_exception_in_the_block_is_told_by_the_record(
    small: Callable[..., OpenDevice],
) -> None:
    with pytest.raises(ZeroDivisionError), small() as device:
        device.partial_fit(X[:9], Y[:9])
        _ = 1 / 0
    record = json.loads((device.record.folder / "run.json").read_text())
    assert (record["result"], record["learned"]) == ("error", 9)
    assert (
        "ended with ZeroDivisionError('division by zero')"
        in record["error"]["sentence"]
    )


def test_ctrl_c_in_the_block_is_told_by_the_record(
    small: Callable[..., OpenDevice],
) -> None:
    with pytest.raises(KeyboardInterrupt), small() as device:
        device.partial_fit(X[:9], Y[:9])
        raise KeyboardInterrupt
    assert device.record.exit_code == Interrupted.exit_code


def test_a_fault_of_the_device_ends_it(small: Callable[..., OpenDevice]) -> None:
    loud = np.full((1, 64), 3e38, np.float32)
    device = small(dtype=np.float32, scale=None, activation="identity")
    with pytest.raises(DeviceFault), device:
        device.partial_fit(loud, [1])
    assert device.record.exit_code == DeviceFault.exit_code


@pytest.mark.parametrize("asked", [{"compare": "none"}, {}])
def test_what_compared_no_step_does_not_pass(
    small: Callable[..., OpenDevice], asked: dict[str, Any]
) -> None:
    with small(**asked) as device:
        if asked:
            device.partial_fit(X[:9], Y[:9])
        device.predict(X[:9])
    assert device.record.result == "fail"
    assert "nothing was compared" in device.record.error["sentence"]  # type: ignore[index]


# -- what it refuses


def refusals() -> dict[str, tuple[Callable[[OpenDevice], Any], str]]:
    """What is asked, and what is said."""
    half = np.full((2, 64), 0.5)
    return {
        "width": (
            lambda d: d.partial_fit(X[:2, :9], Y[:2]),
            "x has 9 numbers a sample",
        ),
        "type": (lambda d: d.partial_fit(half, Y[:2]), "not all uint8"),
        "one sample": (lambda d: d.predict(X[0]), r"x is uint8 \[64\]"),
        "NaN": (lambda d: d.infer(half * np.nan), "non-finite"),
        "label": (
            lambda d: d.partial_fit(X[:2], [0, 10]),
            "label 10: expected .* 0 to 9",
        ),
        "labels": (lambda d: d.partial_fit(X[:2], [0]), "x has 2 samples, but y has 1"),
        "no labels": (lambda d: d.partial_fit(X[:2]), "y is missing"),
        "rate": (lambda d: d.partial_fit(X[:2], Y[:2], lr=-1), "lr is -1"),
        "tensor": (lambda d: d.set_weights({"W3": half}), "'W3': expected 'W1'"),
        "shape": (lambda d: d.set_weights({"W1": half}), "W1 is float64"),
        "weights": (lambda d: d.set_weights({"b1": np.full(17, np.inf)}), "non-finite"),
        "flash": (lambda d: d.commit(), r"commit\(\) needs flash"),
        "no test": (lambda d: d.score(X[:0], Y[:0]), "one sample at least"),
    }


def test_what_does_not_fit_is_refused_and_it_goes_on(
    small: Callable[..., OpenDevice],
) -> None:
    with small() as device:
        for ask, said in refusals().values():
            with pytest.raises((UsageError, DataError), match=said):
                ask(device)
        device.partial_fit(X[:3], Y[:3])
    assert (device.record.result, device.record.learned) == ("pass", 3)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"network": None}, "neither a network nor data"),
        ({"dtype": np.float64}, "dtype is 'float64': samples travel as uint8"),
        ({"steps": 5}, "has steps, a key of a run"),
        ({"rul": "bp"}, "unknown key 'rul'"),
        ({"data": "digits"}, "dtype or scale is given, and data too"),
    ],
)
def test_what_cannot_be_opened_is_refused(
    small: Callable[..., OpenDevice], folder: Path, keys: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        small(**keys)
    assert not folder.exists()


def test_a_file_without_weights_is_no_source(
    small: Callable[..., OpenDevice], tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", x=X[:9].astype(np.float32))
    with pytest.raises(UsageError, match="holds no weights"):
        hil.open(tmp_path / "data.npz")


def test_nothing_is_asked_of_a_device_that_was_closed(
    small: Callable[..., OpenDevice],
) -> None:
    device = small()
    device.step(X[0], Y[0])
    device.close()
    assert device.record.result == "pass"
    assert len(device.history["loss"]) == 1 and "1 steps" in repr(device)
    with pytest.raises(HilError, match="has ended"):
        device.predict(X[:1])
    device.close()
