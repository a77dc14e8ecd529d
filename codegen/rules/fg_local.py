"""Forward gradient of local losses, activities perturbed."""

from __future__ import annotations

from codegen import perturbation
from codegen.composer import Composer
from codegen.layers import dense
from codegen.parameters import Parameters
from codegen.program import Item, Op, Program, Repeat
from codegen.rules import Declaration, Rate, local
from codegen.tensors import Tensor


def _delta(c: Composer, n: int) -> tuple[Item, ...]:
    k, e = int(c.parameters["k"]), local.error(c, n)
    t = c.signal(f"t{n}", (c.network.layers[n],))
    jvp = c.tensor(f"jvp{n}", (k,), format=c.numbers.total)
    followed, r = _followed(c, n, t, e)
    each = (
        *perturbation.alone(c, n, perturbation.seed(k), t),
        *dense.slope(c, n, t),
        *followed,
        perturbation.derivative(c, n, e, r, jvp, "readout"),
    )
    says = (
        f"jvp_k: the derivative of the read-out's loss where a_{n} moves along "
        "direction k"
    )
    return (Repeat("k", k, each, says), *perturbation.mean_along(c, n, jvp))


def _followed(
    c: Composer, n: int, t: Tensor, e: Tensor
) -> tuple[tuple[Op, ...], Tensor]:
    """What makes the read-out's outputs where its input moves by t, and these."""
    if not c.numbers.integer:
        r = c.inner(f"r{n}", e.shape)
        return (local.through(c, n, t, r),), r
    sums, r = c.totals(f"q{n}", local.readout(c, n)), c.signal(f"v{n}", e.shape)
    stored = perturbation.stored(c, n, sums, c.point_of(sums), r, "readout")
    return (local.through(c, n, t, sums), stored), r


def _program(c: Composer) -> Program:
    perturbation.require_sums(c)
    return local.program(c, _delta)


def _rates(activation: str, parameters: Parameters) -> Rate:
    """Searched for 64-128-64-10 and MNIST's 784-128-10 (docs/rules.md)."""
    return Rate(0.005, 0.001 if int(parameters["k"]) < 4 else 0.002)


RULE = Declaration(
    name="fg-local",
    title="forward gradient of local losses, activities perturbed",
    source="Ren, Kornblith, Liao, Hinton 2022, arXiv 2210.03310 (LG-FG-A)",
    equation="d_l = mean_k (grad L_l . u_k) u_k over random directions u_k of layer l's "
    "pre-activations, L_l the loss of its own read-out",
    parameters=(perturbation.K, perturbation.PERTURBATION),
    rates=_rates,
    program=_program,
    integers=perturbation.in_integers,
)
