"""Equilibrium propagation: a free phase, then the outputs are nudged towards the target
and away from it, and every weight learns from what that does to its two ends."""

from __future__ import annotations

from dataclasses import replace

from codegen import goals, settling
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.forms import at_the_end
from codegen.kernels.cost import Shape
from codegen.parameters import Parameter, Parameters
from codegen.program import (
    Item,
    Program,
    Repeat,
    Set,
    Stage,
    StagePhase,
    Symbol,
    op,
)
from codegen.rules import Declaration, Rate, by_activation
from codegen.settling import DT, States
from codegen.tensors import Tensor
from codegen.traces import TRACE, Phase, Trace
from codegen.updates.rank_one import biases, contrast

ETA_TOP = Symbol("eta_top")
"""The output layer's learning rate, over 2 beta."""


def _state(c: Composer, phase: str, n: int) -> Tensor:
    return c.tensor(f"{phase}{n}", (c.network.layers[n],))


def _target(c: Composer) -> Tensor:
    return c.inner("goal", (c.network.n_out,))


def _phases(parameters: Parameters) -> tuple[Phase, ...]:
    """Free, then nudged both ways from there."""
    free, nudged = (int(parameters[name]) for name in ("free", "nudged"))
    return (
        Phase("free", free), Phase("towards", nudged, told=True),
        Phase("away", nudged, told=True),
    )  # fmt: skip


def _cycles(
    c: Composer, states: States, cycles: int, phase: StagePhase, says: str, nudge: float = 0.0,
    number: int = 0,
) -> Repeat:  # fmt: skip
    """So many cycles of all units at once, from each other's states as they were, in the
    phase `number`."""
    layers = range(1, c.depth + 1)
    cycling = settling.Settling(states, float(c.parameters["dt"]))
    drives = {n: settling.from_below(c, cycling, n) for n in layers}
    products = tuple(item for _, below in drives.values() for item in below)
    above = tuple(item for n in c.hidden for item in settling.from_above(c, cycling, n))
    moves = tuple(_moved(c, n, states(n), drives[n][0], nudge) for n in layers)
    trace = Trace(_phases(c.parameters), number)
    kept = tuple(item for n in layers for item in trace.row(c, n, states(n)))
    body = Stage(phase, (*products, *above, *moves, *kept), c.depth)
    return Repeat("cycle", cycles, (body,), says)


def _moved(c: Composer, n: int, s: Tensor, drive: Tensor, nudge: float) -> Item:
    held = n == c.depth and nudge != 0
    return op(
        "leaky_clip", Shape(1, s.size), n, s=s, a=drive, u=settling.down(c, n),
        t=_target(c) if held else None, nudge=nudge if held else 0.0,
        rate=float(c.parameters["dt"]), needs="true", faults=s,
    )  # fmt: skip


def _look(c: Composer) -> tuple[Item, ...]:
    """The free phase."""
    says = "the free phase: the network settles to its answer"
    return (
        *settling.driven(c), settling.filled(c, c.result, 0.0),
        _cycles(c, c.result, int(c.parameters["free"]), "look", says),
    )  # fmt: skip


def _nudged(c: Composer) -> tuple[Item, ...]:
    """From the free state, once towards the target and once away from it."""
    layers, nudge = range(1, c.depth + 1), 2 * float(c.parameters["beta"])
    cycles = int(c.parameters["nudged"])
    made: list[Item] = [Stage("credit", (goals.target(c, _target(c), 1.0),), c.depth)]
    for number, phase, sign in ((1, "plus", 1), (2, "away", -1)):

        def states(n: int, phase: str = phase) -> Tensor:
            return _state(c, phase, n)

        where = "towards" if sign > 0 else "away from"
        says = f"from the free state, the outputs nudged {where} the target"
        made += [
            settling.copied(c, layers, c.result, states),
            _cycles(c, states, cycles, "credit", says, sign * nudge, number),
        ]
    return (*made, Stage("credit", (_difference(c, c.depth, _top(c), 1.0),), c.depth))


def _top(c: Composer) -> Tensor:
    """s- - s+ of the outputs."""
    return c.tensor(f"d{c.depth}", (c.network.n_out,))


def _difference(c: Composer, n: int, d: Tensor, scale: float) -> Item:
    towards, away = (_state(c, phase, n) for phase in ("plus", "away"))
    return settling.difference(c, n, away, towards, d, scale)


def _credit(c: Composer, n: int) -> tuple[Item, ...]:
    """d_1 = (s-_1 - s+_1) / (2 beta)."""
    return (_difference(c, n, c.delta(n), 1 / (2 * float(c.parameters["beta"]))),)


def _learned(c: Composer) -> Stage:
    """The output layer, at a rate of its own."""
    n = c.depth
    rate = float(c.parameters["ratio"]) / (2 * float(c.parameters["beta"]))
    eta = Set(f"const float {ETA_TOP.text}", f"eta * {literal(rate)}")
    away, towards = (
        (_state(c, phase, n - 1) if n > 1 else c.input(1), _state(c, phase, n))
        for phase in ("away", "plus")
    )
    learned = (
        eta,
        *contrast(c, n, away, towards, ETA_TOP),
        *biases(c, n, _top(c), ETA_TOP),
    )
    return Stage("update", learned, n)


def _program(c: Composer) -> Program:
    return at_the_end(
        c, _credit, first=_nudged(c), layers=c.hidden, looked=_look(c), then=(_learned(c),)
    )  # fmt: skip


RULE = Declaration(
    name="eqprop",
    title="equilibrium propagation, nudged both ways",
    source="Scellier, Bengio 2017, arXiv 1602.05179; Laborieux et al. 2021, arXiv 2101.05536",
    equation="W_l += eta_l / (2 beta) (s+_(l-1) s+_l - s-_(l-1) s-_l), biases likewise; s+ and s-: "
    "settled again from the free state, the outputs nudged by +beta and by -beta",
    parameters=(
        Parameter("free", 10, "cycles of the free phase, and of an inference", most=1024),
        Parameter("nudged", 4, "cycles of each nudged phase", most=1024),
        replace(DT, default=0.5),
        Parameter("beta", 0.5, "how strongly outputs are nudged", within=(1e-3, 16.0)),
        Parameter("ratio", 0.4, "of the output layer's learning rate to layer 1's", within=(1e-3, 1e3)),
        TRACE,
    ),
    rates=by_activation(others=Rate(0.05, 0.02)),
    program=_program,
    gates=frozenset({"error"}),
    activations=("identity",),
    outputs=("identity",),
    phases=_phases,
    most=2,
    why="for with more its units saturate at batch 1, and it learns nothing",
    floating="its units settle by steps that activations of 8 bits round away",
)  # fmt: skip
