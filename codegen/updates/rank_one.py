"""The rank-1 update: W[i][j] -= eta x_i d_j, b_j -= eta d_j.

A layer makes it the way it is computed (`codegen.layers.dense`): over all rows, over
the list of its inputs that are not zero, or pending until the next pass over W. A
gate leaves parts of it out (docs/gates.md); a limit holds what it leaves.
"""

from __future__ import annotations

from typing import TypeAlias

from codegen.composer import Composer
from codegen.constants import BUDGET_GAIN, GAIN
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.program import If, Item, Op, Part, Repeat, Set, Symbol, op
from codegen.tensors import Tensor
from codegen.updates.base import ETA, Update, clipped


def plain(
    c: Composer,
    w: Tensor,
    b: Tensor | None,
    x: Tensor,
    d: Tensor,
    n: int,
    purpose: str = "",
    eta: Symbol = ETA,
    shift: int = 0,
) -> tuple[Item, ...]:
    """The update of any matrix w [x, d], and biases b where it has some; in integers the
    rate is eta 2^-shift."""
    made = _moved(c, w, b, x, d, Shape(x.size, d.size), n, purpose, eta, shift)
    return (made, *clipped(c, w), *(() if b is None else clipped(c, b)))


Product: TypeAlias = tuple[Tensor, Tensor]
"""What a layer has as input, and what it gives: x and d of x d^T."""


def contrast(
    c: Composer, n: int, away: Product, towards: Product, eta: Symbol = ETA
) -> tuple[Item, ...]:
    """Layer n's weights away from one product and towards another, within their
    limits; its biases are not touched."""
    (x, d), (y, given) = away, towards
    made = op(
        "contrast_update", Shape(x.size, d.size), n, w=c.weights(n), x=x, d=d, y=y, c=given,
        eta=eta,
    )  # fmt: skip
    return (made, *clipped(c, c.weights(n)))


def biases(c: Composer, n: int, d: Tensor, eta: Symbol = ETA) -> tuple[Item, ...]:
    """b_n -= eta d, within their limits."""
    moved = op("bias_update", Shape(1, d.size), n, b=c.biases(n), d=d, eta=eta)
    return (moved, *clipped(c, c.biases(n)))


def _whole(c: Composer, n: int) -> Op:
    w, b, x, d = c.weights(n), c.biases(n), c.input(n), c.delta(n)
    return _moved(c, w, b, x, d, dense.shape(c, n), n)


def _moved(
    c: Composer, w: Tensor, b: Tensor | None, x: Tensor, d: Tensor, shape: Shape, n: int,
    purpose: str = "", eta: Symbol = ETA, shift: int = 0,
) -> Op:  # fmt: skip
    point = c.point(w) if c.numbers.integer else {}
    if shift:
        point["fraction"] -= shift
    return op(
        "dense_update", shape, n, w=w, b=b, x=x, d=d, eta=eta, purpose=purpose, **point
    )


def _listed(c: Composer, n: int, shape: Shape) -> Op:
    return op(
        "listed_update",
        shape,
        n,
        rows=c.rows(n),
        x=c.values(n),
        count=dense.count(n),
        b=c.biases(n),
        d=c.delta(n),
        eta=ETA,
    )


def _pending(c: Composer, n: int) -> tuple[Item, ...]:
    """The biases now, the weights with the next forward pass, unless an input is
    zero: its row is not to be touched."""
    n_in, n_out = c.network.shape(n)
    due = dense.due(n)
    looked = op(
        "rates", Shape(1, n_in), n, x=c.input(n), eta=ETA, s=c.rates(n), into=due
    )
    biases = op("bias_update", Shape(1, n_out), n, b=c.biases(n), d=c.delta(n), eta=ETA)
    waits = If(
        due, (biases,), (_whole(c, n),), usual=c.density(n) == 1.0,
        why=f"W{n} waits for the next forward pass",
    )  # fmt: skip
    return looked, waits


