"""Fixed random feedback: matrices that bring something down to hidden layers.

B of layer n is [rows, n_n], and takes what has `rows` elements: by default an error
of the network's outputs. It is made of signs, which the generator gives whenever they
are needed, or lies in the image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from codegen import streams
from codegen.composer import Composer
from codegen.drawn import uniform
from codegen.kernels.cost import Shape
from codegen.parameters import Parameter
from codegen.program import Op, Symbol, op
from codegen.spec import Network
from codegen.tensors import Tensor, Values

PARAMETERS = (
    Parameter(
        "feedback",
        "signs",
        "signs: +-feedback_scale from the generator, no stored matrix; "
        "uniform: stored in flash, U(+-sqrt(3/rows)), rows those of the matrix",
        ("signs", "uniform"),
    ),
    Parameter("feedback_scale", 0.25, "magnitude of an element of sign feedback"),
)
"""Of every rule that projects something onto hidden layers."""

Rows: TypeAlias = Callable[[Network, int], int]


def from_outputs(network: Network, n: int) -> int:
    """Rows of layer n's matrix where it takes the network's error."""
    return network.n_out


def from_above(network: Network, n: int) -> int:
    """Rows of layer n's matrix where it takes the delta of the layer above."""
    return network.layers[n + 1]


def project(
    c: Composer, n: int, e: Tensor, rows: Rows = from_outputs, says: str = "",
    kept: bool = False,
) -> Op:  # fmt: skip
    """d_n = B_n e. Signs that are `kept` are drawn once, where there is room for them:
    for a rule whose memory grows with every layer as it is."""
    shape = Shape(rows(c.network, n), c.network.layers[n])
    if c.numbers.integer:
        factor, shift = leading(float(c.parameters["feedback_scale"]))
        return op(
            "feedback_signs", shape, n, seed=Symbol("net->seed"),
            first_word=first_word(c.network, n, rows), factor=factor, shift=shift,
            e=e, u=c.delta(n), says=says,
        )  # fmt: skip
    if c.parameters["feedback"] == "signs":
        return _signs(c, n, e, rows, shape, says, kept)
    matrix = c.tensor(
        f"feedback{n}", (shape.n_in, shape.n_out), "const",
        initial=Values(partial(_drawn, c.spec.seed, n, shape)),
    )  # fmt: skip
    return op(
        "feedback_stored", shape, n, feedback=matrix, e=e, u=c.delta(n), says=says
    )


def _signs(
    c: Composer, n: int, e: Tensor, rows: Rows, shape: Shape, says: str, kept: bool
) -> Op:
    """With signs that are there from the seed on, or are drawn now."""
    name, count = f"signs{n}", _words(c.network, n, rows)
    first = first_word(c.network, n, rows)
    scale = float(c.parameters["feedback_scale"])
    if kept and c.drawn_once:
        words = c.drawn(name, count, streams.SIGN_FEEDBACK, first)
        return op(
            "feedback_words", shape, n, scale=scale, e=e, u=c.delta(n), words=words, says=says
        )  # fmt: skip
    return op(
        "feedback_signs", shape, n, seed=Symbol("net->seed"), first_word=first, scale=scale,
        e=e, u=c.delta(n), words=c.words(name, count), says=says,
    )  # fmt: skip


def bounded(c: Composer) -> bool:
    """Whether sign feedback of a class's error, or of a one-hot class, is finite for
    certain: no element of either is larger than 1."""
    most = float(c.parameters["feedback_scale"]) * c.network.n_out
    signs = c.parameters["feedback"] == "signs" and abs(most) < 2.0**127
    return signs and c.spec.goal == "label" and c.network.output != "identity"


def leading(scale: float) -> tuple[int, int]:
    """(factor, shift) of a scale's 8 leading bits: factor 2^-shift."""
    shift = 8 - math.frexp(scale)[1]
    return math.floor(math.ldexp(scale, shift)), shift


def _words(network: Network, n: int, rows: Rows) -> int:
    return -(-rows(network, n) * network.layers[n] // 32)


def first_word(network: Network, n: int, rows: Rows = from_outputs) -> int:
    """Where layer n's signs begin: the layers' words follow one another, each layer's
    from a new word on."""
    return sum(_words(network, below, rows) for below in range(1, n))


def _drawn(seed: int, n: int, shape: Shape) -> Iterable[float]:
    limit = math.sqrt(3 / shape.n_in)
    return uniform(seed, streams.feedback(n), limit, shape.n_in * shape.n_out)
