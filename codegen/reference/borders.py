"""Where numbers enter a learner, and where they leave it, by the spec's format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from codegen.reference import fronts, integers, spikes
from codegen.reference.arithmetic import F32
from codegen.reference.float32 import FLOAT32
from codegen.reference.fronts import delays, liquid
from codegen.reference.outputs import OUTPUTS
from codegen.reservoir import Liquid
from codegen.spec import Inputs, Spec


def _looked(inputs: Inputs, state: dict[str, Any], sample: NDArray[Any]) -> F32:
    """x of a front that goes on, in floats."""
    if isinstance(inputs.front, Liquid):
        return liquid.network_input(inputs, sample, state)
    return delays.look(state)


@dataclass(frozen=True)
class Border:
    """`network_input(inputs, sample)` is what rules see of a raw sample, `target(t)` of
    what it is held against; `carried(inputs, state, sample)`: what they see of a front that
    goes on. `told(p)`: a step's outputs as float32; `outputs(kind, a)`:
    those of what an inference came to."""

    arithmetic: Any
    network_input: Callable[[Inputs, NDArray[Any]], Any]
    target: Callable[[F32], Any]
    told: Callable[[Any], F32]
    outputs: Callable[[str, Any], F32]
    carried: Callable[[Inputs, dict[str, Any], NDArray[Any]], Any] = _looked


_FLOATS = Border(
    FLOAT32,
    lambda inputs, sample: fronts.of(inputs).network_input(inputs, sample),
    lambda t: t,
    lambda p: p,
    lambda kind, a: OUTPUTS[kind].value(a),
)
_FIXED = Border(
    integers.Integers(), integers.network_input, integers.target, integers.told,
    lambda kind, a: integers.told(a),
    integers.carried,
)  # fmt: skip
_SPIKES = Border(
    spikes.Spikes(), spikes.network_input, spikes.target, spikes.told,
    lambda kind, a: spikes.told(a),
)  # fmt: skip


def of(spec: Spec) -> Border:
    """The spec's."""
    if not spec.numbers.integer:
        return _FLOATS
    return _SPIKES if spec.numbers.own else _FIXED
