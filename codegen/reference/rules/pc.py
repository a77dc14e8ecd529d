"""Predictive coding: values settle, and each layer learns from its own error.

mu_l = b_l + h_(l-1) W_l with h_0 = x, h_l = phi(z_l); eps_l = (mu_l - z_l) / variance_l,
hidden variances being 1, and of the outputs, clamped to t, eps_L = (mu_L - t) / variance.
Hidden values begin as predicted; then for T iterations, all layers at once,

    z_l += gamma (eps_l - phi'(z_l) (W_(l+1) eps_(l+1))),

by which the energy F = 1/2 sum_l variance_l |eps_l|^2 falls; where it rises, gamma is
halved for the rest of the sample. At last d_l = variance eps_l (Whittington and Bogacz
2017, with errors of the other sign; Casnici et al. 2025, arXiv 2508.08762).

Learned precision: every unit has a variance of its own, divided by everywhere, which moves
by half of `precision_rate` (eps^2 - 1 / variance_l) after the last iteration; d_l stays
eps_l times the parameter variance, in the output layer too.

"z-il": gamma is 1, and layer l learns from its error of iteration L - l, the first in
which it moves: z_l = mu_l - phi'(z_l) (W_(l+1) d_(l+1)), d_l = mu_l - z_l (Song et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.layers import dense
from codegen.reference.machine import Machine
from codegen.reference.operations import Limits, T
from codegen.spec import Network

Parameters = Mapping[str, str | float]
"""The rule's, by name."""


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    values = _look(machine, x)
    machine.judge(machine.top(), t)
    if machine.negligible(machine.trace["e"]):
        return
    if machine.parameters["inference"] == "z-il":
        _at_once(machine, values)
    elif machine.depth > 1:
        _settle(machine, values, t)
    machine.update(eta)
    if _learns(machine) and machine.depth > 1:
        for layer in range(machine.depth, 0, -1):
            _adapt(machine, layer)


def _look(machine: Machine[T], x: T) -> dict[int, T]:
    """A forward pass: the pre-activations of the hidden layers, with which their values
    begin."""
    machine.begin(x)
    values = {}
    for layer in range(1, machine.depth):
        values[layer] = machine.driven(layer)
        machine.activated(layer, values[layer])
    return values


def _wanted(machine: Machine[T], layer: int, error: T) -> T:
    """u of a hidden layer, from the error above."""
    u = machine.slope(layer, machine.backward(f"W{layer + 1}", error))
    return machine.note(f"u{layer}", u, "transposed product, times phi'")


def _at_once(machine: Machine[T], predicted: dict[int, T]) -> None:
    """Deltas, each layer having moved once."""
    for layer in range(machine.depth - 1, 0, -1):
        mu = predicted[layer]
        u = _wanted(machine, layer, machine.delta_of(layer + 1))
        machine.name(f"mu{layer}", mu, "forward")
        z = machine.arithmetic.difference(mu, u)
        machine.name(f"z{layer}", z, "mu - u")
        machine.note(f"d{layer}", machine.arithmetic.difference(mu, z), "mu - z")


def _settle(machine: Machine[T], values: dict[int, T], t: T) -> None:
    """Deltas, when the values have settled."""
    arithmetic, hidden = machine.arithmetic, range(1, machine.depth)
    gamma = arithmetic.constant(np.full(1, machine.parameters["gamma"], np.float32))
    first = values[1]
    for layer in hidden:
        none = np.zeros(machine.spec.network.layers[layer], np.float32)
        machine.trace[f"eps{layer}"] = arithmetic.constant(none)
    _weigh(machine, machine.depth, machine.trace["e"], "e / variance")
    energies = [_energy(machine, [machine.depth])]
    for _ in range(int(machine.parameters["iterations"])):
        for layer in hidden:
            values[layer] = _moved(machine, layer, values[layer], gamma)
        for layer in hidden:
            mu = first if layer == 1 else machine.driven(layer)
            _compare(machine, layer, mu, values[layer])
        machine.judge_again(f"mu{machine.depth}", machine.driven(machine.depth), t)
        _weigh(machine, machine.depth, machine.trace["e"], "e / variance")
        energies.append(_energy(machine, range(1, machine.depth + 1)))
        gamma = arithmetic.halved(gamma, *energies[-2:])
    machine.name("energy", arithmetic.stacked(energies), "half the weighed squares")
    variance = np.float32(machine.parameters["variance"])
    for layer in range(machine.depth, 0, -1):
        if layer < machine.depth or _learns(machine):
            name = f"d{layer}" if layer < machine.depth else "e"
            delta = arithmetic.scaled(variance, machine.trace[f"eps{layer}"])
            machine.note(name, delta, "variance eps")


