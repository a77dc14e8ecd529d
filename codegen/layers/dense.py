"""Dense layers: a = b + x W, then an activation.

A dense layer has three ways to its pre-activations. All give the same bits.

dense: every row of W is visited, and skipped where its input is zero.
listed: what is not zero is listed first; then the list is walked.
fused: one step's update and the next one's forward share one pass over W.
"""

from __future__ import annotations

from typing import Any

from codegen.composer import Composer
from codegen.fronts import as_it_comes, scale
from codegen.kernels.cost import Shape
from codegen.program import If, Item, Op, Set, Stage, Symbol, op
from codegen.tensors import Tensor

WAYS = ("dense", "listed", "fused")


def shape(c: Composer, n: int) -> Shape:
    """Layer n's, with the share of its inputs that are not zero."""
    return Shape(*c.network.shape(n), c.density(n))


def forward(c: Composer, n: int) -> Stage:
    """Layer n, from its input (where it is listed as it comes: the sample) through
    its activation."""
    n_in, n_out = c.network.shape(n)
    kind = c.network.activation if n < c.depth else "output"
    says = f"layer {n}: {n_in} to {n_out}, {c.way(n)}, {kind}"
    through = activate(c, n, c.result(n)) if n < c.depth else ()
    return Stage("look", (*drive(c, n), *through), n, says)


def drive(c: Composer, n: int, into: Tensor | None = None) -> tuple[Item, ...]:
    """Layer n's pre-activations, where its result comes to lie, or `into` another
    tensor."""
    a = into or c.sums(n)
    if c.way(n) == "listed":
        return (
            listing(c, n, c.sample if n == 1 and as_it_comes(c) else None),
            _listed(c, n, a),
        )
    if c.way(n) == "fused":
        done = Set(due(n), "false")
        return (
            If(
                due(n), (_fused(c, n, a), done), (product(c, n, a=a),),
                usual=c.density(n) == 1.0, why="the last step's update with it",
            ),
        )  # fmt: skip
    return (product(c, n, a=a),)


def product(
    c: Composer, n: int, x: Tensor | None = None, a: Tensor | None = None,
    b: Tensor | None = None,
) -> Op:  # fmt: skip
    """a = b + x W, row by row: of layer n's own input, result and biases, or of others."""
    return op(
        "dense_forward", shape(c, n), n, w=c.weights(n), b=b or c.biases(n),
        x=x or c.input(n), a=a or c.sums(n),
    )  # fmt: skip


def listing(c: Composer, n: int, sample: Tensor | None = None) -> Op:
    """Layer n's inputs that are not zero; integers are listed as they come in a
    `sample`, without being converted first."""
    n_in, n_out = c.network.shape(n)
    across = Shape(n_in, 1, c.density(n))
    into, w, rows, x = count(n).text, c.weights(n), c.rows(n), c.values(n)
    if sample is None:
        return op(
            "nonzero", across, n, into=into,
            v=c.input(n), w=w, stride=n_out, rows=rows, x=x,
        )  # fmt: skip
    given = scale.divisor(c.spec.inputs)
    return op(
        "nonzero" if "scale" in given else "nonzero_scaled", across, n, into=into,
        v=sample, w=w, stride=n_out, rows=rows, x=x, **given,
    )  # fmt: skip


def count(n: int) -> Symbol:
    """How many inputs of layer n are on its list."""
    return Symbol(f"own->listed{n}")


def due(n: int) -> str:
    """C that tells whether layer n's update waits for its next forward pass."""
    return f"own->pending.due{n}"


def _listed(c: Composer, n: int, a: Tensor) -> Op:
    return op(
        "listed_forward",
        shape(c, n),
        n,
        rows=c.rows(n),
        x=c.values(n),
        count=count(n),
        b=c.biases(n),
        a=a,
    )


def _fused(c: Composer, n: int, a: Tensor) -> Op:
    return op(
        "dense_fused",
        shape(c, n),
        n,
        w=c.weights(n),
        s=c.rates(n),
        d=c.delta(n),
        b=c.biases(n),
        x=c.input(n),
        a=a,
    )


def activate(c: Composer, n: int, h: Tensor) -> tuple[Item, ...]:
    """Hidden layer n's pre-activations in h through its activation."""
    kind, across = c.network.activation, Shape(1, c.network.layers[n])
    if c.numbers.integer:
        a, named = c.sums(n), kind.replace("-", "_")
        return (op(named, across, n, a=a, fraction=c.point_of(a), h=h),)
    if kind == "identity":
        return (finite(h, n),)
    return (op(kind, across, n, h=h, needs="true", faults=h),)


def slope(c: Composer, n: int, d: Tensor, bounded: bool = False) -> tuple[Item, ...]:
    """d through hidden layer n's activation backwards: times phi', which is 1 at most.
    What is not `bounded` is looked through for what is not finite."""
    kind, across = c.network.activation, Shape(1, c.network.layers[n])
    if c.numbers.integer:  # of clipped lines, too: a unit at its end can come back
        return (op("tanh_grad", across, n, h=c.result(n), d=d),)
    if kind == "identity":
        return () if bounded else (finite(d, n),)
    faults: dict[str, Any] = {} if bounded else {"needs": "true", "faults": d}
    return (op(f"{kind}_grad", across, n, h=c.result(n), d=d, **faults),)


def alive(c: Composer, n: int, d: Tensor) -> tuple[Item, ...]:
    """d of layer n's units that are not dead, and finite: for what has passed no
    slope."""
    return slope(c, n, d) if c.network.activation == "relu" else (finite(d, n),)


def finite(v: Tensor, n: int, purpose: str = "") -> Op:
    """Look whether a tensor of layer n is finite."""
    across = Shape(1, v.size)
    return op("all_finite", across, n, v=v, purpose=purpose, needs="true", faults=v)


def backward(
    c: Composer,
    n: int,
    says: str = "",
    d: Tensor | None = None,
    u: Tensor | None = None,
) -> Op:
    """d_n = W_(n+1) d_(n+1), the transposed product; or u = W_(n+1) d."""
    w, d, u = c.weights(n + 1), d or c.delta(n + 1), u or c.delta(n)
    return transposed(c, n, w, d, u, says)


def transposed(
    c: Composer, n: int, w: Tensor, d: Tensor, u: Tensor, says: str, purpose: str = ""
) -> Op:
    """u = w d, of any weights."""
    fixed: dict[str, Any] = {"fraction": c.fraction(w)} if c.numbers.integer else {}
    return op(
        "dense_backward", Shape(*w.shape), n, w=w, d=d, u=u, says=says, purpose=purpose,
        **fixed,
    )  # fmt: skip
