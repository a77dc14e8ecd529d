"""Forward gradient by perturbing every weight."""

from __future__ import annotations

from codegen import fronts, goals, perturbation
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.forms import program
from codegen.layers import dense
from codegen.parameters import Parameters
from codegen.perturbation import DIRECTION, C, K
from codegen.program import Item, Part, Program, Repeat, Set, Stage
from codegen.rules import Declaration, Rate
from codegen.tensors import Tensor
from codegen.updates.base import limit


def _tangent(c: Composer, n: int) -> Tensor:
    return c.tensor(f"t{n}", (c.network.layers[n],))


def _layer(c: Composer, n: int) -> Stage:
    """Layer n, and its derivative along the direction."""
    n_in, n_out = c.network.shape(n)
    t = _tangent(c, n)
    below = _tangent(c, n - 1) if n > 1 else None
    hidden = n < c.depth
    through = (
        *dense.activate(c, n, c.result(n)), *dense.slope(c, n, t)
    ) if hidden else ()  # fmt: skip
    says = f"layer {n}: {n_in} to {n_out}, and its derivative along the direction"
    return Stage("look", (perturbation.jvp(c, n, below, t), *through), n, says)


def _judge(c: Composer) -> tuple[Item, ...]:
    slope = perturbation.derivative(c, c.depth, c.error, _tangent(c, c.depth), _jvp(c))
    return (goals.judge(c), Stage("judge", (slope,)), *goals.leave_if_negligible(c))


def _jvp(c: Composer) -> Tensor:
    return c.tensor("jvp", (int(c.parameters["k"]),))


def _moves(c: Composer, n: int) -> tuple[Item, ...]:
    """Weights and biases of layer n along the direction, by c."""
    n_in, _ = c.network.shape(n)
    row, b = Part(c.weights(n), "i"), c.biases(n)
    moved = perturbation.along(c, n, DIRECTION, C, row, row, row="i")
    return (
        Repeat("i", n_in, (moved,)),
        perturbation.along(c, n, DIRECTION, C, b, b, row=n_in),
    )


def _program(c: Composer) -> Program:
    k, layers = int(c.parameters["k"]), range(1, c.depth + 1)
    direction = perturbation.direction(k)
    rate = f"-(eta * (jvp[k] / {literal(k)}))"
    learned = (
        direction,
        Set("const float c", rate, (_jvp(c),)),
        *(item for n in layers for item in _moves(c, n)),
    )
    return program(
        c,
        (
            *fronts.front(c),
            Repeat(
                "k", k, (direction, *(_layer(c, n) for n in layers), *_judge(c)),
                "jvp_k: the loss's derivative where all weights move along direction k",
            ),
            Stage(
                "update",
                (
                    Repeat("k", k, learned),
                    *(item for n in layers for item in limit(c, n)),
                ),
                says="W -= eta / K sum_k jvp_k v_k, b likewise: the directions are "
                "drawn again",
            ),
        ),
    )  # fmt: skip


def _rates(activation: str, parameters: Parameters) -> Rate:
    """Searched for 64-128-64-10 (docs/rules.md): the estimate's variance grows with
    the number of weights, and falls with K. `wide` is a guess."""
    k = int(parameters["k"])
    small = 0.0002 if k < 4 else 0.0005 if k < 16 else 0.001
    return Rate(small, small / 10)


RULE = Declaration(
    name="fg-weight",
    title="forward gradient, weights perturbed",
    source="Baydin, Pearlmutter, Syme, Wood, Torr 2022, arXiv 2202.08587",
    equation="g = mean_k (grad L . v_k) v_k over random directions v_k of all weights",
    parameters=(K, perturbation.PERTURBATION),
    rates=_rates,
    program=_program,
    gates=frozenset({"error"}),
    floating="all its weights move at once, by about a unit of 16 bits or not at all",
)