def _gated(c: Composer, n: int) -> tuple[Item, ...]:
    """First the rows of which no element could pass are taken off the list, exactly,
    then the others are updated, of masked ones what passes."""
    n_out = c.network.shape(n)[1]
    tau, kept = Part(c.thresholds(), n - 1), dense.count(n)
    bound = op(
        "max_abs", Shape(1, n_out), n, v=c.delta(n), into=f"const float bound{n}"
    )
    listed = () if c.way(n) == "listed" else (dense.listing(c, n),)
    rows = op(
        "gate_rows",
        Shape(c.network.shape(n)[0], 1, c.density(n)),
        n,
        rows=c.rows(n),
        x=c.values(n),
        count=kept,
        eta=ETA,
        bound=Symbol(f"bound{n}"),
        tau=tau,
        into=kept.text,
    )
    return (*listed, bound, rows, *_passing(c, n), *_controlled(c, n))


def _passing(c: Composer, n: int) -> tuple[Item, ...]:
    """The update of what the row gate has let through."""
    gate, (n_in, n_out) = c.spec.gate, c.network.shape(n)
    share = c.density(n) if gate.active is None else gate.active
    shape = Shape(n_in, n_out, min(share, c.density(n)))
    if not gate.masked:
        return (_listed(c, n, shape),)
    m = c.inner(f"m{n}", (n_out,))
    masks = op("block_max", Shape(1, n_out), n, v=c.delta(n), m=m, block=gate.block)
    into = f"const size_t part{n}" if gate.active is not None else ""
    return masks, op(
        "listed_masked_update",
        shape,
        n,
        rows=c.rows(n),
        x=c.values(n),
        count=dense.count(n),
        b=c.biases(n),
        d=c.delta(n),
        m=m,
        eta=ETA,
        tau=Part(c.thresholds(), n - 1),
        into=into,
    )


def _controlled(c: Composer, n: int) -> tuple[Item, ...]:
    """The threshold moves, so that a share of the updates passes."""
    gate, (n_in, n_out) = c.spec.gate, c.network.shape(n)
    if gate.active is None:
        return ()
    tau = Part(c.thresholds(), n - 1)
    return (
        op(
            "controlled",
            Shape(1, 1),
            n,
            tau=tau,
            part=Symbol(f"part{n}") if gate.masked else dense.count(n),
            whole=n_in * n_out if gate.masked else n_in,
            set_point=float(gate.active),
            gain=GAIN,
            into=tau,
        ),
    )


def budget(c: Composer) -> tuple[Item, ...]:
    """The controller of a budget: what this step has taken moves the threshold."""
    gate = c.spec.gate
    if gate.budget is None:
        return ()
    tau, taken = c.thresholds(), "net->signal"
    moved = op(
        "controlled",
        Shape(1, 1),
        tau=Part(tau, 0),
        part=Symbol(taken),
        whole=gate.budget,
        set_point=1.0,
        gain=BUDGET_GAIN,
        into="const float moved",
    )
    each = Repeat("n", tau.size, (Set("s->tau[n]", "moved", (tau,)),), c_type="size_t")
    return (Set(taken, "(uint32_t)net_counter() - started"), moved, each)


def _change(c: Composer, n: int) -> tuple[Item, ...]:
    """Layer n's, behind its gate."""
    if n in c.spec.gated:
        return _gated(c, n)
    if c.way(n) == "listed":
        return (_listed(c, n, dense.shape(c, n)),)
    if c.way(n) == "fused":
        return _pending(c, n)
    return (_whole(c, n),)


def _flush(c: Composer, n: int) -> tuple[Item, ...]:
    """Layer n's update that waits, and nothing else."""
    made = op(
        "rank_one", dense.shape(c, n), n, w=c.weights(n), s=c.rates(n), d=c.delta(n)
    )
    due = dense.due(n)
    return (If(due, (made, Set(due, "false"))),)


UPDATE = Update(
    name="rank-1",
    says="W[i][j] -= eta x_i d_j, b_j -= eta d_j",
    change=_change,
    ways=dense.WAYS,
    gated=True,
    flush=_flush,
)
