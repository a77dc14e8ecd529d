"""Direct feedback alignment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np

from codegen import streams
from codegen.cost import Shape
from codegen.memory import Const, Scratch, Timeline, taped_scratch
from codegen.reference.random import uniform
from codegen.rules import Declaration, Parameter, Rate
from codegen.spec import Network, Spec


def _stored(seed: int, layer: int, n_out: int, width: int) -> Iterable[float]:
    limit = np.float32(math.sqrt(3 / n_out))
    return uniform(seed, streams.feedback(layer), limit, n_out * width).tolist()


def _const(spec: Spec, parameters: Mapping[str, str | float]) -> tuple[Const, ...]:
    if parameters["feedback"] == "signs":
        return ()
    network = spec.network
    return tuple(
        Const(
            f"feedback{layer}",
            (network.n_out, network.layers[layer]),
            partial(_stored, spec.seed, layer, network.n_out, network.layers[layer]),
        )
        for layer in range(1, network.depth)
    )


def _scratch(
    network: Network, parameters: Mapping[str, str | float]
) -> tuple[Scratch, ...]:
    if parameters["feedback"] == "uniform":
        return taped_scratch(network)
    time = Timeline(network)
    signs = tuple(
        Scratch(
            f"signs{layer}", (-(-network.n_out * network.layers[layer] // 32),),
            time.delta(layer), time.delta(layer), inner=True, c_type="uint32_t",
        )
        for layer in range(1, network.depth)
    )  # fmt: skip
    return (*taped_scratch(network), *signs)


def _calls(
    network: Network, parameters: Mapping[str, str | float], layer: int
) -> tuple[tuple[str, Shape], ...]:
    stored = parameters["feedback"] == "uniform"
    name = "f32_feedback_stored" if stored else "f32_feedback_signs"
    return ((name, Shape(network.n_out, network.layers[layer])),)


RULE = Declaration(
    name="dfa",
    title="direct feedback alignment",
    source="Nokland 2016, arXiv 1609.01596",
    equation="d_L = e; d_l = (B_l e) * phi'(a_l), B_l fixed and random",
    parameters=(
        Parameter(
            "feedback",
            "signs",
            "signs: +-feedback_scale from the generator, no stored matrix; "
            "uniform: stored in flash, U(+-sqrt(3/outputs))",
            ("signs", "uniform"),
        ),
        Parameter("feedback_scale", 0.25, "magnitude of an element of sign feedback"),
    ),
    rates={"*": Rate(0.03, 0.02), "relu": Rate(0.01, 0.003)},
    scratch=_scratch,
    const=_const,
    calls=_calls,
)
