"""Local losses: every hidden layer learns from a read-out of its own."""

from __future__ import annotations

import math
from collections.abc import Callable

from codegen import goals, streams
from codegen.composer import Composer
from codegen.forms import in_passing
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.program import Item, Op, Program, op
from codegen.rules import Declaration, Rate, by_activation
from codegen.tensors import Tensor, Uniform
from codegen.updates import update
from codegen.updates.rank_one import plain


def readout(c: Composer, n: int) -> Tensor:
    """R_n [n_n, outputs] of hidden layer n, uniform within Glorot's limit."""
    shape = c.network.layers[n], c.network.n_out
    return c.learned(
        f"R{n}", shape, Uniform(streams.readout(n), math.sqrt(6 / sum(shape)))
    )


def error(c: Composer, n: int) -> Tensor:
    """e_n, of its outputs p_n."""
    return c.signal(f"e{n}", (c.network.n_out,))


def through(c: Composer, n: int, x: Tensor, u: Tensor) -> Op:
    """u = x R_n."""
    r = readout(c, n)
    return op(
        "feedback_stored",
        Shape(*r.shape),
        n,
        feedback=r,
        e=x,
        u=u,
        purpose="readout",
    )


def turn(c: Composer, n: int, delta: tuple[Item, ...]) -> tuple[Item, ...]:
    """The read-out of layer n, its outputs and its error; unless that is negligible
    `delta`, what makes d_n of it, and then layer and read-out learn."""
    p, e, h = c.totals(f"p{n}", readout(c, n)), error(c, n), c.result(n)
    learned = (
        *delta, *update(c, n), *plain(c, readout(c, n), None, h, e, n, "readout")
    )  # fmt: skip
    return (
        through(c, n, h, p),
        *goals.judged(c, p, e, f"const float loss{n}", n, "readout"),
        *goals.unless_negligible(c, e, learned),
    )


def program(c: Composer, delta: Callable[[Composer, int], tuple[Item, ...]]) -> Program:
    """Each hidden layer in its turn, then the output layer, whose read-out it is
    itself."""
    last = goals.unless_negligible(c, c.error, update(c, c.depth))
    return in_passing(c, lambda c, n: turn(c, n, delta(c, n)), judged=last)


def _delta(c: Composer, n: int) -> tuple[Item, ...]:
    r, d = readout(c, n), c.delta(n)
    says = f"d_{n} = (R_{n} e_{n}) * phi'(a_{n}), the read-out before its update"
    down = dense.transposed(c, n, r, error(c, n), d, says, "readout")
    return (down, *dense.slope(c, n, d))


RULE = Declaration(
    name="local",
    title="local losses with learned read-outs",
    source="Nokland, Eidnes 2019, arXiv 1901.06656; Belilovsky, Eickenberg, Oyallon 2019",
    equation="e_l = sigma(R_l h_l) - t; d_l = (R_l^T e_l) * phi'(a_l); R_l -= eta e_l h_l^T; "
    "nothing crosses layers",
    parameters=(),
    rates=by_activation(others=Rate(0.03, 0.02), relu=Rate(0.03, 0.01)),
    program=lambda c: program(c, _delta),
)
