"""Streaming linear discriminant analysis: class means and one covariance for all.

What learning changes are the means and the covariance; the weights are made of them
anew at the end of every step, since the next one answers first.
"""

from __future__ import annotations

from codegen import class_heads
from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.parameters import Parameter
from codegen.program import Set, Stage, Symbol, op
from codegen.rules import Declaration, Rate, by_activation
from codegen.tensors import Tensor

LABEL = Symbol("label")
SHRINKAGE = Parameter(
    "shrinkage", 0.01,
    "share of the covariance that is replaced by its mean variance, times the identity",
    within=(1e-4, 1.0),
)  # fmt: skip


def _means(c: Composer) -> Tensor:
    """mu, a column a class."""
    return c.learned("means", c.network.shape(c.depth))


def _covariance(c: Composer) -> Tensor:
    """Within classes: the lower triangle, row by row."""
    return c.learned("cov", (_triangle(c),))


def _triangle(c: Composer) -> int:
    n = c.network.shape(c.depth)[0]
    return n * (n + 1) // 2


def _total(c: Composer) -> Tensor:
    """Samples so far, of all classes."""
    return c.learned("total", (1,), limits=(0.0, class_heads.MOST))


def _learned(c: Composer) -> Stage:
    n, across = c.depth, Shape(*c.network.shape(c.depth))
    seen, total, means = class_heads.counts(c), _total(c), _means(c)
    count, limit = f"s->{seen.name}[label]", class_heads.limit(c)
    x = c.input(n)
    moved = (
        Set(f"s->{total.name}[0]", f"s->{total.name}[0] + 1.0f", (total,)),
        Set("const float each", f"1.0f / s->{total.name}[0]", (total,)),
        Set("const float weight", f"{count} / ({count} + 1.0f)", (seen,)),
        op(
            "class_scatter", across, n, s=_covariance(c), m=means, x=x, label=LABEL,
            weight=Symbol("weight"), share=Symbol("each"), limit=limit,
            d=c.inner("gap", x.shape),
        ),
        Set(count, f"{count} + 1.0f", (seen,)),
        Set("const float share", f"1.0f / {count}", (seen,)),
        op(
            "class_mean", across, n, w=means, x=x, label=LABEL, share=Symbol("share"),
            limit=limit,
        ),
    )  # fmt: skip
    solved = op(
        "class_discriminant", across, n, s=_covariance(c), m=means, counts=seen,
        l=c.inner("factor", (_triangle(c),)), w=c.weights(n), b=c.biases(n),
        shrinkage=float(c.parameters["shrinkage"]), limit=limit, unseen=class_heads.UNSEEN,
        says="the weights that the next answer is made of: a Cholesky factor, two solves",
    )  # fmt: skip
    says = "the covariance, then the label's mean"
    return Stage("update", (*moved, solved), n, says)


RULE = Declaration(
    name="slda",
    title="streaming linear discriminant analysis: class means, one covariance, no gradient",
    source="Hayes, Kanan 2020, arXiv 1909.01520",
    equation="d = x - mu_y; S += (n_y / (n_y + 1) d d^T - S) / (t + 1); mu_y += d / (n_y + 1); "
    "L = ((1 - s) S + s tr(S) / n I)^-1; w_c = L mu_c; b_c = -mu_c . w_c / 2",
    parameters=(SHRINKAGE,),
    rates=by_activation(others=Rate(1.0, 1.0)),
    program=lambda c: class_heads.taught(c, _learned),
    gates=frozenset({"error"}),
    outputs=("softmax",),
    widest=1024,
    costly="for each step factors their covariance, which takes the cube of their number "
    "and has to end within the watchdog's time",
    hidden=0,
    rated=False,
    floating="a covariance is inverted in fractions that 16 bits round away",
)
