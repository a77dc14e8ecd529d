"""What a board is: strict TOML descriptors as frozen dataclasses.

`load(name)` gives a `Target`, `names()` lists what there is; a new target is
one new TOML file in this folder. Imports nothing but the standard library
(and tomli, its namesake in it, before Python 3.11).
"""

from targets.descriptor import (
    Arm,
    Flash,
    Limits,
    Memory,
    Qemu,
    Riscv,
    Target,
    Uart,
    Vector,
)
from targets.errors import DescriptorError, HilError
from targets.loader import load, load_file, names, require_fma

__all__ = [
    "Arm",
    "DescriptorError",
    "Flash",
    "HilError",
    "Limits",
    "Memory",
    "Qemu",
    "Riscv",
    "Target",
    "Uart",
    "Vector",
    "load",
    "load_file",
    "names",
    "require_fma",
]
