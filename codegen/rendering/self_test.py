"""What the generated library finds out about the arithmetic it was given.

`net_init` computes values whose bits are known (templates/kernels/
hil_self_test.h.j2) and returns the code of the first that is wrong. This table
is the one place of the codes: net.h, the firmware's FAULT and the host's
sentence are made from it, and docs/library.md shows it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One way in which arithmetic is not fit for the library. `name` follows
    NET_BAD_ in C, `code` is what net_init returns then."""

    name: str
    code: int
    meaning: str
    cure: str


FINDINGS = (
    Finding(
        "ROUNDING", -1001, "float is not rounded to nearest",
        "call fesetround(FE_TONEAREST) first",
    ),
    Finding(
        "SUBNORMALS", -1002, "subnormal numbers become zero",
        "link nothing with -ffast-math or -Ofast, and clear FTZ and DAZ",
    ),
    Finding(
        "ORDER", -1003, "operations are reordered, or float keeps excess precision",
        "compile without -ffast-math and -fassociative-math, on 32-bit x86 with SSE",
    ),
    Finding(
        "CONTRACTION", -1004, "a product and a sum are fused that are written apart",
        "compile with -ffp-contract=off",
    ),
    Finding(
        "DIVISION", -1005, "a division became a product",
        "compile without -ffast-math and -freciprocal-math",
    ),
    Finding(
        "SPECIALS", -1006, "infinity, NaN or the sign of zero is taken for impossible",
        "compile without -ffinite-math-only, -fno-honor-nans, -fno-signed-zeros",
    ),
    Finding(
        "FMA", -1007, "a fused multiply-add is rounded twice",
        "compile without -funsafe-math-optimizations, link a libm whose fmaf is exact",
    ),
)  # fmt: skip
"""Every finding, in the order in which they are looked for."""


def finding(code: int) -> Finding | None:
    """The finding of that code, None where there is none."""
    return next((one for one in FINDINGS if one.code == code), None)
