"""The claim holds behind a reservoir: on every machine, also without an FPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil import Experiment, run
from hil import open as open_device
from hil.errors import UsageError
from hil.lesson.preparing import data_for, prepare

FLOATS = ("host", "qemu-rv64gcv", "netduinoplus2")
INTEGERS = ("host", "qemu-rv64gcv", "microbit")


@pytest.mark.parametrize(
    ("front", "network", "targets", "more"),
    [
        ("echo,cells=24", "96-10", FLOATS, {}),
        (
            "liquid,cells=24,segments=2,homeostasis=0.1",
            "48-10",
            INTEGERS,
            {"format": "i16"},
        ),
    ],
)
def test_every_machine_hears_the_same(
    tmp_path: Path, qemu64: str, qemu_arm: str,
    front: str, network: str, targets: tuple[str, ...], more: dict[str, str],
) -> None:  # fmt: skip
    asked = Experiment(
        rule="bp", front=front, network=network, steps=24, test=12, **more
    )
    digests = set()
    for target in targets:
        record = run(asked.override({"target": target}), out=tmp_path)
        assert (record.result, record.compared) == ("pass", 24), target
        digests.add(record.digest)
    assert len(digests) == 1


def test_cells_that_go_on_are_part_of_checkpoints(
    tmp_path: Path, qemu64: str, qemu_arm: str
) -> None:
    x, y = np.zeros((60, 2), np.uint8), np.zeros((60, 2), np.float32)
    x[::20, 0] = x[7::20, 1] = 1
    y[9::20, 0] = 1
    path = tmp_path / "moments.npz"
    np.savez(
        path, x=x, y=y, x_test=x[:1], y_test=y[:1], task_names=["time"], task_ends=[60],
        task_tests=[[0, 1]],
    )  # fmt: skip
    asked = Experiment(
        data=str(path), front="delays,cells=40,homeostasis=0.1", rule="bp", output="identity",
        lr=0.02,
        steps=60, test=0, samples_per_frame=1,
    )  # fmt: skip
    digests = set()
    for more in (
        {"target": "host"},
        {"target": "netduinoplus2"},
        {"target": "qemu-rv64gcv", "commit": 10, "faults": "cut=0.01,drop=0.01,seed=3"},
    ):
        record = run(asked.override(more), out=tmp_path)
        assert (record.result, record.compared) == ("pass", 60), more
        digests.add(record.digest)
    assert len(digests) == 1


def test_surprises_alone_are_learned_in_integers_while_time_goes_on(
    tmp_path: Path, qemu32: str
) -> None:
    """A core without an FPU, behind an error gate, through power cuts."""
    x = np.zeros((60, 2), np.uint8)
    x[::20, 0] = x[7::20, 1] = 1
    y = np.isin(np.arange(60) % 20, (9, 10)).astype(int)
    with open_device(
        data=(x, y), front="delays,cells=40", rule="readout", format="i16", lr=0.5,
        error_gate=0.4, target="qemu-rv32imac", commit=10, faults="cut=0.02,drop=0.01,seed=3",
        samples_per_frame=1, out=tmp_path,
    ) as device:  # fmt: skip
        device.partial_fit(x, y)
    assert (device.record.result, device.record.compared) == ("pass", 60)
    written = device.record.weights_written_per_step
    assert written is not None and 0 < written < 20


def test_moments_come_once_and_in_their_order() -> None:
    x, y = np.eye(2, dtype=np.uint8).repeat(10, axis=0), np.arange(20) % 2
    asked = Experiment(data=(x, y), front="delays,cells=40", rule="bp", target="host")
    with pytest.raises(UsageError, match=r"'delays' goes on from .* expected a stream"):
        prepare(asked)
    form = data_for(asked)
    assert prepare(asked, form).spec.inputs.front is not None
    with pytest.raises(
        UsageError, match="front 'delays' with rehearsal: expected none"
    ):
        prepare(asked.override({"rehearsal": 4}), form)


@pytest.mark.full
@pytest.mark.parametrize("vlen", [128, 256, 512, 1024])
@pytest.mark.parametrize(
    ("front", "more"),
    [
        (
            "echo,cells=70,segments=2,squash=tanh",
            {"rule": "dfa", "network": "140-12-10"},
        ),
        (
            "echo,cells=256,segments=1,every=2",
            {"rule": "local", "network": "256-12-10"},
        ),
        ("liquid,cells=70,segments=2", {"rule": "ncm"}),
        (
            "liquid,cells=70,segments=2,homeostasis=0.05",
            {"rule": "local", "network": "140-12-10"},
        ),
        ("liquid,cells=129,segments=1", {"rule": "bp", "format": "i8"}),
    ],
)
def test_at_every_vlen_and_with_every_rule(
    tmp_path: Path, qemu64: str, vlen: int, front: str, more: dict[str, str]
) -> None:
    asked = Experiment(front=front, steps=30, test=20, vlen=vlen, debug=True, **more)
    record = run(asked, out=tmp_path)
    assert (record.result, record.compared) == ("pass", 30)
