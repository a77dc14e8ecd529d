"""Random directions of forward gradients: operations that draw them and use them.

A direction has a seed of its own, and is drawn anew wherever it is needed
(docs/arithmetic.md).
"""

from __future__ import annotations

from codegen import streams
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.parameters import Parameter
from codegen.program import Carried, Item, Op, Operand, Part, Repeat, Set, Symbol, op
from codegen.tensors import Tensor

K = Parameter("k", 1, "directions a step, whose estimates are averaged", most=1024)
PERTURBATION = Parameter(
    "perturbation",
    "rademacher",
    "distribution of a direction's elements: +-1, or normal numbers",
    ("rademacher", "gaussian"),
)

DIRECTION, C = Symbol("direction"), Symbol("c")
"""What `direction` and a factor are called in C."""


def seed(k: int) -> Symbol:
    """Seed of direction k, one of so many a step."""
    return Symbol(f"net_direction(net, {k}, k)")


def direction(k: int) -> Set:
    """The same, by a name."""
    return Set(f"const uint32_t {DIRECTION.text}", seed(k).text)


def along(
    c: Composer, n: int, drawn: Symbol, factor: float | Symbol, x: Operand, y: Operand,
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
    return op(
        "dot",
        Shape(1, e.size),
        n,
        x=e,
        y=t,
        purpose=part,
        into=Part(jvp, "k"),
        needs="finite",
        faults=jvp,
    )


def mean_along(c: Composer, n: int, jvp: Tensor) -> tuple[Item, ...]:
    """d_n = mean over k of jvp_k u_k; 0 where a relu's unit is dead."""
    k, d = jvp.size, c.delta(n)
    mean = (
        Set("const float c", f"{jvp.name}[k] / {literal(k)}", (jvp,)),
        along(c, n, seed(k), C, Carried(d, "k"), d),
    )
    says = f"d_{n} = mean_k jvp_k u_k, the directions drawn again"
    return (Repeat("k", k, mean, says), *dense.alive(c, n, d))
