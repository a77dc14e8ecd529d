"""Small models of many operators: the twin against TensorFlow Lite tensor by tensor, and
devices against the twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.graph import reading, support
from hil.cli import main
from hil.models.cases import drawn

from .blocks import BLOCKS
from .building import Oracle
from .test_twin import require_each


@pytest.mark.parametrize("name", BLOCKS)
def test_every_tensor_is_what_tensorflow_lite_computes(name: str) -> None:
    read, oracle = reading.read(BLOCKS[name]), Oracle(BLOCKS[name])
    assert support.problems(read) == []
    draw = np.random.default_rng(4)
    for _ in range(3):
        require_each(read, oracle, [drawn(one, draw) for one in read.inputs])


@pytest.mark.parametrize(
    ("name", "machine"),
    [
        ("attention-i8", ("qemu-rv64gcv", "--vlen", "128")),
        *(
            pytest.param(name, machine, marks=pytest.mark.full)
            for name, machine in (
                ("attention-f32", ("qemu-rv64gcv", "--vlen", "128")),
                ("attention-i8", ("qemu-rv64gcv", "--vlen", "1024")),
                ("attention-f32", ("qemu-rv64gcv", "--vlen", "1024")),
                ("attention-i8", ("mps2-an386",)),
                ("attention-f32", ("mps2-an386",)),
                ("attention-i8", ("microbit",)),
                ("attention-f32", ("host",)),
            )
        ),
    ],
)
def test_devices_have_the_bits_of_the_twin(
    name: str,
    machine: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, inputs = tmp_path / "block.tflite", tmp_path / "cases.npz"
    path.write_bytes(BLOCKS[name])
    draw = np.random.default_rng(1)
    (x,) = reading.read(BLOCKS[name]).inputs
    np.savez(inputs, in0=np.stack([drawn(x, draw) for _ in range(3)]))
    given = ("--model", str(path), "--inputs", str(inputs), "--target", *machine)
    assert main(["infer", *given]) == 0
    assert "PASS: 3 of 3 cases bit-exact" in capsys.readouterr().out
