"""Instructions of a step of a program of this computer, counted by valgrind.

It runs the program, start and all, twice, with another number of steps: what is more is
the steps'. It offers no AVX-512, so a library that chooses its code by the processor
takes the code of an older one. The processor's own counters are seldom granted, and
never to a virtual machine as ours.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence

from targets.errors import HilError

WORDS = (
    "valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
)  # fmt: skip
FEW = 60
"""Steps counted of a program that is slow to begin with."""
REFS = re.compile(r"I\s+refs:\s+([\d,]+)")

Run = Callable[[int, Sequence[str]], str]
"""Runs so many steps behind these words of a command; what was said on stderr."""


def instructions(run: Run, steps: int) -> float | None:
    """Of one step, the mean of the later two thirds of `steps`; None without valgrind,
    or where it cannot run the program."""
    if shutil.which(WORDS[0]) is None:
        return None
    few = steps // 3
    try:
        counts = [REFS.search(run(part, WORDS)) for part in (few, steps)]
    except HilError:
        return None
    if counts[0] is None or counts[1] is None:
        return None
    first, last = (int(count[1].replace(",", "")) for count in counts if count)
    return (last - first) / (steps - few)
