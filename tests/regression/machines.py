"""The machines of the regression suite: targets, and their VLENs in bits."""

from __future__ import annotations

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