def promises(machine: Machine[F32], trace: Mapping[str, F32]) -> dict[str, list[float]]:
    """`energy`: of the answer, and after every iteration."""
    energies = trace.get("energy", np.zeros(0, np.float32))
    return {"energy": [float(energy) for energy in energies]}


def _moved(machine: Machine[T], layer: int, z: T, gamma: T) -> T:
    """A hidden layer's values after an iteration, and its h, from the errors before."""
    arithmetic = machine.arithmetic
    u = _wanted(machine, layer, machine.trace[f"eps{layer + 1}"])
    pull = arithmetic.difference(machine.trace[f"eps{layer}"], u)
    z = arithmetic.chain(z, (gamma, arithmetic.stacked([pull])))
    machine.name(f"z{layer}", z, "settling")
    machine.activated(layer, z)
    return z


def _compare(machine: Machine[T], layer: int, mu: T, z: T) -> None:
    """A hidden layer's error anew."""
    machine.name(f"mu{layer}", mu, "forward")
    gap = machine.arithmetic.difference(mu, z)
    if _learns(machine):
        machine.name(f"gap{layer}", gap, "mu - z")
    _weigh(machine, layer, gap, "mu - z, by its variance")


def _weigh(machine: Machine[T], layer: int, gap: T, made: str) -> None:
    """A layer's error in units of its variance: hidden units' is 1, unless it is
    learned."""
    eps = gap
    if _learns(machine):
        eps = machine.arithmetic.ratio(gap, machine.state[f"sigma{layer}"])
    elif layer == machine.depth:
        variance = float(machine.parameters["variance"])
        eps = machine.arithmetic.shared(gap, variance)
    machine.note(f"eps{layer}", eps, made)


def _learns(machine: Machine[T]) -> bool:
    """Whether variances are learned."""
    return machine.parameters["precision"] == "learned"


def _limits(parameters: Parameters) -> Limits:
    """Of variances."""
    least, most = parameters["least_variance"], parameters["most_variance"]
    return np.float32(least), np.float32(most)


def held(network: Network, parameters: Parameters) -> dict[str, Limits]:
    """Limits of the variances, a tensor a layer."""
    if parameters["precision"] == "fixed" or network.depth == 1:
        return {}
    layers = range(1, network.depth + 1)
    return {f"sigma{layer}": _limits(parameters) for layer in layers}


def initial(
    network: Network, draw: dense.Draw, parameters: Parameters
) -> dict[str, F32]:
    """Variances, a unit each."""
    found = {}
    for name, (least, most) in held(network, parameters).items():
        layer = int(name.removeprefix("sigma"))
        first = np.float32(1 if layer < network.depth else parameters["variance"])
        width = network.layers[layer]
        found[name] = np.full(width, min(max(first, least), most), np.float32)
    return found


def _adapt(machine: Machine[T], layer: int) -> None:
    """A layer's variances learn from its errors."""
    name, arithmetic = f"sigma{layer}", machine.arithmetic
    rate = np.float32(0.5 * float(machine.parameters["precision_rate"]))
    moved = arithmetic.adapted(
        machine.state[name],
        machine.trace[f"eps{layer}"],
        rate,
        _limits(machine.parameters),
    )
    arithmetic.witness(moved, name, "update, within its limits")
    machine.state[name] = moved


def _energy(machine: Machine[T], layers: Iterable[int]) -> T:
    """F, of these layers: one number."""
    arithmetic, trace = machine.arithmetic, machine.trace
    hidden = "gap" if _learns(machine) else "eps"
    parts = []
    for layer in layers:
        gap = trace["e" if layer == machine.depth else f"{hidden}{layer}"]
        parts.append(arithmetic.dot(gap, trace[f"eps{layer}"]))
    ones = arithmetic.constant(np.ones((len(parts), 1), np.float32))
    total = arithmetic.chain(None, (arithmetic.stacked(parts), ones))
    energy: T = arithmetic.scaled(np.float32(0.5), total)[0]
    return energy
