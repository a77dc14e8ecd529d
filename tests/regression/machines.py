"""The machines of the regression suite, targets with their VLENs in bits, and what they
are taught."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

from hil.data.datasets import load

MACHINES = (
    ("host", None),
    ("qemu-rv64gc", None),
    ("qemu-rv64gcv", 128),
    ("qemu-rv64gcv", 256),
    ("qemu-rv64gcv", 512),
    ("qemu-rv64gcv", 1024),
    ("qemu-rv32imafc-zve32f", 128),
    ("sifive-u", None),
    ("mps2-an386", None),
    ("mps2-an500", None),
    ("mps2-an505", None),
    ("netduinoplus2", None),
    ("linux-riscv64-rvv", 128),
    ("linux-riscv64-rvv", 256),
    ("mps3-an547", None),
)
SAME_CODE = (
    {"qemu-rv64gc", "sifive-u"},
    {"qemu-rv64gcv", "linux-riscv64-rvv"},
    {"mps2-an386", "mps2-an500", "mps2-an505", "netduinoplus2", "mps3-an547"},
)
"""Targets that have the same generated C where VLEN is the same too."""
WITHOUT_FLOATS = (
    ("stm32vldiscovery", None),
    ("microbit", None),
    ("sifive-e", None),
    ("qemu-rv32imc", None),
    ("qemu-rv32imac", None),
    ("mps2-an385", None),
)
"""Those that learn in integers alone, the smallest first."""


Machine: TypeAlias = "tuple[str, int | None]"


def kind(machine: Machine) -> tuple[int | str, int | None]:
    """What machines have in common that have the same generated C."""
    target, vlen = machine
    for place, same in enumerate(SAME_CODE):
        if target in same:
            return place, vlen
    return machine


KINDS = {kind(one): [m for m in MACHINES if kind(m) == kind(one)] for one in MACHINES}
"""The machines of each kind."""


def samples(folder: Path, network: str, dtype: str = "u8") -> str:
    """Real digits, as wide as the network: columns and classes cut to fit."""
    widths = [int(width) for width in network.split("-")]
    digits = load("digits")
    x = np.tile(digits.train_x, 2)[:200, 20 : 20 + widths[0]]
    y = digits.train_y[:200] % widths[-1]
    made = {
        "u8": x,
        "i16": (x.astype(np.int16) - 8) * 300,
        "f32": x.astype(np.float32) / 7 - 1,
    }[dtype]
    scale = {"u8": 16.0, "i16": 2400.0, "f32": 1.5}[dtype]
    path = folder / "samples.npz"
    np.savez(path, x=made, y=y.astype(np.int64), scale=scale)
    return str(path)
