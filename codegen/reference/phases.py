"""Two phases: the network settles to its answer, is shown the outcome, and settles on
(O'Reilly 1996; docs/arithmetic.md, section 6)."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.reference.arithmetic import F32
from codegen.reference.machine import Machine
from codegen.reference.operations import T
from codegen.reference.settling import Settling, name, promised
from codegen.spec import Network

START = 0.5


def look(machine: Machine[T], x: T) -> T:
    """The minus phase; returns the outputs' state."""
    return minus(machine, x).states[machine.depth]


def minus(machine: Machine[T], x: T) -> Settling[T]:
    """The minus phase, whose states enter the trace as h1, ..., p."""
    machine.begin(x)
    units = Settling(machine, x, START)
    for _ in range(int(machine.parameters["minus"])):
        units.cycle("minus", machine.depth)
    units.noted("minus", range(1, machine.depth + 1))
    return units


def plus(machine: Machine[T], units: Settling[T], t: T) -> None:
    """The plus phase: the outputs are t, and stay it; the states enter the trace as
    plus1, ..."""
    units.states[machine.depth] = t
    for _ in range(int(machine.parameters["plus"])):
        units.cycle("plus", machine.depth - 1)
    units.noted("plus", range(1, machine.depth + 1))
    units.trace.named()


def differences(machine: Machine[T]) -> None:
    """d_l = s-_l - s+_l of the hidden layers, in the trace."""
    for layer in range(machine.depth - 1, 0, -1):
        was, now = machine.trace[f"h{layer}"], machine.trace[f"plus{layer}"]
        machine.note(
            f"d{layer}", machine.arithmetic.difference(was, now), "minus - plus"
        )


def shown(machine: Machine[T], x: T, t: T) -> bool:
    """Both phases and their differences; False where the error gate ends the step."""
    units = minus(machine, x)
    machine.judge(machine.trace["p"], t)
    if machine.negligible(machine.trace["e"]):
        return False
    plus(machine, units, t)
    differences(machine)
    return True


def promises(machine: Machine[F32], trace: Mapping[str, F32]) -> dict[str, list[float]]:
    """`settling.promised` of the minus phase, and of it and the plus phase: from a machine
    with the state before a step whose `trace` this is, and which has looked."""
    units = Settling(machine, machine.trace["x"], START)
    was = {n: machine.trace[name(machine, "minus", n)] for n in units.states}
    units.states = dict(was)
    units.cycle("minus", machine.depth)
    hidden = [n for n in range(1, machine.depth) if f"plus{n}" in trace]
    apart = ((was[n], trace[f"plus{n}"]) for n in hidden)
    return promised(was.values(), units.states.values(), apart)


def feedforward(network: Network) -> Network:
    """The network without feedback whose gradient the phases approximate: its outputs
    are sigmoid units, too."""
    return Network(network.layers, "sigmoid", "sigmoid")
