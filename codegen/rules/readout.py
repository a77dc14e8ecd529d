"""A trained read-out on random hidden layers, a baseline."""

from __future__ import annotations

from codegen.cost import Shape
from codegen.memory import Scratch, Timeline, error_scratch, inference_scratch
from codegen.rules import Declaration, Parameters, Rate, by_activation
from codegen.spec import Network


def _scratch(network: Network, parameters: Parameters) -> tuple[Scratch, ...]:
    """Inference's, with the output layer's input kept to its update."""
    time = Timeline(network)
    last = f"h{network.depth - 1}" if network.depth > 1 else "x"
    kept = tuple(
        Scratch(item.name, item.shape, item.born, time.update)
        if item.name in (last, "p")
        else item
        for item in inference_scratch(network)
    )
    return (*kept, error_scratch(network))


def _calls(
    network: Network, parameters: Parameters, layer: int
) -> tuple[tuple[str, Shape], ...]:
    return ()


RULE = Declaration(
    name="readout",
    title="only the output layer learns, a baseline",
    source="Huang, Zhu, Siew 2006 (extreme learning machine)",
    equation="d_L = e; hidden layers stay as they were drawn",
    parameters=(),
    rates=by_activation(others=Rate(0.03, 0.02)),
    scratch=_scratch,
    calls=_calls,
    updates=lambda network: frozenset({network.depth}),
    gates=frozenset({"error"}),
)
