"""What the rules of class means share, heads without a gradient: classes come one by
one, and are counted.

A class has a weight column and an offset from the first sample on; before, its offset
keeps it from being any answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from codegen import goals
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.forms import look, program
from codegen.program import If, Program, Set, Stage
from codegen.tensors import Fill, Tensor

UNSEEN = -1e30
"""b of a class without samples: no sample is nearest to it."""
MOST = 2.0**24
"""What a count of binary32 stays at."""
LARGEST = 3e38
"""What a mean stays within, where weights have no limit."""


def counts(c: Composer) -> Tensor:
    """Samples so far, a class each."""
    return c.learned("counts", (c.network.n_out,), limits=(0.0, MOST))


def _begin(c: Composer) -> None:
    """Declare the weights with their first values. Must come before anything else asks
    for them."""
    n = c.depth
    c.learned(f"W{n}", c.network.shape(n), Fill(0.0))
    c.learned(f"b{n}", (c.network.n_out,), Fill(UNSEEN), (UNSEEN, 0.0))


def limit(c: Composer) -> float:
    """What a mean stays within."""
    clip = c.spec.clip.weights
    return LARGEST if clip is None else float(clip)


def _told(c: Composer) -> Stage:
    """The loss of a class that has no mean yet: what guessing has."""
    guess = literal(math.log(c.network.n_out))
    unseen = If(
        f"s->{counts(c).name}[label] == 0.0f", (Set("*loss", guess),), usual=False,
        why="a class without samples",
    )  # fmt: skip
    return Stage("judge", (unseen,))


def taught(c: Composer, learn: Callable[[Composer], Stage]) -> Program:
    """The rule that looks, judges, and then `learn`s from the label."""
    _begin(c)
    looked = look(c)
    step = (
        *looked,
        goals.judge(c),
        _told(c),
        *goals.leave_if_negligible(c),
        learn(c),
    )
    return program(c, step, looked)
