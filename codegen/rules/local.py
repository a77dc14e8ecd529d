"""Local losses: every hidden layer learns from a read-out of its own."""

from __future__ import annotations

import math

from codegen import streams
from codegen.cost import Shape
from codegen.memory import Scratch, State, Timeline, passing_scratch
from codegen.rules import Declaration, Parameters, Rate, by_activation, slope
from codegen.spec import Network
from codegen.ways import OUTPUT_KERNELS


def readouts(network: Network, parameters: Parameters) -> tuple[State, ...]:
    """R_l [n_l, outputs] of every hidden layer, uniform within Glorot's limit."""
    return tuple(
        State(
            f"R{layer}",
            (network.layers[layer], network.n_out),
            streams.readout(layer),
            math.sqrt(6 / (network.layers[layer] + network.n_out)),
        )
        for layer in range(1, network.depth)
    )


def scratch(network: Network, parameters: Parameters) -> tuple[Scratch, ...]:
    """What learning in passing needs, and outputs and error of the read-out at hand."""
    time = Timeline(network)
    judged = tuple(
        Scratch(f"{name}{n}", (network.n_out,), time.passing(n), time.passing(n))
        for n in range(1, network.depth)
        for name in ("p", "e")
    )
    return (*passing_scratch(network), *judged)


def calls(
    network: Network, parameters: Parameters, layer: int
) -> tuple[tuple[str, Shape], ...]:
    """The read-out's way forward, its loss, and its update."""
    if layer == network.depth:
        return ()
    shape = Shape(network.layers[layer], network.n_out)
    return (
        ("readout/f32_feedback_stored", shape),
        (f"readout/{OUTPUT_KERNELS[network.output]}", Shape(1, network.n_out)),
        ("readout/f32_dense_update", shape),
    )


def _calls(
    network: Network, parameters: Parameters, layer: int
) -> tuple[tuple[str, Shape], ...]:
    found = calls(network, parameters, layer)
    if layer == network.depth:
        return found
    shape = Shape(network.layers[layer], network.n_out)
    return (*found, ("readout/f32_dense_backward", shape), *slope(network, layer))


RULE = Declaration(
    name="local",
    title="local losses with learned read-outs",
    source="Nokland, Eidnes 2019, arXiv 1901.06656; Belilovsky, Eickenberg, Oyallon 2019",
    equation="e_l = sigma(R_l h_l) - t; d_l = (R_l^T e_l) * phi'(a_l); R_l -= eta e_l h_l^T; "
    "nothing crosses layers",
    parameters=(),
    rates=by_activation(others=Rate(0.03, 0.02), relu=Rate(0.03, 0.01)),
    scratch=scratch,
    calls=_calls,
    state=readouts,
    in_passing=True,
)
