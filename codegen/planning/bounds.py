"""Bounds on the instructions of one learning step, computed from its plan.

A group is the weights of one row that fit a register group: L = VLEN * 8 / 32
lanes at LMUL 8, the largest. A row of n_out weights has ceil(n_out / L) groups.

Integers have no such bound: their lanes are of several widths, and rows whose change
rounds to nothing are not visited (docs/integers.md).

The vector bound counts what any vector code executes for a group:

    forward   2   load W, multiply-add
    update    3   load W, multiply-add, store W
    fused     4   load W, multiply-add (update), store W, multiply-add (forward)
    backward  2   load W, multiply-add (BP's W d, layers 2 and up)

The practical floor adds what RVV cannot avoid: it has no load that steps its
address, and takes a scalar factor from a register only.

    forward   4   + load of x_i, step of W's address
    update    5   + load of x_i, step of W's address
    fused     7   + loads of both x_i, step of W's address
    backward  4   + step of W's address, store of u_i

Rows whose input is zero need no group: the inputs' activity is measured, on the
samples that are counted. Forward and backward are rows' business: the contract
fixes the order of the sum over i, so one row's groups hold nothing of the next.
The update of a layer is elementwise, so its groups may run on over rows.

Everything else of a step (activations, losses, feedback, loops, calls) is in
neither bound: they are no estimate, and no code reaches them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.planning.planned import Plan
from codegen.tensors import WORD

LANE_BITS = 32
LARGEST_LMUL = 8
BACKWARD = "dense_backward"
"""The operation of a plan whose rule reads the weights once more, for W d."""

SEQUENTIAL, FUSED = "sequential", "fused"


def schedules(plan: Plan) -> tuple[str, ...]:
    """Schedule of each weight layer, 1..L."""
    return tuple(FUSED if layer.fused else SEQUENTIAL for layer in plan.layers)


@dataclass(frozen=True)
class Activity:
    """Of one layer's inputs, in mean over steps: how many are not zero now
    (`active`), were not zero one step before (`before`), or both (`both`)."""

    active: float
    before: float
    both: float


@dataclass(frozen=True)
class Bounds:
    """Instructions a step, at least; `traffic` are the bytes of weights that a
    step loads and stores, each time it must."""

    vector: float
    floor: float
    traffic: float


@dataclass(frozen=True)
class _Pass:
    """One pass over weights: instructions a group in each bound, and how often each
    weight is loaded or stored."""

    vector: int
    floor: int
    transfers: int


_FORWARD = _Pass(2, 4, 1)
_UPDATE = _Pass(3, 5, 2)
_FUSED = _Pass(4, 7, 2)
_BACKWARD = _Pass(2, 4, 1)


def lanes(vlen: int) -> int:
    """Weights of a group at the largest LMUL."""
    return vlen * LARGEST_LMUL // LANE_BITS


@dataclass(frozen=True)
class Walk:
    """One pass of a step over weights of a layer: the bytes of the rows that it loads,
    once, and whether it stores them, too."""

    layer: int
    bytes: float
    stores: bool


def walks(plan: Plan, activity: Sequence[Activity]) -> tuple[Walk, ...]:
    """The passes over weights of a step, each layer's in their order."""
    return tuple(
        Walk(layer, WORD * rows * plan.spec.network.shape(layer)[1], way.transfers == 2)
        for layer, schedule in enumerate(schedules(plan), 1)
        for way, rows, _ in _passes(plan, layer, schedule, activity[layer - 1])
    )


def bounds(plan: Plan, vlen: int, activity: Sequence[Activity]) -> Bounds:
    """The bounds of a step of `plan` at `vlen` bits, with `activity` of the
    inputs of each layer, 1..L. With `vlen` 0 a group is one weight."""
    width = lanes(vlen) or 1
    vector = floor = 0.0
    for layer, schedule in enumerate(schedules(plan), 1):
        for way, rows, packed in _passes(plan, layer, schedule, activity[layer - 1]):
            n_out = plan.spec.network.shape(layer)[1]
            groups = rows * n_out / width if packed else rows * -(-n_out // width)
            vector += way.vector * groups
            floor += way.floor * groups
    traffic = sum(w.bytes * (2 if w.stores else 1) for w in walks(plan, activity))
    return Bounds(vector, floor, traffic)


def _passes(
    plan: Plan, layer: int, schedule: str, seen: Activity
) -> list[tuple[_Pass, float, bool]]:
    """(way, rows, whether groups run on over rows) of one layer's step."""
    if schedule == FUSED:
        found = [
            (_FUSED, seen.both, False),
            (_FORWARD, seen.active - seen.both, False),
            (_UPDATE, seen.before - seen.both, True),
        ]
    else:
        found = [(_FORWARD, seen.active, False), (_UPDATE, seen.active, True)]
    if layer > 1 and any(c.variant.kernel.operation == BACKWARD for c in plan.calls):
        found.append((_BACKWARD, plan.spec.network.shape(layer)[0], False))
    return found
