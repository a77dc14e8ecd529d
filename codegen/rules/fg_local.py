"""Forward gradient of local losses, activities perturbed."""

from __future__ import annotations

from codegen.cost import Shape
from codegen.memory import Scratch, Timeline
from codegen.rules import Declaration, Parameters, Rate, local, slope
from codegen.rules.fg_weight import PERTURBATION, K
from codegen.spec import Network


def _scratch(network: Network, parameters: Parameters) -> tuple[Scratch, ...]:
    """As local losses, with the tangents of the layer and of its read-out."""
    time = Timeline(network)
    found = list(local.scratch(network, parameters))
    for n in range(1, network.depth):
        now = time.passing(n)
        found.append(Scratch(f"t{n}", (network.layers[n],), now, now))
        found.append(Scratch(f"r{n}", (network.n_out,), now, now, inner=True))
        found.append(Scratch(f"jvp{n}", (int(parameters["k"]),), now, now))
    return tuple(found)


def _calls(
    network: Network, parameters: Parameters, layer: int
) -> tuple[tuple[str, Shape], ...]:
    found = local.calls(network, parameters, layer)
    if layer == network.depth:
        return found
    across = Shape(1, network.layers[layer])
    return (
        *found,
        (f"f32_{parameters['perturbation']}", across),
        ("f32_all_finite", across),
        *slope(network, layer),
        ("readout/f32_dot", Shape(1, network.n_out)),
    )


def _rates(activation: str, parameters: Parameters) -> Rate:
    """Searched for 64-128-64-10 and MNIST's 784-128-10 (docs/rules.md)."""
    return Rate(0.005, 0.001 if int(parameters["k"]) < 4 else 0.002)


RULE = Declaration(
    name="fg-local",
    title="forward gradient of local losses, activities perturbed",
    source="Ren, Kornblith, Liao, Hinton 2022, arXiv 2210.03310 (LG-FG-A)",
    equation="d_l = mean_k (grad L_l . u_k) u_k over random directions u_k of layer l's "
    "pre-activations, L_l the loss of its own read-out",
    parameters=(K, PERTURBATION),
    rates=_rates,
    scratch=_scratch,
    calls=_calls,
    state=local.readouts,
    in_passing=True,
)
