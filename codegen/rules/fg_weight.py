"""Forward gradient by perturbing every weight."""

from __future__ import annotations

from codegen.cost import Shape
from codegen.memory import Scratch, Timeline, inference_scratch
from codegen.rules import Declaration, Parameter, Parameters, Rate, slope
from codegen.spec import Network

K = Parameter("k", 1, "directions a step, whose estimates are averaged", most=1024)
PERTURBATION = Parameter(
    "perturbation",
    "rademacher",
    "distribution of a direction's elements: +-1, or normal numbers",
    ("rademacher", "gaussian"),
)


def _scratch(network: Network, parameters: Parameters) -> tuple[Scratch, ...]:
    """Inference's, and as much again for the derivative; the passes of all K
    directions use the same."""
    time = Timeline(network)
    whole = (time.input, time.update)
    found = []
    for item in inference_scratch(network):
        alive = whole if item.name in ("x", "p") else (item.born, item.dies)
        found.append(Scratch(item.name, item.shape, *alive))
    for layer in range(1, network.depth + 1):
        last = time.output if layer == network.depth else time.forward(layer + 1)
        width = (network.layers[layer],)
        found.append(Scratch(f"t{layer}", width, time.forward(layer), last))
    found.append(Scratch("e", (network.n_out,), *whole))
    found.append(Scratch("jvp", (int(parameters["k"]),), *whole))
    return tuple(found)


def _calls(
    network: Network, parameters: Parameters, layer: int
) -> tuple[tuple[str, Shape], ...]:
    shape, kind = Shape(*network.shape(layer)), parameters["perturbation"]
    found = [
        (f"f32_jvp_{kind}", shape),
        (f"f32_{kind}", Shape(1, shape.n_out)),
    ]
    if layer < network.depth:
        found += slope(network, layer)
    else:
        found.append(("f32_dot", Shape(1, network.n_out)))
    return tuple(found)


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
    parameters=(K, PERTURBATION),
    rates=_rates,
    scratch=_scratch,
    calls=_calls,
    updates=lambda network: frozenset(),
    gates=frozenset({"error"}),
    dense_input=True,
)
