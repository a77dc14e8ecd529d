"""Whole runs on the host target: the record tells what happened."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.delays import Delays
from codegen.reference import Learner
from codegen.spec import Inputs, Network, RuleChoice, Spec
from emulation.faults import Line, PassThrough
from hil import Experiment, run
from hil.errors import (
    DataError,
    DeviceFault,
    FirmwareMismatch,
    HilError,
    Interrupted,
    OverBudget,
    PortMissing,
    StorageError,
)
from hil.learning import ending
from hil.learning.progress import Progress
from hil.learning.session import Session
from hil.lesson.preparing import prepare
from targets.signals import held

pytestmark = pytest.mark.usefixtures("host_cc")
ROOT = Path(__file__).parents[2]


def run_json(folder: Path) -> dict[str, Any]:
    """The record in the only run folder there is."""
    (only,) = folder.iterdir()
    return json.loads((only / "run.json").read_text())  # type: ignore[no-any-return]


@pytest.mark.parametrize("console", ["socket", "pty"])
def test_a_run_passes_and_leaves_its_folder(
    small: Experiment, folder: Path, console: str
) -> None:
    record = run(small.override({"console": console}), out=folder)
    assert (record.result, record.exit_code, record.compared) == ("pass", 0, 60)
    document = run_json(folder)
    assert document == json.loads(json.dumps(record.to_json()))
    names = {path.name for path in record.folder.iterdir()}
    assert names == {
        "run.json", "metrics.jsonl", "experiment.toml", "console.bin",
        "generated", "image", "firmware", "image.elf", "first_layer.npz",
    }  # fmt: skip
    lines = [
        json.loads(line)
        for line in (record.folder / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == list(range(60))
    assert lines[-1]["digest"] == record.digest
    assert lines[-1]["prequential"] == record.accuracy["prequential"]
    assert (record.folder / "generated" / "net.h").is_file()
    assert (record.folder / "console.bin").stat().st_size > 0


def test_the_accuracies_are_those_of_the_reference(
    small: Experiment, folder: Path
) -> None:
    """Counted once more: of each sample before it is learned, and of the tests."""
    record, lesson = run(small, out=folder), prepare(small)
    learner, data = Learner(lesson.spec), lesson.dataset
    before = []
    for step in range(lesson.steps):
        sample, label = lesson.sample(step)
        before.append(learner.step(sample, label, lesson.eta(step)).p.argmax() == label)
    after = [
        learner.infer(sample).argmax() == label
        for sample, label in zip(data.test_x[:20], data.test_y[:20], strict=True)
    ]
    assert record.accuracy["prequential"] == sum(before) / 60
    assert (record.accuracy["tested"], record.accuracy["test"]) == (20, sum(after) / 20)


@pytest.mark.parametrize(
    "change",
    [
        {"samples_per_frame": 1, "window": 1},
        {"samples_per_frame": 7, "window": 3, "steps": 61},
        {"compare": 16},
        {"rule": "bp"},
        {"parameters": {"feedback": "uniform"}},
        {"network": (64, 1, 10), "activation": "relu", "output": "softmax"},
        {"network": (64, 10), "output": "identity"},
        {"steps": 1440, "test": 0},
    ],
)
def test_runs_of_every_shape_pass(
    small: Experiment, folder: Path, change: dict[str, Any]
) -> None:
    record = run(small.override(change), out=folder)
    assert record.result == "pass" and record.compared == record.steps


def test_the_effective_experiment_does_the_same_run_again(
    small: Experiment, folder: Path
) -> None:
    first = run(small.override({"seed": 9}), out=folder)
    again = run(first.folder / "experiment.toml", out=folder)
    assert again.digest == first.digest
    assert again.experiment == first.experiment
    assert again.folder != first.folder


def test_learned_weights_go_out_and_come_in(
    small: Experiment, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "weights.npz"
    first = run(small.override({"save": str(path)}), out=folder)
    with np.load(path) as file:
        assert file.files == ["W1", "b1", "W2", "b2"]
    second = run(small.override({"init": str(path), "steps": 30}), out=folder)
    assert second.result == "pass" and second.digest != first.digest
    change = {"init": str(path), "steps": 30, "compare": "none"}
    assert run(small.override(change), out=folder).digest == second.digest
    np.savez(path, W1=np.zeros((3, 3), np.float32))
    with pytest.raises(DataError, match="holds W1: expected W1, b1, W2, b2") as told:
        run(small.override({"init": str(path), "name": "other"}), out=folder)
    assert told.value.exit_code == 2
    assert not [*folder.glob("*-other")], "it was found before there was a run"


class FrameByFrame(PassThrough):
    """A line that brings no more than one frame at a time."""

    def __init__(self, inner: Line) -> None:
        super().__init__(inner)
        self._come: deque[bytes] = deque()
        self._rest = b""

    def pump(self, limit: float) -> bytes:
        *whole, self._rest = (self._rest + super().pump(limit)).split(b"\0")
        self._come += filter(None, whole)
        return b"\0" + self._come.popleft() + b"\0" if self._come else b""


def test_counted_instructions_are_told_for_every_step_and_repeat(
    qemu64: str, small: Experiment, folder: Path
) -> None:
    """Also where the last count comes late."""
    asked = small.override({"target": "qemu-rv64gc", "icount": True, "steps": 25})
    again = Session(prepare(asked), folder, Progress(), through=FrameByFrame)
    again.run()
    first, second = run(asked, out=folder), again.record
    told = [
        [json.loads(line)["instructions"] for line in path.read_text().splitlines()]
        for path in (record.folder / "metrics.jsonl" for record in (first, second))
    ]
    assert told[0] == told[1] and all(told[0]) and len(told[0]) == 25
    assert first.instructions_per_step == sum(told[0]) / 25
    assert first.provenance["instructions_per_step"] == "counted"


def test_a_run_that_compared_nothing_fails(small: Experiment, folder: Path) -> None:
    record = run(small.override({"compare": "none"}), out=folder)
    assert (record.result, record.exit_code, record.compared) == ("fail", 1, 0)
    assert record.learned == 60


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"ram": 1024}, OverBudget),
        ({"unit": "/dev/ttyNOSUCH7"}, PortMissing),
        ({"lr": 1e30, "activation": "identity", "output": "identity"}, DeviceFault),
    ],
)
def test_a_failure_is_raised_and_recorded(
    small: Experiment, folder: Path, change: dict[str, Any], error: type[HilError]
) -> None:
    with pytest.raises(error) as caught:
        run(small.override(change), out=folder)
    document = run_json(folder)
    assert (document["result"], document["exit_code"]) == ("error", error.exit_code)
    assert document["error"]["sentence"] == str(caught.value)
    assert caught.value.hints


class Breaking(Progress):
    """One that fails when it is told of the plan."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def stage(self, name: str, told: str) -> None:
        if name == "plan":
            raise self._error


