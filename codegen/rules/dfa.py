"""Direct feedback alignment."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

from codegen import drawn, streams
from codegen.cost import Shape
from codegen.memory import Const, Scratch, Timeline, taped_scratch
from codegen.rules import Declaration, Parameter, Parameters, Rate, by_activation, slope
from codegen.spec import Network, Spec


def _drawn(seed: int, layer: int, n_out: int, width: int) -> Iterable[float]:
    limit = math.sqrt(3 / n_out)
    return drawn.uniform(seed, streams.feedback(layer), limit, n_out * width)


def stored(spec: Spec, parameters: Parameters) -> tuple[Const, ...]:
    """Feedback matrices in the image, where they are not made of signs."""
    if parameters["feedback"] == "signs":
        return ()
    network = spec.network
    return tuple(
        Const(
            f"feedback{layer}",
            (network.n_out, network.layers[layer]),
            partial(_drawn, spec.seed, layer, network.n_out, network.layers[layer]),
        )
        for layer in range(1, network.depth)
    )


def signs(
    network: Network, parameters: Parameters, layer: int, moment: int
) -> tuple[Scratch, ...]:
    """The signs of a layer's feedback, a bit an element, while its delta is
    computed at `moment`."""
    if parameters["feedback"] == "uniform":
        return ()
    words = -(-network.n_out * network.layers[layer] // 32)
    return (
        Scratch(
            f"signs{layer}", (words,), moment, moment, inner=True, c_type="uint32_t"
        ),
    )  # fmt: skip


def _scratch(network: Network, parameters: Parameters) -> tuple[Scratch, ...]:
    time = Timeline(network)
    found = list(taped_scratch(network))
    if parameters["error"] == "ternary" and network.depth > 1:
        alive = time.output, time.delta(1)
        found.append(Scratch("q", (network.n_out,), *alive))
    for layer in range(1, network.depth):
        found += signs(network, parameters, layer, time.delta(layer))
    return tuple(found)


def projections(
    network: Network, parameters: Parameters, layer: int
) -> tuple[tuple[str, Shape], ...]:
    """What makes the delta of a hidden layer of its feedback."""
    if layer == network.depth:
        return ()
    from_flash = parameters["feedback"] == "uniform"
    name = "f32_feedback_stored" if from_flash else "f32_feedback_signs"
    projected = Shape(network.n_out, network.layers[layer])
    return ((name, projected), *slope(network, layer))


def _calls(
    network: Network, parameters: Parameters, layer: int
) -> tuple[tuple[str, Shape], ...]:
    if layer == network.depth > 1 and parameters["error"] == "ternary":
        return (("f32_ternary", Shape(1, network.n_out)),)
    return projections(network, parameters, layer)


FEEDBACK = (
    Parameter(
        "feedback",
        "signs",
        "signs: +-feedback_scale from the generator, no stored matrix; "
        "uniform: stored in flash, U(+-sqrt(3/outputs))",
        ("signs", "uniform"),
    ),
    Parameter("feedback_scale", 0.25, "magnitude of an element of sign feedback"),
)
"""Parameters of every rule that projects something onto hidden layers."""

RULE = Declaration(
    name="dfa",
    title="direct feedback alignment",
    source="Nokland 2016, arXiv 1609.01596",
    equation="d_L = e; d_l = (B_l e) * phi'(a_l), B_l fixed and random",
    parameters=(
        *FEEDBACK,
        Parameter(
            "error",
            "exact",
            "what hidden layers hear: e itself, or ternary: its sign where |e| is at "
            "least the threshold, else 0",
            ("exact", "ternary"),
        ),
        Parameter("threshold", 0.25, "of a ternary error"),
    ),
    rates=by_activation(others=Rate(0.03, 0.02), relu=Rate(0.01, 0.003)),
    scratch=_scratch,
    const=stored,
    calls=_calls,
)
