"""The kinase rule: every unit carries a cascade of calcium integrators, and learns from
how far the fast one has left the slow one behind when the outcome was shown."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

from codegen import phases, settling
from codegen.composer import Composer
from codegen.forms import at_the_end
from codegen.kernels.cost import Shape
from codegen.parameters import Parameter, Parameters
from codegen.program import Item, Program, Stage, op
from codegen.rules import Declaration, Rate
from codegen.settling import DT, STRENGTH, Settling, plus
from codegen.tensors import Tensor
from codegen.traces import TRACE, Phase, Trace
from codegen.updates import bounded

INTEGRATORS = ("cam", "cap", "cad")
"""Each follows the one before, the first the unit."""
CYCLES = 40
"""Cycles of a step whose time constants are as they are given."""

_TAU = (1.0, 4096.0)
_PLAIN, _LINEAR = Rate(3.0, 0.5), Rate(0.1, 0.1)


def _integrator(c: Composer, name: str, n: int) -> Tensor:
    return c.tensor(f"{name}{n}", (c.network.layers[n],))


def _rate(parameters: Parameters, tau: str) -> float:
    """Share of its distance that an integrator goes in a cycle: time constants stretch
    with the step."""
    return CYCLES / (int(parameters["cycles"]) * float(parameters[tau]))


def _phases(parameters: Parameters) -> tuple[Phase, ...]:
    """Settling, then the cycles of the integrators: most without the outcome, then some
    with it."""
    settled, cycles = (int(parameters[name]) for name in ("minus", "cycles"))
    plus = int(cycles * float(parameters["outcome"]))
    return (
        Phase("settling", settled), Phase("minus", cycles - plus),
        Phase("plus", plus, told=True),
    )  # fmt: skip


def _leaks(c: Composer, number: int, n: int) -> tuple[Item, ...]:
    """CaM follows the unit, CaP follows CaM, CaD follows CaP, in the phase `number`."""
    across, below, made = Shape(1, c.network.layers[n]), plus(c, n), list[Item]()
    phases_ = _phases(c.parameters)
    made += Trace(phases_, number).row(c, n, below)
    for name in INTEGRATORS:
        one = _integrator(c, name, n)
        rate = _rate(c.parameters, f"tau_{name[-1]}")
        made.append(op("leak", across, n, s=one, t=below, rate=rate, purpose=name))
        made += Trace(phases_[1:], number - 1).row(c, n, one, f"trace_{name}")
        below = one
    return tuple(made)


def _begun(c: Composer) -> Stage:
    """The cycles go on from the settled state, every integrator at rest there."""
    copies = (
        op("copy", Shape(1, s.size), n, v=c.result(n), x=s, purpose=s.name)
        for n in range(1, c.depth + 1)
        for s in (plus(c, n), *(_integrator(c, i, n) for i in INTEGRATORS))
    )
    says = "the cycles go on from there, every integrator at rest"
    return Stage("credit", tuple(copies), says=says)


def _shown(c: Composer) -> tuple[Item, ...]:
    """The cycles of the integrators."""
    _, minus, shown = _phases(c.parameters)
    free = Settling(lambda n: plus(c, n), float(c.parameters["dt"]))
    held = replace(free, clamped=True)

    last = _delta(c, c.depth)
    return (
        _begun(c),
        *settling.settled(
            c, free, minus.cycles, "credit", "the minus phase goes on",
            partial(_leaks, c, 1),
        ),
        settling.clamp(c),
        *settling.settled(
            c, held, shown.cycles, "credit", "the plus phase", partial(_leaks, c, 2)
        ),
        Stage("credit", (last,), c.depth),
    )  # fmt: skip


def _delta(c: Composer, n: int) -> Item:
    slow, fast = (_integrator(c, name, n) for name in ("cad", "cap"))
    says = f"{c.delta(n).name} = CaD - CaP, what layer {n} learns from"
    return settling.difference(c, n, slow, fast, c.delta(n), says=says)


def _credit(c: Composer, n: int) -> tuple[Item, ...]:
    h = c.result(n)
    sent = op(
        "copy", Shape(1, h.size), n, v=_integrator(c, "cad", n), x=h, purpose="sent",
        says=f"CaD, the input that layer {n + 1} learns from",
    )  # fmt: skip
    return (_delta(c, n), sent)


def _conflict(parameters: Parameters) -> str:
    """Why these parameters make no cascade, empty where they do: no cycle would have
    the outcome, or an integrator would overshoot what it follows."""
    cycles, share = int(parameters["cycles"]), float(parameters["outcome"])
    if cycles * share < 1:
        return (
            f"cycles = {cycles}, of which a share of outcome = {share:g} has the outcome: "
            f"expected {math.ceil(1 / share)} or more"
        )
    for tau in (f"tau_{name[-1]}" for name in INTEGRATORS):
        if _rate(parameters, tau) > 1:
            return (
                f"{tau} = {parameters[tau]:g} with cycles = {cycles}, in which it is less "
                f"than one cycle: expected {tau} of {CYCLES / cycles:g} or more"
            )
    return ""


def _bounded(c: Composer) -> tuple[Stage, ...]:
    """Weights learn within soft bounds."""
    kind, most = str(c.parameters["weights"]), float(c.parameters["range"])
    layers = range(c.depth, 0, -1)
    body = (item for n in layers for item in bounded.change(c, n, kind, most))
    says = "the nearer a weight is to its bound, the less it moves there"
    return (Stage("update", tuple(body), says=says),)


def _program(c: Composer) -> Program:
    soft = c.parameters["weights"] in bounded.KINDS
    for n in range(1, c.depth + 1) if soft else ():
        kind, most = str(c.parameters["weights"]), float(c.parameters["range"])
        bounded.hold(c, n, kind, most)
    looked = phases.look(c, _phases(c.parameters))
    layers, then = ((), _bounded(c)) if soft else (None, ())
    return at_the_end(c, _credit, _shown(c), layers, looked, then)


def _whole(parameters: Parameters) -> str:
    kind = parameters["weights"]
    return "" if kind == "plain" else f"weights = {kind!r}"


def _rates(activation: str, parameters: Parameters) -> Rate:
    """Linear weights reach their bounds at once by what plain ones learn by."""
    return _LINEAR if parameters["weights"] == "contrast" else _PLAIN


RULE = Declaration(
    name="kinase",
    title="competing kinases: CaMKII against DAPK1, by cascaded calcium integrators",
    source="O'Reilly 2026, arXiv 2606.08720; Jang et al. 2026",
    equation="CaM += (s - CaM) / tau_m, CaP += (CaM - CaP) / tau_p, CaD += (CaP - CaD) / tau_d; "
    "d_l = CaD_l - CaP_l; the input of a layer is CaD",
    parameters=(
        Parameter("minus", 20, "cycles in which the network settles first, and of an inference", most=1024),
        replace(DT, default=0.5),
        STRENGTH,
        Parameter("cycles", CYCLES, "cycles of the integrators, the last of them with the outcome", most=1024),
        Parameter("outcome", 0.25, "share of those cycles that has the outcome", within=(0.001, 0.999), later=True),
        Parameter("tau_m", 2.0, "of CaM, in cycles of a step of 40", within=_TAU),
        Parameter("tau_p", 8.0, "of CaP (CaMKII), likewise", within=_TAU),
        Parameter("tau_d", 8.0, "of CaD (DAPK1), likewise", within=_TAU),
        Parameter("weights", "plain", "how they learn: soft, within soft bounds; contrast, what so learns goes through a sigmoid", ("plain", *bounded.KINDS), later=True),
        Parameter("range", 4.0, "that soft weights, and biases beside soft or contrast, stay within", within=(2.0, 64.0), later=True),
        TRACE,
    ),
    rates=_rates,
    program=_program,
    phases=_phases,
    conflict=_conflict,
    whole=_whole,
    activations=("sigmoid",),
    outputs=("identity",),
    floating="its units settle by steps that activations of 8 bits round away",
)  # fmt: skip
