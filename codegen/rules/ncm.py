"""Nearest class mean: a head without a gradient, for classes that come one by one.

The weights of a class are the mean of its samples, so that the output layer gives
mu_c . x - |mu_c|^2 / 2: the largest where the distance |x - mu_c| is the least.
"""

from __future__ import annotations

from codegen import class_heads
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.program import Item, Set, Stage, Symbol, op
from codegen.rules import Declaration, Rate, by_activation


def _learned(c: Composer) -> Stage:
    n = c.depth
    w, b, seen = c.weights(n), c.biases(n), class_heads.counts(c)
    moved = op(
        "class_mean", Shape(*c.network.shape(n)), n, w=w, x=c.input(n),
        label=Symbol("label"), share=Symbol("share"), limit=class_heads.limit(c),
        into="const float square",
    )  # fmt: skip
    body: tuple[Item, ...] = (
        Set(f"s->{seen.name}[label]", f"s->{seen.name}[label] + 1.0f", (seen,)),
        Set("const float share", f"1.0f / s->{seen.name}[label]", (seen,)),
        moved,
        Set(
            f"s->{b.name}[label]",
            f"square < {literal(-2 * class_heads.UNSEEN)} ? -0.5f * square : {literal(class_heads.UNSEEN)}",
            (b,),
        ),
    )
    return Stage("update", body, n, "the label's mean, and half its square")


RULE = Declaration(
    name="ncm",
    title="nearest class mean: no gradient, a class is the mean of its samples",
    source="Rebuffi et al. 2017, CVPR (iCaRL's classifier); Mensink et al. 2013, TPAMI 35:2624",
    equation="n_y += 1; mu_y += (x - mu_y) / n_y; a_c = mu_c . x - |mu_c|^2 / 2",
    parameters=(),
    rates=by_activation(others=Rate(1.0, 1.0)),
    program=lambda c: class_heads.taught(c, _learned),
    gates=frozenset({"error"}),
    outputs=("softmax",),
    hidden=0,
    rated=False,
    floating="means have fractions that weights of 16 bits round away",
)
