"""A pattern detector by STDP, the sum of a cell's weights constant.

W_iy = min(W_iy + 4, 255) of every input i that is not zero; x = sum_i W_iy - 16 n; while
x > 0: if W_qy > 0: W_qy -= 1, x -= 1; q = (q + 1) mod n, q kept a cell, and 0 where what was
kept is not below n. A cell answers with sum_i W_ic of the inputs that are not zero; with
homeostasis less its threshold, and it spikes where that is 0 or more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.reference import homeostasis
from codegen.reference.machine import Machine
from codegen.reference.operations import Limits
from codegen.reference.spikes import Whole
from codegen.spec import Network, Spec

I64 = NDArray[np.int64]


def state(
    network: Network, seed: int, parameters: Mapping[str, str | float]
) -> dict[str, Any]:
    """All synapses alike."""
    n, cells = network.shape(1)
    slow = ("theta", "rate") if homeostasis.on(parameters) else ()
    return {
        "W1": np.full((n, cells), 16, np.uint8),
        **{name: np.zeros(cells, np.int32) for name in slow},
        "place": np.zeros(cells, np.uint32),
    }


def held(network: Network, parameters: Mapping[str, str | float]) -> dict[str, Limits]:
    """Rates and thresholds that homeostasis moves."""
    if not homeostasis.on(parameters):
        return {}
    ends = homeostasis.limits(float(parameters["threshold"]), whole=True)
    return dict(zip(("rate", "theta"), ends, strict=True))


def bounds(spec: Spec, parameters: Mapping[str, str | float]) -> Iterator[Whole]:
    """Of every step from any state within `held`, whatever comes."""
    n, _ = spec.network.shape(1)
    yield Whole("W1", "grows, and is taken from in turn", 0, 255)
    yield Whole("place", "the next turn, of others 0", 0, n - 1)
    yield Whole("current", "sum of W1", 0, 255 * n)
    if not homeostasis.on(parameters):
        return
    first = int(parameters["threshold"])
    rate, theta = homeostasis.limits(float(first), whole=True)
    least, most = (int(end) for end in theta)
    yield Whole("above", "sum less threshold", -(first + most), 255 * n - first - least)
    yield Whole("rate", "follows a sample's spikes", 0, int(rate[1]))
    yield Whole("theta", "follows the rate, within its limits", least, most)


def look(machine: Machine[Any], x: I64) -> I64:
    """What each cell hears."""
    x = _pattern(x)
    machine.begin(x)
    heard = machine.state["W1"][x != 0].sum(axis=0, dtype=np.int64)
    machine.trace["current"] = heard.astype(np.int32)
    if homeostasis.on(machine.parameters):
        theta = machine.state["theta"].astype(np.int64)
        heard = heard - (int(machine.parameters["threshold"]) + theta)
        machine.trace["above"] = heard.astype(np.int32)
    return heard


def step(machine: Machine[Any], x: I64, t: I64, eta: np.float32) -> None:
    """One presentation, the teacher of the label's cell right behind it."""
    x = _pattern(x)
    heard, label = look(machine, x), int(t.argmax())
    machine.trace["p"] = heard
    machine.loss = np.float32(heard.argmax() != label)
    w = machine.state["W1"][:, label].astype(np.int64)
    grown = np.where(x != 0, np.minimum(w + 4, 255), w)
    place = machine.state["place"]
    taken, place[label] = _taken(grown, int(grown.sum() - w.sum()), int(place[label]))
    machine.state["W1"][:, label] = taken
    machine.changed = {1: int(np.count_nonzero(taken != w))}
    if homeostasis.on(machine.parameters):
        homeostasis.of_spikes(machine, (heard >= 0).astype(np.int64), "threshold")


def _pattern(x: I64) -> I64:
    """Of spikes in time those of their one tick."""
    return x.reshape(x.shape[-1])


def _taken(w: I64, excess: int, place: int) -> tuple[I64, int]:
    """Weights less `excess` in all, one each in turn from `place` on, and whose turn is
    next."""
    left, place = w.copy(), place if place < w.size else 0
    while excess > 0:
        if left[place] > 0:
            left[place] -= 1
            excess -= 1
        place = (place + 1) % left.size
    return left, place
