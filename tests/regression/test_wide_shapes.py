"""Device and numpy agree where an index, a count or a label needs more than 8 or 16
bits: 1,100 inputs, 300 classes, and more than 65,536 words of state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil import Experiment, run
from hil.lesson.preparing import prepare

INPUTS, HIDDEN, CLASSES = 1100, 64, 300
STEPS = 3
CASES = (
    ("host", None, {}),
    ("host", None, {"rule": "bp", "schedule": "fused"}),
    ("host", None, {"resident": 6, "schedule": "sequential"}),
    ("host", None, {"rehearsal": 4}),
    ("qemu-rv64gcv", 256, {}),
    ("qemu-rv64gcv", 256, {"rule": "local", "schedule": "fused", "resident": 6}),
)
"""Target, VLEN, and what else is asked for: labels come in frames, out of the image,
and out of the rehearsal buffer."""


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Samples of noise, three quarters of it zero, whose labels take all values."""
    rng = np.random.default_rng(1)
    x = rng.integers(1, 256, (24, INPUTS)) * (rng.random((24, INPUTS)) < 0.25)
    y = CLASSES - 1 - np.arange(24) * 2
    y[-1] = 0  # labels that begin elsewhere are numbered anew
    path = tmp_path_factory.mktemp("wide") / "wide.npz"
    np.savez(path, x=x.astype(np.uint8), y=y)
    return str(path)


def lesson(data: str, **keys: object) -> Experiment:
    """A few steps of the wide network."""
    asked = Experiment(
        network=(INPUTS, HIDDEN, CLASSES), data=data, lr=0.01, steps=STEPS, test=2
    )
    return asked.override(keys)


def test_the_shapes_cross_what_they_are_meant_to_cross(wide: str) -> None:
    made = prepare(lesson(wide, target="host"))
    assert (
        sum(n_in * n_out for n_in, n_out in [(INPUTS, HIDDEN), (HIDDEN, CLASSES)])
        > 2**16
    )
    assert all(made.label(step) > 255 for step in range(STEPS))


@pytest.mark.parametrize(("target", "vlen", "keys"), CASES)
def test_wide_layers_are_learned_bit_for_bit(
    tmp_path: Path,
    qemu64: str,
    wide: str,
    target: str,
    vlen: int | None,
    keys: dict[str, object],
) -> None:
    record = run(lesson(wide, target=target, vlen=vlen, **keys), out=tmp_path)
    assert (record.result, record.compared) == ("pass", STEPS)
