"""Backpropagation, the baseline."""

from __future__ import annotations

from codegen.cost import Shape
from codegen.memory import taped_scratch
from codegen.rules import Declaration, Parameters, Rate, by_activation, slope
from codegen.spec import Network


def _calls(
    network: Network, parameters: Parameters, layer: int
) -> tuple[tuple[str, Shape], ...]:
    if layer == network.depth:
        return ()
    below = ("f32_dense_backward", Shape(*network.shape(layer + 1)))
    return (below, *slope(network, layer))


RULE = Declaration(
    name="bp",
    title="backpropagation, the baseline",
    source="Rumelhart, Hinton, Williams 1986",
    equation="d_L = e; d_l = (W_{l+1} d_{l+1}) * phi'(a_l), weights before the update",
    parameters=(),
    rates=by_activation(others=Rate(0.03, 0.02), relu=Rate(0.03, 0.01)),
    scratch=lambda network, parameters: taped_scratch(network),
    calls=_calls,
)
