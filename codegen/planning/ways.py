"""How each layer is computed: densely, on a list of what is not zero, or fused.

dense: forward and update each walk every row of W, testing for zero inputs.
listed: what is not zero is listed first; forward and update walk the list.
fused: one step's update and the next one's forward share one pass over W.
Behind a gate what passes is listed too, at the update at the latest. All give the
same bits (DESIGN sections 4 and 5). Which is cheapest depends on the shape, the machine
and how many inputs are zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from codegen import fronts, kernels
from codegen.composer import Composer, Way
from codegen.errors import SpecError
from codegen.kernels import cost
from codegen.kernels.cost import Cost, Shape
from codegen.layers import dense
from codegen.layers.dense import WAYS
from codegen.program import Op, Program, loops, ops, stages
from codegen.rules import Rule
from codegen.spec import Clip, Gate, Spec
from codegen.updates import chosen

ALLOWED = {"auto": WAYS, "sequential": ("dense", "listed"), "fused": ("fused",)}
SCHEDULES = tuple(ALLOWED)
"""Schedules, and the ways that each allows."""

RELU_DENSITY = 0.5
"""Share of a relu layer's results taken to be not zero."""


@dataclass(frozen=True)
class Layer:
    """Layer `number` (1..L) as it will be computed.

    `density`: share of its inputs that are not zero, told or assumed; `costs`:
    the estimate of every way that it may take, of one step; `told`: who chose, if
    not the costs; `learns`: whether a rank-1 update changes it; `gated`: whether
    that is behind a gate.
    """

    number: int
    shape: Shape
    way: str
    costs: Mapping[str, Cost]
    told: str = ""
    learns: bool = True
    gated: bool = False

    @property
    def fused(self) -> bool:
        """Whether its update waits for the next forward pass."""
        return self.way == "fused"

    @property
    def listed(self) -> bool:
        """Whether it walks a list of its inputs that are not zero."""
        return self.way == "listed"

    @property
    def lists(self) -> bool:
        """Whether it has a list at all, be it for its update alone."""
        return self.listed or self.gated


@dataclass(frozen=True)
class _Machine:
    """What the ways are chosen for: VLENs, empty without vectors, and a core whose
    cycles decide."""

    vlens: tuple[int, ...]
    core: str | None


def _estimate(
    spec: Spec, layer: int, way: str, shape: Shape, machine: _Machine, learns: bool
) -> Cost:
    """What a layer costs in a step that goes its usual way, its activation apart."""
    ways = [Way()] * spec.network.depth
    ways[layer - 1] = Way(way, shape.density)
    c = Composer(spec, {}, ways)
    items = list(dense.drive(c, layer))
    if layer == 1 and not fronts.as_it_comes(c):
        items += fronts.convert(c)
    if learns:
        items += chosen(spec).change(c, layer)
    found = (
        (one.kernel.name, machine.vlens, one.shape, machine.core)
        for one in ops(items, usual=True)
    )
    return cost.total(kernels.estimates(*one)[kernels.best(*one)] for one in found)


def learning(c: Composer, program: Program) -> frozenset[int]:
    """The layers that learn by the spec's update: those that have ways."""
    if program.state:  # its layers are the rule's own
        return frozenset()
    made = set(ops(program.step))
    layers = range(1, c.depth + 1)
    return frozenset(n for n in layers if made & _updating(c, n))


def _updating(c: Composer, layer: int) -> frozenset[Op]:
    """The spec's update of a layer that is computed as `c` says."""
    return frozenset(ops(chosen(c.spec).change(c, layer)))


def _require_update(
    spec: Spec, c: Composer, program: Program, learns: frozenset[int]
) -> None:
    """Raise `SpecError` for an update that cannot be all that a rule learns by."""
    if chosen(spec).gated:  # the rank-1 update, which every rule can do without
        return
    name = spec.update.name
    if spec.gate.rows:
        raise SpecError(
            f"gate {spec.gate.kind!r} with update {name!r}, which moves every weight in "
            "every step: expected gate none or error"
        )
    layers = {t for n in learns for t in (c.weights(n), c.biases(n))}
    others = [t.name for t in program.tensors("learned") if t not in layers]
    moved = {t for one in ops(program.step) for t, wrote in one.tensors() if wrote}
    others = [name for name in others if any(t.name == name for t in moved)]
    if not learns or others:
        raise SpecError(
            f"update {name!r} with rule {spec.rule.name!r}, which learns otherwise than "
            f"by layers' deltas ({', '.join(others)}): expected update rank-1"
        )


def _looking(program: Program) -> frozenset[Op]:
    """The operations by which a step infers, wherever it leaves the result."""
    usual = {(one.layer, one.key) for one in ops(program.look)}
    found = (stage for stage in stages(program.step) if stage.phase == "look")
    seen = (one for stage in found for one in ops(stage.body))
    return frozenset(one for one in seen if (one.layer, one.key) in usual)


def reads_input(c: Composer, program: Program) -> bool:
    """Whether something else than layer 1 and its update reads x, so that layer 1
    cannot be listed."""
    known = _looking(program) | _updating(c, 1)
    others = (one for one in ops(program.step) if one not in known)
    return any((c.input(1), False) in set(one.tensors()) for one in others)


