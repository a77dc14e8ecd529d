"""A device in a Python program: what it says is held against the reference, what breaks
off is told by the record, and what does not fit is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hil
from emulation.faults import Line
from hil import OpenDevice
from hil.errors import (
    DataError,
    DeviceFault,
    Divergence,
    HilError,
    Interrupted,
    LinkError,
    UsageError,
)
from hil.measuring.lying_device import Lie, LyingLine
from tests.hil.conftest import DIGITS

pytestmark = pytest.mark.usefixtures("host_cc")

X, Y = DIGITS.train_x, DIGITS.train_y


def lying(*lies: Lie) -> Callable[[Line], Line]:
    """What a line is seen through whose device tells these."""
    return lambda line: LyingLine(line, lies)


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
    opens: Callable[..., OpenDevice], lie: Lie
) -> None:
    # a frame a step: how many share one depends on what the line has lost
    with (
        pytest.raises(Divergence, match=f"differ at step {lie.which}"),
        opens(through=lying(lie), samples_per_frame=1) as device,
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
    opens: Callable[..., OpenDevice], lie: Lie, ask: Callable[[OpenDevice], Any]
) -> None:
    device = opens(through=lying(lie)).partial_fit(X[:9], Y[:9])
    with pytest.raises((Divergence, LinkError)):
        ask(device)
    with pytest.raises((Divergence, LinkError)):
        device.close()
    assert device.record.result in ("fail", "error")


def test_a_lie_about_a_state_that_was_set_is_found(
    opens: Callable[..., OpenDevice],
) -> None:
    device = opens(through=lying(Lie("init", "digest", "a bit", 2)))
    with pytest.raises(Divergence):
        device.set_weights({"b1": np.ones(17)})
    with pytest.raises(Divergence):
        device.close()


def test_a_state_that_has_changed_between_steps_is_found(
    opens: Callable[..., OpenDevice],
) -> None:
    device = opens().partial_fit(X[:9], Y[:9])
    inside = device._life.device
    inside.write(inside.plan.tensor("b1"), np.ones(17, np.float32))
    with pytest.raises(Divergence, match=r"step 9 \(state\), b1\[0\]"):
        device.weights()
    with pytest.raises(Divergence):
        device.close()


def test_a_difference_that_was_caught_ends_the_session_all_the_same(
    opens: Callable[..., OpenDevice],
) -> None:
    device = opens(through=lying(Lie("step", "tail[0]", "a bit", 3)))
    with pytest.raises(Divergence), device:
        with pytest.raises(Divergence):
            device.partial_fit(X[:9], Y[:9])
        with pytest.raises(UsageError, match="has ended: device and reference differ"):
            device.predict(X[:9])
    assert device.record.result == "fail"


def test_an_exception_in_the_block_is_told_by_the_record(
    opens: Callable[..., OpenDevice],
) -> None:
    with pytest.raises(ZeroDivisionError), opens() as device:
        device.partial_fit(X[:9], Y[:9])
        _ = 1 / 0
    record = json.loads((device.record.folder / "run.json").read_text())
    assert (record["result"], record["learned"]) == ("error", 9)
    assert (
        "ended with ZeroDivisionError('division by zero')"
        in record["error"]["sentence"]
    )


def test_ctrl_c_in_the_block_is_told_by_the_record(
    opens: Callable[..., OpenDevice],
) -> None:
    with pytest.raises(KeyboardInterrupt), opens() as device:
        device.partial_fit(X[:9], Y[:9])
        raise KeyboardInterrupt
    assert device.record.exit_code == Interrupted.exit_code


def test_a_fault_of_the_device_ends_it(opens: Callable[..., OpenDevice]) -> None:
    loud = np.full((1, 64), 3e38, np.float32)
    device = opens(dtype=np.float32, scale=None, activation="identity")
    with pytest.raises(DeviceFault), device:
        device.partial_fit(loud, [1])
    assert device.record.exit_code == DeviceFault.exit_code


@pytest.mark.parametrize("asked", [{"compare": "none"}, {}])
def test_what_compared_no_step_does_not_pass(
    opens: Callable[..., OpenDevice], asked: dict[str, Any]
) -> None:
    with opens(**asked) as device:
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
        "ragged": (lambda d: d.predict([[1, 2], [3]]), "x holds lists of several len"),
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
    opens: Callable[..., OpenDevice],
) -> None:
    with opens() as device:
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
        ({"data": "digits"}, "dtype and scale beside data"),
    ],
)
def test_what_cannot_be_opened_is_refused(
    opens: Callable[..., OpenDevice], folder: Path, keys: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        opens(**keys)
    assert not folder.exists()


def test_a_file_without_weights_is_no_source(
    opens: Callable[..., OpenDevice], tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", x=X[:9].astype(np.float32))
    with pytest.raises(UsageError, match="holds no weights"):
        hil.open(tmp_path / "data.npz")


def test_nothing_is_asked_of_a_device_that_was_closed(
    opens: Callable[..., OpenDevice],
) -> None:
    device = opens()
    device.step(X[0], Y[0])
    device.close()
    assert device.record.result == "pass"
    assert len(device.history["loss"]) == 1 and "1 steps" in repr(device)
    with pytest.raises(HilError, match="has ended"):
        device.predict(X[:1])
    device.close()


def test_a_program_that_ends_closes_its_device(folder: Path) -> None:
    program = (
        "import hil\n"
        "x = hil.datasets.load('digits')\n"
        f"device = hil.open(network='64-17-10', target='host', dtype='uint8', scale=16, out={str(folder)!r})\n"
        "device.partial_fit(x.train_x[:3], x.train_y[:3])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (record,) = folder.glob("*/run.json")
    told = json.loads(record.read_text("utf-8"))
    assert (told["result"], told["compared"]) == ("pass", 3)


def test_a_lie_about_the_first_state_is_found_before_anything_is_learned(
    opens: Callable[..., OpenDevice], folder: Path
) -> None:
    with pytest.raises(Divergence, match="differ"):
        opens(through=lying(Lie("init", "digest", "a bit", 0)))
    (path,) = folder.glob("*/run.json")
    record = json.loads(path.read_text())
    assert (record["result"], record["learned"]) == ("fail", 0)


def test_targets_that_do_not_fit_are_refused(opens: Callable[..., OpenDevice]) -> None:
    with opens(goal="vector", network="64-17-2", output="identity") as device:
        for y, said in (
            ([["a", "b"]], "expected numbers"),
            ([[1.0, 2.0, 3.0]], r"y is float64 \[1, 3\]"),
            ([[1.0, np.inf]], "not finite"),
        ):
            with pytest.raises(UsageError, match=said):
                device.partial_fit(X[:1], y)
        with pytest.raises(UsageError, match="goal is 'vector': expected classes"):
            device.predict_proba(X[:1])
        device.partial_fit(X[:1], [[1.0, 2.0]])
    with opens(goal="sample", network="64-17-64") as device:
        with pytest.raises(UsageError, match="expected x alone"):
            device.partial_fit(X[:1], Y[:1])
        device.partial_fit(X[:1])
    assert device.record.result == "pass"


def test_softmax_outputs_are_the_shares(opens: Callable[..., OpenDevice]) -> None:
    with opens(output="softmax") as device:
        device.step(X[0], Y[0])
        assert (device.predict_proba(X[:3]) == device.infer(X[:3])).all()


def test_an_experiment_and_its_file_say_what_samples_are(
    folder: Path, tmp_path: Path
) -> None:
    asked = hil.Experiment(target="host", network="64-10", commit=3)
    path = tmp_path / "asked.toml"
    path.write_text(asked.to_toml())
    digests = set()
    for source in (asked, path):
        with hil.open(source, out=folder, compare="none") as device:
            device.partial_fit(X[:9], Y[:9])
            assert set(device.weights()) == {"W1", "b1"}
            device.commit()
        digests.add(device.record.digest)
    assert len(digests) == 1


def test_constants_and_a_scale_together_are_refused() -> None:
    ones = np.ones(64, np.float32)
    with pytest.raises(
        DataError, match="a scale, and offset and divisor: expected one"
    ):
        hil.open(
            target="host", network="64-10", offset=0 * ones, divisor=ones, scale=2.0
        )
