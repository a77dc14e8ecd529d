"""Backpropagation, the baseline."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.memory import taped_scratch
from codegen.rules import Declaration, Rate
from codegen.spec import Network


def _kernels(network: Network, parameters: Mapping[str, object]) -> tuple[str, ...]:
    hidden = ("f32_dense_backward",) if network.depth > 1 else ()
    return ("f32_dense_update", *hidden)


RULE = Declaration(
    name="bp",
    title="backpropagation, the baseline",
    source="Rumelhart, Hinton, Williams 1986",
    equation="d_L = e; d_l = (W_{l+1} d_{l+1}) * phi'(a_l), weights before the update",
    parameters=(),
    rates={"*": Rate(0.03, 0.02), "relu": Rate(0.03, 0.01)},
    scratch=taped_scratch,
    const=lambda spec, parameters: (),
    kernels=_kernels,
)
