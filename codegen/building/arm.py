"""Arm cores, as the compilers spell them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """`zig` for zig cc's -mcpu, `clang` the flags that tell clang and gcc the same."""

    zig: str
    clang: tuple[str, ...]


CORES = {
    "armv6-m": Core("cortex_m0", ("-mcpu=cortex-m0",)),
    "armv7-m": Core("cortex_m3", ("-mcpu=cortex-m3",)),
    # single precision alone: the FPU that every such core has at least
    "armv7e-m+fp": Core(
        "cortex_m4+vfp4d16sp", ("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16")
    ),
    "armv7e-m+fpv5": Core(
        "cortex_m7+fp_armv8d16sp", ("-mcpu=cortex-m7", "-mfpu=fpv5-sp-d16")
    ),
    "armv8-m.main+dsp+fp": Core(
        "cortex_m33+dsp+fp_armv8d16sp", ("-mcpu=cortex-m33", "-mfpu=fpv5-sp-d16")
    ),
    # without MVE, whose arithmetic flushes subnormals: the contract keeps them
    "armv8.1-m.main+fp.dp": Core(
        "cortex_m55-mve-mve_fp+fp_armv8d16", ("-mcpu=cortex-m55+nomve",)
    ),
}
"""By the name that a target's descriptor has in `isa`, which is GNU's."""


def eabi(abi: str) -> str:
    """The end of a triple: whether floats travel in registers of the FPU."""
    return "eabihf" if abi == "hard" else "eabi"
