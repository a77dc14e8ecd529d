"""Online training through time, every tick an update (OTTT-O).

e = sigmoid(u_L) - t of this tick's potentials; d_l = (B_l e) psi(u_l), psi(u) = 1 /
(1 + 2 |u - theta|)^2, or with W_(l+1) d_(l+1) in place of B_l e; a_l <- leak a_l + s_l,
s_0 = x; W_l -= eta / T a_(l-1) d_l, b_l -= eta / T d_l (Xiao et al. 2022,
arXiv 2210.04195, eq. 9 to 11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from codegen.reference import homeostasis, spiking
from codegen.reference.arithmetic import F32
from codegen.reference.integers import Fixed
from codegen.reference.layers import dense
from codegen.reference.machine import Machine
from codegen.reference.operations import Limits, T
from codegen.reference.rules import dfa
from codegen.reference.spiking import Cells
from codegen.reference.updates import rank_one
from codegen.spec import Network

Parameters = Mapping[str, str | float]


def look(machine: Machine[T], x: T) -> T:
    """All ticks, nothing learned; returns the outputs' mean potential."""
    machine.begin(x)
    cells = spiking.cells(machine, x)
    for _ in range(cells.ticks):
        cells.tick()
    return cells.answer()


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`, and then ticks before that one have learned."""
    machine.begin(x)
    cells = spiking.cells(machine, x)
    layers = range(1, machine.depth + 1)
    traces = {layer: cells.none(layer - 1) for layer in layers}
    rate = np.float32(eta / np.float32(cells.ticks))
    for _ in range(cells.ticks):
        cells.tick()
        machine.judge_again("q", cells.u[machine.depth], t)
        for layer in layers:
            traces[layer] = cells.remembered(layer, traces[layer])
            name = f"ah{layer - 1}" if layer > 1 else "ax"
            machine.name(name, traces[layer], "trace")
            cells.see("a", layer - 1, traces[layer])
        if not machine.negligible(machine.trace["e"]):
            _learn(machine, cells, traces, rate)
    machine.judge(cells.answer(), t)
    cells.regulate()
    cells.trace.named()


def initial(
    network: Network, draw: dense.Draw, parameters: Parameters
) -> dict[str, F32]:
    """With homeostasis, what thresholds have risen by, and rates."""
    if not homeostasis.on(parameters):
        return {}
    found: dict[str, Any] = {}
    for layer in range(1, network.depth):
        rise = dense.initial(network, layer, draw)[1]  # zeros, in the weights' numbers
        rate = rise
        if isinstance(rise, Fixed):
            rise, rate = spiking.whole_slow(rise, float(parameters["theta"]))
        found |= {f"theta{layer}": rise, f"rate{layer}": rate.copy()}
    return found


def held(network: Network, parameters: Parameters) -> dict[str, Limits]:
    """Limits of both."""
    if not homeostasis.on(parameters):
        return {}
    rate, rise = homeostasis.limits(float(parameters["theta"]), whole=False)
    hidden = range(1, network.depth)
    ends = ((f"theta{n}", f"rate{n}") for n in hidden)
    return {
        name: end for pair in ends for name, end in zip(pair, (rise, rate), strict=True)
    }


def learning(network: Network) -> list[int]:
    """None by the update of the spec."""
    return []


def promises(machine: Machine[F32], trace: Mapping[str, F32]) -> dict[str, list[float]]:
    """Of an answer with the weights before the step: `rate`, the spikes a cell and tick
    of each hidden layer; `synaptic`, the synaptic operations of each layer: additions,
    a spike or an input that is not zero to a cell."""
    cells, hidden = spiking.cells(machine, machine.trace["x"]), range(1, machine.depth)
    came = np.zeros(machine.depth)
    for _ in range(cells.ticks):
        cells.tick()
        came += [np.count_nonzero(cells.s[n]) for n in range(machine.depth)]
    widths = machine.spec.network.layers
    return {
        "rate": [float(came[n] / (cells.ticks * widths[n])) for n in hidden],
        "synaptic": [float(a * n) for a, n in zip(came, widths[1:], strict=True)],
    }


def feedforward(network: Network) -> Network:
    """The network without time whose gradient is near: rates are never below zero."""
    return Network(network.layers, "relu", network.output)


def _learn(
    machine: Machine[T], cells: Cells[T], traces: Mapping[int, T], rate: np.float32
) -> None:
    """Of one tick: every delta, and then every layer's update."""
    kind, hidden = machine.parameters["feedback"], range(machine.depth - 1, 0, -1)
    if kind == "weights":
        for layer in hidden:
            u = machine.backward(f"W{layer + 1}", machine.delta_of(layer + 1))
            _delta(machine, cells, layer, u)
    elif kind != "none":
        matrix, ends = dfa.matrices(machine)
        heard = machine.project(machine.arithmetic.constant(matrix), machine.trace["e"])
        for layer in hidden:
            _delta(machine, cells, layer, heard[ends[layer - 1] : ends[layer]])
    for layer in (machine.depth, *(() if kind == "none" else hidden)):
        rank_one.learned(machine, layer, traces[layer], machine.delta_of(layer), rate)


def _delta(machine: Machine[Any], cells: Cells[Any], layer: int, u: Any) -> None:
    d = machine.arithmetic.surrogate(cells.above(layer), cells.reached, u)
    machine.note(f"d{layer}", d, "delta")
