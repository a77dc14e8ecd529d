"""The kinase rule: CaMKII against DAPK1, by cascaded calcium integrators of every unit.

CaM += (s - CaM) / tau_m, CaP += (CaM - CaP) / tau_p, CaD += (CaP - CaD) / tau_d, each from
what the one before has just become; W_l += eta pre (CaP_l - CaD_l), pre = x, or CaD of the
layer below; b_l += eta (CaP_l - CaD_l), or both within soft bounds (O'Reilly 2026, arXiv 2606.08720; emer/axon,
kinase/params.go).
"""

from __future__ import annotations

import numpy as np

from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.phases import feedforward, look, minus, promises
from codegen.reference.settling import Settling
from codegen.reference.updates import bounded
from codegen.reference.updates.bounded import held, initial

__all__ = ["feedforward", "held", "initial", "look", "promises", "step"]

_CYCLES = 40
"""Cycles of a step whose time constants are as they are given."""
_INTEGRATORS = "cam", "cap", "cad"


def step(machine: Machine[T], x: T, t: T, eta: np.float32) -> None:
    """One step; raises `NonFinite`."""
    units = minus(machine, x)
    machine.judge(machine.trace["p"], t)
    if machine.negligible(machine.trace["e"]):
        return
    _integrate(machine, units, t)
    for layer in range(machine.depth, 0, -1):
        fast, slow = machine.trace[f"cap{layer}"], machine.trace[f"cad{layer}"]
        name = f"d{layer}" if layer < machine.depth else "e"
        machine.note(name, machine.arithmetic.difference(slow, fast), "CaD - CaP")
        if layer < machine.depth:
            machine.note(f"h{layer}", slow, "CaD")
    if machine.parameters["weights"] == "plain":
        machine.update(eta)
        return
    for layer in range(machine.depth, 0, -1):
        bounded.update(machine, layer, eta)


def _integrate(machine: Machine[T], units: Settling[T], t: T) -> None:
    """The cycles, the last of them with the outcome; the integrators, which begin
    at rest, enter the trace with the states."""
    cycles = int(machine.parameters["cycles"])
    without = cycles - int(cycles * float(machine.parameters["outcome"]))
    layers = range(1, machine.depth + 1)
    found = {n: dict.fromkeys(_INTEGRATORS, units.states[n]) for n in layers}
    for cycle in range(cycles):
        shown = cycle >= without
        if shown:
            units.states[machine.depth] = t
        units.cycle("plus", machine.depth - shown)
        for n in layers:
            found[n] = _followed(machine, found[n], units.states[n])
            for name, value in found[n].items():
                units.trace.add(f"trace_{name}{n}", value)
    units.noted("plus", layers)
    for n in layers:
        for name, value in found[n].items():
            machine.note(f"{name}{n}", value, "integrator")
    units.trace.named()


def _followed(machine: Machine[T], was: dict[str, T], s: T) -> dict[str, T]:
    """The integrators of a layer after a cycle in which its units have come to s."""
    now: dict[str, T] = {}
    for name in _INTEGRATORS:
        tau = float(machine.parameters[f"tau_{name[-1]}"])
        rate = np.float32(_CYCLES / (int(machine.parameters["cycles"]) * tau))
        s = now[name] = machine.arithmetic.leaked(was[name], rate, s)
    return now
