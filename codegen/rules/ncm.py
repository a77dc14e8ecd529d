"""Nearest class mean: a head without a gradient, for classes that come one by one.

The weights of a class are the mean of its samples, so that the output layer gives
mu_c . x - |mu_c|^2 / 2: the largest where the distance |x - mu_c| is the least.
"""

from __future__ import annotations

import math

from codegen import goals
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.forms import look, program
from codegen.kernels.cost import Shape
from codegen.program import If, Item, Program, Set, Stage, Symbol, op
from codegen.rules import Declaration, Rate, by_activation
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


def begin(c: Composer) -> None:
    """Name the weights with what they begin with: before anything else names them."""
    n = c.depth
    c.learned(f"W{n}", c.network.shape(n), Fill(0.0))
    c.learned(f"b{n}", (c.network.n_out,), Fill(UNSEEN), (UNSEEN, 0.0))


def told(c: Composer) -> Stage:
    """The loss of a class that has no mean yet: what guessing has."""
    guess = literal(math.log(c.network.n_out))
    unseen = If(
        f"s->{counts(c).name}[label] == 0.0f", (Set("*loss", guess),), usual=False,
        why="a class without samples",
    )  # fmt: skip
    return Stage("judge", (unseen,))


def _learned(c: Composer) -> Stage:
    n, limit = c.depth, c.spec.clip.weights
    w, b, seen = c.weights(n), c.biases(n), counts(c)
    moved = op(
        "class_mean", Shape(*c.network.shape(n)), n, w=w, x=c.input(n),
        label=Symbol("label"), share=Symbol("share"), limit=LARGEST if limit is None else float(limit),
        into="const float square",
    )  # fmt: skip
    body: tuple[Item, ...] = (
        Set(f"s->{seen.name}[label]", f"s->{seen.name}[label] + 1.0f", (seen,)),
        Set("const float share", f"1.0f / s->{seen.name}[label]", (seen,)),
        moved,
        Set(
            f"s->{b.name}[label]",
            f"square < {literal(-2 * UNSEEN)} ? -0.5f * square : {literal(UNSEEN)}",
            (b,),
        ),
    )
    return Stage("update", body, n, "the label's mean, and half its square")


def _program(c: Composer) -> Program:
    begin(c)
    looked = look(c)
    step = (
        *looked,
        goals.judge(c),
        told(c),
        *goals.leave_if_negligible(c),
        _learned(c),
    )
    return program(c, step, looked)


RULE = Declaration(
    name="ncm",
    title="nearest class mean: no gradient, a class is the mean of its samples",
    source="Rebuffi et al. 2017, CVPR (iCaRL's classifier); Mensink et al. 2013, TPAMI 35:2624",
    equation="n_y += 1; mu_y += (x - mu_y) / n_y; a_c = mu_c . x - |mu_c|^2 / 2",
    parameters=(),
    rates=by_activation(others=Rate(1.0, 1.0)),
    program=_program,
    gates=frozenset({"error"}),
    outputs=("softmax",),
    hidden=0,
    rated=False,
    floating="means have fractions that weights of 16 bits round away",
)
