"""Equilibrium propagation, nudged both ways.

All units at once, from each other's states as they were: s <- clip(s + dt (v - s
[+ 2 beta (t - s) of the outputs]), 0, 1), v = b + W^T s from below + W s from above, s_0 = x.
A free phase, then from its end one with +beta and one with -beta; W_l += eta_l / (2 beta)
(s+_(l-1) s+_l - s-_(l-1) s-_l), biases likewise (Scellier and Bengio 2017, eq. 10; Laborieux
et al. 2021, eq. 7).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from codegen.reference.arithmetic import F32
from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.settling import name, promised
from codegen.reference.traces import Trace
from codegen.reference.updates import rank_one
from codegen.spec import Network


def look(machine: Machine[T], x: T) -> T:
    """The free phase; returns the outputs' state."""
    return _free(machine, x)[1][-1]


def _free(
    machine: Machine[T], x: T, trace: Trace[T] | None = None
) -> tuple[T, list[T]]:
    """Layer 1's drive from below, and the states after the free phase."""
    machine.begin(x)
    base = machine.affine(1, machine.state["b1"], x)
    start = [
        machine.arithmetic.constant(np.zeros(width, np.float32))
        for width in machine.spec.network.layers[1:]
    ]
    cycles = int(machine.parameters["free"])
    return base, _settled(machine, "minus", cycles, base, start, trace=trace)


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    trace = Trace(machine)
    base, free = _free(machine, x, trace)
    machine.judge(free[-1], t)
    if machine.negligible(machine.trace["e"]):
        return
    arithmetic, depth = machine.arithmetic, machine.depth
    beta = float(machine.parameters["beta"])
    cycles = int(machine.parameters["nudged"])
    states = {
        sign: _settled(
            machine, phase, cycles, base, free, (np.float32(sign * 2 * beta), t), trace
        )
        for phase, sign in (("plus", 1), ("away", -1))
    }
    trace.named()
    apart = [
        arithmetic.difference(away, towards)
        for away, towards in zip(states[-1], states[1], strict=True)
    ]
    machine.note(f"d{depth}", apart[-1], "minus - plus")
    top = np.float32(eta * np.float32(float(machine.parameters["ratio"]) / (2 * beta)))
    if depth > 1:
        machine.note(
            "d1", arithmetic.scaled(np.float32(1 / (2 * beta)), apart[0]), "delta"
        )
        machine.update_layer(1, eta)
    below = {sign: found[0] if depth > 1 else x for sign, found in states.items()}
    less, more = ((below[sign], states[sign][-1]) for sign in (-1, 1))
    rank_one.contrasted(machine, depth, less, more, top)
    rank_one.biases_moved(machine, depth, apart[-1], top)


def promises(machine: Machine[F32], trace: Mapping[str, F32]) -> dict[str, list[float]]:
    """`settling.promised` of the free phase, and of the two nudged ones."""
    base = machine.affine(1, machine.state["b1"], machine.trace["x"])
    was = [machine.trace[name(machine, "minus", n)] for n in _layers(machine)]
    now = _settled(machine, "minus", 1, base, was)
    hidden = [n for n in range(1, machine.depth) if f"plus{n}" in trace]
    apart = ((trace[f"away{n}"], trace[f"plus{n}"]) for n in hidden)
    return promised(was, now, apart)


def feedforward(network: Network) -> Network:
    """The network without feedback whose gradient is near: clipped lines are lines."""
    return Network(network.layers, "identity", "identity")


def _settled(
    machine: Machine[T], phase: str, cycles: int, base: T, start: list[T],
    pull: tuple[np.float32, T] | None = None, trace: Trace[T] | None = None,
) -> list[T]:  # fmt: skip
    """The states of layers 1..L after so many cycles from `start`, which enter the
    machine's trace, and of every cycle `trace`; with a `pull` outputs are nudged, so
    strongly, towards a target. Raises `NonFinite`."""
    states = list(start)
    for _ in range(cycles):
        drives = [_drive(machine, layer, base, states) for layer in _layers(machine)]
        for layer in _layers(machine):
            blamed = name(machine, phase, layer)
            drive = drives[layer - 1]
            machine.arithmetic.witness(
                drive, f"drive{layer}", "forward and feedback", blamed
            )
            drawn = pull if layer == machine.depth else None
            states[layer - 1] = _moved(machine, states[layer - 1], drive, drawn)
            if trace is not None:
                trace.add(f"trace{layer}", states[layer - 1])
    for layer in _layers(machine):
        machine.note(name(machine, phase, layer), states[layer - 1], "settling")
    return states


def _layers(machine: Machine[T]) -> range:
    return range(1, machine.depth + 1)


def _drive(machine: Machine[T], layer: int, base: T, states: list[T]) -> T:
    below = base
    if layer > 1:
        below = machine.affine(layer, machine.state[f"b{layer}"], states[layer - 2])
    if layer == machine.depth:
        return below
    above = machine.backward(f"W{layer + 1}", states[layer])
    return machine.arithmetic.summed(below, np.float32(1), above)


def _moved(machine: Machine[T], s: T, drive: T, pull: tuple[np.float32, T] | None) -> T:
    """One unit's cycle: towards its drive, and as an output towards its target."""
    arithmetic = machine.arithmetic
    q = arithmetic.difference(drive, s)
    if pull is not None:
        nudge, t = pull
        q = arithmetic.summed(q, nudge, arithmetic.difference(t, s))
    moved = arithmetic.summed(s, np.float32(machine.parameters["dt"]), q)
    return arithmetic.within_one(moved)