@pytest.mark.parametrize(
    ("error", "raised", "sentence"),
    [
        (ValueError("a defect"), ValueError, "internal error: ValueError('a defect')"),
        (OSError(errno.ENODEV, "gone"), OSError, "internal error: OSError(19, 'gone')"),
        (OSError(errno.ENOSPC, "full"), StorageError, "the disk is full"),
    ],
    ids=str,
)
def test_what_nobody_expected_leaves_a_record_all_the_same(
    small: Experiment, folder: Path, error: Exception, raised: type[Exception],
    sentence: str,
) -> None:  # fmt: skip
    with pytest.raises(raised):
        run(small, out=folder, progress=Breaking(error))
    (made,) = folder.glob("*/run.json")
    record = json.loads(made.read_text())
    assert record["result"] == "error"
    assert sentence in record["error"]["sentence"]


def test_both_sides_stop_at_the_same_non_finite_value(
    small: Experiment, folder: Path
) -> None:
    change = {"lr": 1e30, "activation": "identity", "output": "identity"}
    with pytest.raises(DeviceFault, match="non-finite activation or delta") as caught:
        run(small.override(change), out=folder)
    assert "the reference stops at the same step" in caught.value.hints


@pytest.mark.parametrize("rule", ["ncm", "slda"])
def test_weights_that_are_made_of_counts_have_not_run_away(rule: str) -> None:
    """A covariance of few samples is nearly singular, and the weights of slda are made
    of its inverse."""
    said: dict[str, str] = {}

    class Heard(Progress):
        def stage(self, name: str, text: str) -> None:
            said[name] = text

    network = Network((3, 2), output="softmax")
    learner = Learner(Spec(network, rule=RuleChoice(rule), inputs=Inputs("f32", 1.0)))
    learner.state["b1"][:] = 2.7e7
    ending.warn_of_size(learner, Heard())
    assert not said


