"""Random directions of forward gradients: operations that draw them and use them.

A direction has a seed of its own, and is drawn anew wherever it is needed
(docs/arithmetic.md).
"""

from __future__ import annotations

from codegen import streams
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.errors import SpecError
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.numbers import SUM
from codegen.parameters import Parameter, Parameters
from codegen.program import Carried, Item, Op, Operand, Part, Repeat, Set, Symbol, op
from codegen.tables import LARGEST, POINT
from codegen.tensors import Tensor

K = Parameter("k", 1, "directions a step, whose estimates are averaged", most=1024)
PERTURBATION = Parameter(
    "perturbation",
    "rademacher",
    "distribution of a direction's elements: +-1, or normal numbers",
    ("rademacher", "gaussian"),
)

SMALLER = 2
"""Of integers a direction's elements are +-2^-2: tangents may be 4 times as large."""
MOST_INTEGERS = 64
"""Directions a step, of integers."""


def in_integers(parameters: Parameters) -> str:
    """Why these parameters have no integer form, and what was expected; empty where
    they have one."""
    k = int(parameters["k"])
    if parameters["perturbation"] != "rademacher":
        return "perturbation 'gaussian': a normal number takes logarithms: expected rademacher"
    if k > MOST_INTEGERS or k & (k - 1):
        return f"k {k}: a mean of directions is a shift: expected a power of two up to {MOST_INTEGERS}"
    return ""


def require_sums(c: Composer) -> None:
    """Raise `SpecError` where derivatives along all directions could leave 32 bits."""
    k, n_out = int(c.parameters["k"]), c.network.n_out
    if c.numbers.integer and k * n_out * LARGEST**2 > SUM:
        raise SpecError(
            f"k {k} of rule {c.spec.rule.name!r} in {c.spec.format}: sums over {n_out} outputs "
            "and all directions could leave 32 bits: expected at most "
            f"{SUM // LARGEST**2} of their product"
        )


DIRECTION, C = Symbol("direction"), Symbol("c")
"""What `direction` and a factor are called in C."""


def seed(k: int) -> Symbol:
    """Seed of direction k, one of so many a step."""
    return Symbol(f"net_direction(net, {k}, k)")


def direction(k: int) -> Set:
    """Name the seed of direction k in C."""
    return Set(f"const uint32_t {DIRECTION.text}", seed(k).text)


def along(
    c: Composer, n: int, drawn: Symbol, factor: float | int | Symbol, x: Operand, y: Operand,
    row: int | str = 0,
) -> Op:  # fmt: skip
    """y = x + factor v, with v a row of the direction whose seed is `drawn`."""
    across = Shape(1, c.network.layers[n])
    return op(
        str(c.parameters["perturbation"]),
        across,
        n,
        seed=drawn,
        stream=streams.perturbation(n),
        row=Symbol(row) if isinstance(row, str) else row,
        c=factor,
        x=x,
        y=y,
    )


def jvp(c: Composer, n: int, below: Tensor | None, t: Tensor) -> Op:
    """Layer n's pre-activations, and t, their derivative where all its weights move
    along a direction, and its input along `below`."""
    shape = Shape(*c.network.shape(n))
    return op(
        f"jvp_{c.parameters['perturbation']}",
        shape,
        n,
        seed=DIRECTION,
        stream=streams.perturbation(n),
        w=c.weights(n),
        b=c.biases(n),
        x=c.input(n),
        t=below,
        a=c.result(n),
        u=t,
    )


def derivative(
    c: Composer, n: int, e: Tensor, t: Tensor, jvp: Tensor, part: str = ""
) -> Op:
    """jvp_k = e . t."""
    whole = c.numbers.integer  # and so always finite
    return op(
        "dot",
        Shape(1, e.size),
        n,
        x=e,
        y=t,
        purpose=part,
        into=Part(jvp, "k"),
        needs="" if whole else "finite",
        faults=None if whole else jvp,
    )


def alone(c: Composer, n: int, drawn: Symbol, t: Tensor) -> tuple[Op, ...]:
    """t = the direction's row for layer n, of integers as a signal."""
    if not c.numbers.integer:
        return (along(c, n, drawn, 1.0, None, t),)
    u = c.totals(f"u{n}", c.weights(n))
    made = along(c, n, drawn, unit(c, u), None, u)
    return (made, stored(c, n, u, c.point_of(u), t))


def unit(c: Composer, u: Tensor) -> int:
    """An element of a direction, in the units of integer sums."""
    return 1 << (c.point_of(u) - SMALLER)


def stored(
    c: Composer, n: int, u: Tensor, fraction: int, into: Tensor, part: str = "stored"
) -> Op:
    """Sums of layer n with so many bits below their point, as a signal."""
    across = Shape(1, u.size)
    return op("hard_tanh", across, n, a=u, fraction=fraction, h=into, purpose=part)


def mean_along(c: Composer, n: int, jvp: Tensor) -> tuple[Item, ...]:
    """d_n = mean over k of jvp_k u_k; 0 where a relu's unit is dead."""
    k, d = jvp.size, c.delta(n)
    says = f"d_{n} = mean_k jvp_k u_k, the directions drawn again"
    if c.numbers.integer:
        return _mean_fixed(c, n, jvp, says)
    mean = (
        Set("const float c", f"{jvp.name}[k] / {literal(k)}", (jvp,)),
        along(c, n, seed(k), C, Carried(d, "k"), d),
    )
    return (Repeat("k", k, mean, says), *dense.alive(c, n, d))


def _mean_fixed(c: Composer, n: int, jvp: Tensor, says: str) -> tuple[Item, ...]:
    """The same of sums, rounded once: each step's square and K move the point."""
    u = c.totals(f"u{n}", c.weights(n))
    each = Set(f"const int32_t {C.text}", f"{jvp.name}[k]", (jvp,))
    summed = along(c, n, seed(jvp.size), C, Carried(u, "k"), u)
    point = 2 * POINT - SMALLER + jvp.size.bit_length() - 1
    return (
        Repeat("k", jvp.size, (each, summed), says),
        stored(c, n, u, point, c.delta(n)),
    )