def moved_inputs(c: Composer, program: Program) -> frozenset[int]:
    """The layers whose input changes again after every layer has given its result: a
    list made before is not of the input that they learn from."""
    later = (stage for stage in stages(program.step) if stage.phase != "look")
    named = (t for stage in later for one in ops(stage.body) for t in one.tensors())
    moved = {tensor for tensor, wrote in named if wrote}
    return frozenset(n for n in range(1, c.depth + 1) if c.input(n) in moved)


def cycled(c: Composer, program: Program) -> frozenset[int]:
    """The layers whose weights one inference reads again and again: it can neither walk
    a list that was made once nor apply an update on the way."""
    again = ops(item for loop in loops(program.look) for item in loop.body)
    named = {tensor for one in again for tensor, _ in one.tensors()}
    return frozenset(n for n in range(1, c.depth + 1) if c.weights(n) in named)


def density(spec: Spec, layer: int, inputs: float) -> float:
    """Share of a layer's inputs that are not zero: `inputs` of layer 1's."""
    if layer == 1:
        return inputs
    return RELU_DENSITY if spec.network.activation == "relu" else 1.0


def possible(spec: Spec, layer: int, learns: bool) -> tuple[str, ...]:
    """The ways of a layer: one that learns may be fused, unless its updates are
    gated or clipped, which no fused pass can do. Integers have the dense one."""
    if spec.numbers.integer:
        return ("dense",)
    whole = layer not in spec.gated and spec.clip.weights is None
    there = WAYS if learns and whole else ("dense", "listed")
    return tuple(way for way in there if not learns or way in chosen(spec).ways)


def _hinders(spec: Spec) -> str:
    """What keeps every update from waiting for the next forward pass."""
    if spec.numbers.integer:
        return f"format {spec.format} has no pass over weights that does both"
    if "fused" not in chosen(spec).ways:
        return f"update {spec.update.name!r} cannot wait for the next forward pass"
    what = f"gate {spec.gate.kind}" if spec.gate.rows else "clip_weights"
    return f"{what} changes rows as they are updated"


def _allowed(spec: Spec, layer: int, schedule: str, learns: bool) -> tuple[str, ...]:
    """The ways that `schedule` leaves; a layer that learns nothing has no
    schedule. Raises `SpecError` when there are none."""
    there = possible(spec, layer, learns)
    if not learns:
        return there
    left = tuple(way for way in there if way in ALLOWED[schedule])
    if not left:
        raise SpecError(
            f"schedule is {schedule!r}, but {_hinders(spec)}: "
            "expected schedule auto or sequential"
        )
    return left


def _unlisted(ways: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(way for way in ways if way != "listed")


def _own(spec: Spec, number: int, inputs: float) -> Layer:
    """A layer of a rule whose layers are its own: there is nothing to choose."""
    shape = Shape(*spec.network.shape(number), density(spec, number, inputs))
    return Layer(number, shape, "dense", {}, "", False, False)


def choose(
    spec: Spec,
    rule: Rule,
    vlens: tuple[int, ...],
    schedule: str = "auto",
    inputs: float = 1.0,
    told: Mapping[int, str] | None = None,
    core: str | None = None,
) -> tuple[Layer, ...]:
    """The way of every layer: the cheapest that `schedule` allows on machines of
    these VLENs (empty: without vectors), or the fastest on `core`, unless `told` names
    it.

    `inputs`: share of the sample's elements that are not zero, 0..1. Raises
    `SpecError` for an unknown schedule or way, or one that the layer cannot be
    computed in.
    """
    if schedule not in SCHEDULES:
        raise SpecError(
            f"schedule is {schedule!r}: expected one of {', '.join(SCHEDULES)}"
        )
    draft = Composer(replace(spec, gate=Gate(), clip=Clip()), rule.parameters)
    program = rule.declaration.program(draft)
    learns = learning(draft, program)
    _require_update(spec, draft, program, learns)
    if schedule == "fused" and not learns:
        raise SpecError(
            f"schedule is 'fused', but rule {spec.rule.name!r} makes no rank-1 update "
            "that could wait: expected schedule auto or sequential"
        )
    if program.state:
        return tuple(_own(spec, n, inputs) for n in range(1, spec.network.depth + 1))
    machine = _Machine(vlens, core)
    moving, only_dense = moved_inputs(draft, program), cycled(draft, program)
    if reads_input(draft, program):
        only_dense |= {1}
    found = []
    for number in range(1, spec.network.depth + 1):
        shape = Shape(*spec.network.shape(number), density(spec, number, inputs))
        updated = number in learns
        allowed = _allowed(spec, number, schedule, updated)
        there = possible(spec, number, updated)
        if number in only_dense:
            there = allowed = ("dense",)
        if number in moving:
            there, allowed = _unlisted(there), _unlisted(allowed)
        costs = {w: _estimate(spec, number, w, shape, machine, updated) for w in there}
        named = (told or {}).get(number)
        if named is not None and named not in there:
            raise SpecError(
                f"layer {number} is to be computed {named!r}: expected one of "
                + ", ".join(there)
            )
        least = cost.fastest if core is not None else cost.cheapest
        way = named or least({w: costs[w] for w in allowed})
        told_by = f"schedule {schedule}" if updated and schedule != "auto" else ""
        why = "tuned" if named else told_by
        gated = updated and number in spec.gated
        found.append(Layer(number, shape, way, costs, why, updated, gated))
    return tuple(found)