def test_counts_and_bits_of_whole_numbers_are_no_weights() -> None:
    """Spikes of 32 ticks are the bits of a word."""
    said: list[str] = []

    class Heard(Progress):
        def stage(self, name: str, text: str) -> None:
            said.append(name)

    front = Inputs("u8", 1.0, front=Delays(2, 1, 8))
    learner = Learner(Spec(Network((8, 2)), inputs=front))
    learner.state["past"][:] = 2**31
    ending.warn_of_size(learner, Heard())
    assert not said


def test_a_run_whose_weights_explode_says_so(small: Experiment, folder: Path) -> None:
    said: list[tuple[str, str]] = []

    class Heard(Progress):
        def stage(self, name: str, text: str) -> None:
            said.append((name, text))

    run(small.override({"lr": 1e30}), out=folder, progress=Heard())
    told = dict(said)
    assert "learning has run away" in told["weights"] and "--lr" in told["hint"]
    said.clear()
    run(small, out=folder, progress=Heard())
    assert "weights" not in dict(said)


def test_a_device_that_goes_on_where_the_reference_stops_has_failed(
    small: Experiment, folder: Path, mutate: Callable[[str, str, str], None]
) -> None:
    """Pre-activations overflow, and a device that does not look makes ones of them."""
    finite = "+ 0x00800000U;"
    mutate("hil_finite__scalar.h.j2", finite, "+ 0x007fffffU;")
    record = run(small.override({"lr": 1e38, "compare": 16}), out=folder)
    assert (record.result, record.exit_code) == ("fail", 1)
    assert record.divergence is not None
    assert record.divergence["when"] == "step"
    assert "the reference met a non-finite h1" in record.divergence["note"]


def test_a_unit_with_another_image_is_refused(
    board: Callable[[Experiment], Any], small: Experiment, folder: Path
) -> None:
    url = board(small.override({"network": (64, 16, 10)})).url
    with pytest.raises(FirmwareMismatch, match="the device runs build"):
        run(small.override({"unit": url}), out=folder)
    assert run_json(folder)["exit_code"] == 6


def test_a_unit_with_the_image_is_taught_over_a_faulty_line(
    board: Callable[[Experiment], Any], small: Experiment, folder: Path
) -> None:
    change = {"unit": board(small).url, "faults": "drop=0.05,flip=0.0003,seed=3"}
    record = run(small.override(change), out=folder)
    clean = run(small, out=folder)
    assert record.result == "pass" and record.digest == clean.digest
    assert record.link["resent"] > 0 and clean.link["damaged"] == 0


def test_a_signal_before_the_walk_begins_keeps_the_record(
    small: Experiment, folder: Path, ctrl_c_is_heard: None
) -> None:
    with held() as hold:
        session = Session(prepare(small), folder, Progress())
        os.kill(os.getpid(), signal.SIGINT)
        session.run(hold)
    assert isinstance(session.failure, Interrupted)
    document = run_json(folder)
    assert (document["result"], document["exit_code"]) == ("error", 130)


@pytest.mark.usefixtures("ctrl_c_is_heard")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_in_the_middle_keeps_the_record(
    folder: Path, number: signal.Signals, code: int
) -> None:
    """Run as a command: the signal comes once the first steps are reported."""
    command = [sys.executable, "-m", "hil", "run", "--target", "host"]
    with subprocess.Popen(
        [*command, "--epochs", "900", "--out", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("learn"):
                process.send_signal(number)
                break
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    document = run_json(folder)
    assert (document["result"], document["exit_code"]) == ("error", code)
    assert 0 < document["compared"] == document["learned"]
    assert out.splitlines()[-1].startswith(f"ERROR {code}: {document['compared']} of")
