"""Forward gradient by perturbing every hidden pre-activation."""

from __future__ import annotations

from codegen import perturbation
from codegen.composer import Composer
from codegen.forms import at_the_end
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.parameters import Parameters
from codegen.perturbation import DIRECTION
from codegen.program import Item, Op, Program, Repeat, Stage, op
from codegen.rules import Declaration, Rate
from codegen.tensors import Tensor


def _tangent(c: Composer, n: int) -> Tensor:
    return c.signal(f"t{n}", (c.network.layers[n],))


def _jvp(c: Composer) -> Tensor:
    count = int(c.parameters["k"])
    return c.tensor("jvp", (count,), format=c.numbers.total)


def _moved(c: Composer, n: int) -> Stage:
    """t_n = phi'(a_n) (u_n + t_(n-1) W_n), u_n the direction's."""
    t = _tangent(c, n)
    if n == 1:
        drawn: tuple[Item, ...] = perturbation.alone(c, n, DIRECTION, t)
    else:
        drawn = _drawn_fixed(c, n, t) if c.numbers.integer else _drawn(c, n, t)
    return Stage("credit", (*drawn, *dense.slope(c, n, t)), n)


def _drawn(c: Composer, n: int, t: Tensor) -> tuple[Item, ...]:
    """t = u_n + t_(n-1) W_n."""
    shape = Shape(*c.network.shape(n))
    u = c.inner(f"u{n}", t.shape)
    return (
        perturbation.along(c, n, DIRECTION, 1.0, None, u),
        op(
            "dense_forward",
            shape,
            n,
            w=c.weights(n),
            b=u,
            x=_tangent(c, n - 1),
            a=t,
            purpose="tangent",
        ),
    )


def _drawn_fixed(c: Composer, n: int, t: Tensor) -> tuple[Item, ...]:
    """The same of sums that are rounded once."""
    u = c.totals(f"u{n}", c.weights(n))
    along = perturbation.along(c, n, DIRECTION, perturbation.unit(c, u), u, u)
    stored = perturbation.stored(c, n, u, c.point_of(u), t)
    return (_through(c, n, u), along, stored)


def _through(c: Composer, n: int, into: Tensor) -> Op:
    """t_(n-1) W_n."""
    return op(
        "feedback_stored",
        Shape(*c.network.shape(n)),
        n,
        feedback=c.weights(n),
        e=_tangent(c, n - 1),
        u=into,
        purpose="tangent",
    )


def _top(c: Composer) -> Stage:
    """The output layer follows, and the loss with it."""
    n, t = c.depth, _tangent(c, c.depth)
    if c.numbers.integer:
        u = c.totals(f"u{n}", c.weights(n))
        stored = perturbation.stored(c, n, u, c.point_of(u), t)
        follows: tuple[Item, ...] = (_through(c, n, u), stored)
    else:
        follows = (_through(c, n, t),)
    return Stage(
        "credit", (*follows, perturbation.derivative(c, n, c.error, t, _jvp(c))), n
    )


def _passes(c: Composer) -> tuple[Item, ...]:
    if c.depth == 1:
        return ()
    perturbation.require_sums(c)
    k = int(c.parameters["k"])
    each: tuple[Item, ...] = (
        perturbation.direction(k),
        *(_moved(c, n) for n in c.hidden),
        _top(c),
    )
    says = (
        "jvp_k: the loss's derivative where the hidden pre-activations move along "
        "direction k, u, and the output layer's only follow"
    )
    return (Repeat("k", k, each, says),)


def _credit(c: Composer, n: int) -> tuple[Item, ...]:
    return perturbation.mean_along(c, n, _jvp(c))


def _program(c: Composer) -> Program:
    return at_the_end(c, _credit, first=_passes(c))


def _rates(activation: str, parameters: Parameters) -> Rate:
    """`small`: searched for 64-128-64-10 (docs/rules.md)."""
    k = int(parameters["k"])
    wide = 0.001 if k < 4 else 0.003 if k < 16 else 0.006
    return Rate(0.001 if k < 4 else 0.005, wide)


RULE = Declaration(
    name="fg-activity",
    title="forward gradient, activities perturbed",
    source="Ren, Kornblith, Liao, Hinton 2022, arXiv 2210.03310, eq. 3",
    equation="d_L = e; d_l = mean_k (grad L . u_k) u_k,l over random directions u_k of "
    "the hidden pre-activations",
    parameters=(perturbation.K, perturbation.PERTURBATION),
    rates=_rates,
    program=_program,
    integers=perturbation.in_integers,
)
