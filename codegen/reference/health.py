"""How learning goes: each layer's update beside the true gradient.

Computed from the bits that the device holds too, at no cost to it. The gradient
is backpropagation's, of the network's loss for the same sample with the weights
before the step, whatever rule made the update.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from codegen.reference import fronts
from codegen.reference.arithmetic import F32, F64
from codegen.reference.goals import Given
from codegen.reference.learner import Learner, NonFinite
from codegen.spec import Inputs, RuleChoice, Spec

FLAT = 0.1
"""A unit whose slope is under this share of the activation's largest is
saturated."""


@dataclass(frozen=True)
class Health:
    """One step's, layer by layer: `angle` in degrees between the update and the
    descent of the true gradient (0: along it, over 90: against it; None without
    an update, or a gradient), Euclidean norms of update and weights, `active`: the
    share of weights that the update wrote, `saturation`: the share of the layer's
    units on a flat piece of the activation (hidden layers only); `promises`: what the
    rule itself is to be judged by, numbers by name, layer by layer."""

    angle: Sequence[float | None]
    update_norm: Sequence[float]
    weight_norm: Sequence[float]
    active: Sequence[float]
    saturation: Sequence[float]
    promises: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def table(self) -> dict[str, Sequence[float | None]]:
        """All of it by name."""
        found = asdict(self)
        return found | found.pop("promises")


def health(
    learner: Learner,
    before: Mapping[str, F32],
    sample: NDArray[np.generic],
    target: Given,
    watched: Sequence[int] = (),
) -> Health:
    """Of the step that `learner` has just done on a raw sample [n_in], from the
    state `before` it; with the ticks of the first hidden layer's cells that are
    `watched`."""
    own = learner.spec.numbers.own  # such cells have no gradient, and no slope
    factors = [] if own else _gradient(learner, before, sample, target)
    angles: list[float | None] = []
    updates, weights, active = [], [], []
    for layer in range(1, learner.depth + 1):
        now = learner.state[f"W{layer}"]
        moved = now.astype(np.float64) - before[f"W{layer}"]
        angles.append(_angle(moved, *factors[layer - 1]) if factors else None)
        updates.append(float(np.linalg.norm(moved)))
        weights.append(float(np.linalg.norm(now.astype(np.float64))))
        active.append(learner.changed.get(layer, 0) / now.size)
    hidden = range(1, learner.depth) if not own else ()
    flat = [_saturation(learner, layer) for layer in hidden]
    told = {**promises(learner, before, sample), **_ticks(learner, watched)}
    return Health(angles, updates, weights, active, flat, told)


def _ticks(learner: Learner, watched: Sequence[int]) -> dict[str, list[float]]:
    """Of each watched cell whether it spikes, "s1[CELL]", its potential, "u1[CELL]", and
    its trace, "a1[CELL]", in every tick of the step just done, where they are kept."""
    trace, told = learner.trace, dict[str, list[float]]()
    for cell in watched if "trace_u1" in trace else ():
        one = "raster" in trace  # of cells of which one spikes, the number
        spikes = trace["raster"][:, 0] == cell if one else trace["trace1"][:, cell] != 0
        told[f"s1[{cell}]"] = spikes.astype(int).tolist()
        for short in ("u1", "a1"):
            if (name := f"trace_{short}") in trace:
                told[f"{short}[{cell}]"] = trace[name][:, cell].tolist()
    return told


def promises(
    learner: Learner, before: Mapping[str, F32], sample: NDArray[np.generic]
) -> Mapping[str, Sequence[float]]:
    """What the rule's twin tells of the step: `promises(machine, trace)`, if it has
    that, from a machine with the state before the step that has looked at the sample
    again, and from the step's trace."""
    if not hasattr(learner.twin, "promises"):
        return {}
    again = Learner(learner.spec, learner.seed)
    again.load(before)
    again.infer(sample)
    found: Mapping[str, Sequence[float]] = learner.twin.promises(again, learner.trace)
    return found


def _gradient(
    learner: Learner,
    state: Mapping[str, F32],
    sample: NDArray[np.generic],
    target: Given,
) -> list[tuple[F64, F64]]:
    """Of each layer the factors x, d of the gradient x d^T; none where a value is
    not finite. Of a network that settles, the gradient is that of the network without
    feedback which the rule's twin names."""
    spec, network = learner.spec, learner.spec.network
    if hasattr(learner.twin, "feedforward"):
        network = learner.twin.feedforward(network)
    inputs = spec.inputs
    if (
        inputs.raster is not None
    ):  # its network without time sees how often inputs spike
        sample = fronts.of(inputs).network_input(inputs, sample).mean(axis=0)
        inputs = Inputs("f32", 1.0)
    exact = Learner(Spec(network, RuleChoice("bp"), inputs, spec.seed, goal=spec.goal))
    exact.load({name: state[name] for name in exact.state})
    try:
        exact.step(sample, target, 0.0)
    except NonFinite:
        return []
    return [
        (exact.input_of(n).astype(np.float64), exact.delta_of(n).astype(np.float64))
        for n in range(1, exact.depth + 1)
    ]


def _angle(moved: F64, x: F64, d: F64) -> float | None:
    """Between an update and -x d^T, in degrees."""
    sizes = np.linalg.norm(moved) * np.linalg.norm(x) * np.linalg.norm(d)
    if sizes == 0 or not np.isfinite(sizes):
        return None
    cosine = float(-(x @ moved @ d) / sizes)
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def _saturation(learner: Learner, layer: int) -> float:
    slopes = learner.slope(layer, np.ones_like(learner.trace[f"h{layer}"]))
    steepest = 0.25 if learner.spec.network.activation == "sigmoid" else 1.0
    return float(np.mean(slopes < FLAT * steepest))
