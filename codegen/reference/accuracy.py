"""Largest errors of the project's own functions, measured.

    python -m codegen.reference.accuracy [--every N]

holds exp, log, tanh and sigmoid against numpy's float64 functions on every Nth
binary32 of their ranges (1 = all of them, minutes; 97 by default, seconds)
and prints the table of docs/arithmetic.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from codegen import constants
from codegen.reference import functions
from codegen.reference.arithmetic import F32, F64

EVERY = 97
"""Stride of the sweep, prime so that low bits take every value."""

_BLOCK = 1 << 15
_TINY = 2.0**-30
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Swept:
    """One function, its float64 oracle, and the arguments it is held to.

    `ranges` are pairs of magnitudes, lowest first, and the sign they carry.
    `bound` is the largest error over every single argument, in ulp, rounded up.
    """

    name: str
    function: Callable[[F32], F32]
    oracle: Callable[[F64], F64]
    ranges: tuple[tuple[float, float, float], ...]
    bound: float

    @property
    def described(self) -> str:
        """The ranges, for people."""
        return " and ".join(
            f"{sign * low:.4g} .. {sign * high:.4g}" for low, high, sign in self.ranges
        )


@dataclass(frozen=True)
class Worst:
    """The largest error found: in ulp, at which argument, of how many."""

    ulp: float
    argument: float
    arguments: int


def _sigmoid(x: F64) -> F64:
    return 1.0 / (1.0 + np.exp(-x))


SWEPT = (
    Swept(
        "exp",
        functions.exp,
        np.exp,
        ((_TINY, -constants.EXP_MIN, -1.0), (_TINY, constants.EXP_MAX, 1.0)),
        1.04,
    ),
    Swept("tanh", functions.tanh, np.tanh, ((_TINY, 16.0, 1.0),), 2.57),
    Swept(
        "sigmoid",
        functions.sigmoid,
        _sigmoid,
        ((_TINY, -constants.EXP_MIN, -1.0), (_TINY, 32.0, 1.0)),
        2.41,
    ),
    Swept("log", functions.log, np.log, ((2.0**-126, _LARGEST, 1.0),), 1.16),
)
"""tanh is odd by construction, so one sign is enough."""


def ulp(exact: F64) -> F64:
    """The spacing of binary32 numbers at `exact`."""
    _, exponent = np.frexp(exact)
    return np.ldexp(1.0, np.maximum(exponent, -125) - 24)


def errors(result: F32, exact: F64) -> F64:
    """Distances |result - exact| in ulp of the exact value."""
    distances: F64 = np.abs(result.astype(np.float64) - exact) / ulp(exact)
    return distances


def arguments(low: float, high: float, sign: float, every: int) -> Iterator[F32]:
    """Blocks of every `every`-th binary32 from low up to high, carrying sign."""
    first, last = (int(np.float32(end).view(np.uint32)) for end in (low, high))
    for start in range(first, last + 1, every * _BLOCK):
        bits = np.arange(start, min(start + every * _BLOCK, last + 1), every)
        yield bits.astype(np.uint32).view(np.float32) * np.float32(sign)


def measure(swept: Swept, every: int = EVERY) -> Worst:
    """The largest error of one function on every `every`-th argument."""
    worst, at, count = 0.0, 0.0, 0
    for block in (x for one in swept.ranges for x in arguments(*one, every)):
        found = errors(swept.function(block), swept.oracle(block.astype(np.float64)))
        index = int(found.argmax())
        count += block.size
        if found[index] > worst:
            worst, at = float(found[index]), float(block[index])
    return Worst(worst, at, count)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--every", type=int, default=EVERY, metavar="N")
    every = parser.parse_args().every
    print("| function | arguments | measured | largest error (ulp) | at |")
    print("|---|---|---|---|---|")
    for swept in SWEPT:
        worst = measure(swept, every)
        print(
            f"| {swept.name} | {swept.described} | {worst.arguments:,} "
            f"| {worst.ulp:.3f} | {worst.argument.hex()} |"
        )


if __name__ == "__main__":
    main()
