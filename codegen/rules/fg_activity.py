"""Forward gradient by perturbing every hidden pre-activation."""

from __future__ import annotations

from codegen.cost import Shape
from codegen.memory import Scratch, Timeline, taped_scratch
from codegen.rules import Declaration, Parameters, Rate, slope
from codegen.rules.fg_weight import PERTURBATION, K
from codegen.spec import Network


def _scratch(network: Network, parameters: Parameters) -> tuple[Scratch, ...]:
    """The inputs of every layer are kept, for its delta comes last; a tangent
    dies one layer later, as an activation of inference does."""
    time = Timeline(network)
    found = list(taped_scratch(network))
    if network.depth == 1:
        return tuple(found)
    top = network.depth
    for layer in range(1, top + 1):
        width, last = (network.layers[layer],), time.tangent(min(layer + 1, top))
        found.append(Scratch(f"t{layer}", width, time.tangent(layer), last))
        if 1 < layer < top:
            now = time.tangent(layer)
            found.append(Scratch(f"u{layer}", width, now, now, inner=True))
    k = int(parameters["k"])
    found.append(Scratch("jvp", (k,), time.output, time.update))
    # every direction passes again before the first delta: nothing that outlives
    # a pass may share with what is only there during one
    return tuple(found)


def _calls(
    network: Network, parameters: Parameters, layer: int
) -> tuple[tuple[str, Shape], ...]:
    if network.depth == 1:
        return ()
    shape, kind = Shape(*network.shape(layer)), parameters["perturbation"]
    if layer == network.depth:
        return (
            ("tangent/f32_feedback_stored", shape),
            ("f32_dot", Shape(1, network.n_out)),
        )
    across = Shape(1, shape.n_out)
    found = [
        (f"f32_{kind}", across),
        ("f32_all_finite", across),
        *slope(network, layer),
    ]
    if layer > 1:
        found.append(("tangent/f32_dense_forward", shape))
    return tuple(found)


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
    parameters=(K, PERTURBATION),
    rates=_rates,
    scratch=_scratch,
    calls=_calls,
)
