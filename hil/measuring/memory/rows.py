"""What inference and each rule need, in bytes, from plans and built images.

Nothing here knows a rule by name: whatever `codegen.rules` lists gets a row, or
the reason why it has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from codegen import rules
from codegen import spec as specs
from codegen.budget import Item
from codegen.machine_code import stack
from codegen.machine_code.stack import INFER, MAIN, STEP, TRAPS, Bound
from codegen.planning.arena import arrange
from codegen.planning.planned import Plan
from codegen.program import lives, ops
from codegen.spec import RuleChoice
from codegen.tensors import WORD, Tensor
from hil.errors import BuildError, HilError, OverBudget, SpecError
from hil.lesson import given_spikes
from hil.lesson.building import Built, build, plan_for
from hil.lesson.lesson import Lesson

INFERENCE = "inference"
LARGEST = 2
"""Tensors of the state that a row names, and as many of all the others."""


@dataclass(frozen=True)
class LayerShare:
    """A layer's tensors in bytes, before scratch is shared in the arena; layer 0
    has those that belong to none."""

    layer: int
    const: int
    state: int
    pending: int
    scratch: int
    tape: int


@dataclass(frozen=True)
class Network:
    """Bytes of the network and its rule: what differs from rule to rule.

    `tape` is a part of `scratch`, pending is not.
    """

    const: int
    state: int
    pending: int
    scratch: int
    tape: int
    layers: tuple[LayerShare, ...]
    largest: tuple[Item, ...]


@dataclass(frozen=True)
class Code:
    """From the image: stack at most below net_infer or net_step, bytes of code
    these reach, and how many of them both reach."""

    stack: Bound
    code: int
    shared: int


@dataclass(frozen=True)
class Whole:
    """The whole image: RAM as planned, stack bounds from main and of traps."""

    ram: int
    text: int | None
    stack: Bound
    traps: Bound | None


@dataclass(frozen=True)
class Row:
    """One line of the table. `refused` says why a rule has no figures; `code` and
    `whole` are None where nothing tells what calls what."""

    rule: str
    network: Network | None
    code: Code | None = None
    whole: Whole | None = None
    built: Built | None = None
    refused: HilError | None = None

    @property
    def ram(self) -> int | None:
        """State, what is pending, scratch and stack: RAM but for link and runtime,
        which are the same for all."""
        if self.network is None or self.code is None:
            return None
        net = self.network
        return net.state + net.pending + net.scratch + self.code.stack.bytes


def lesson_for(lesson: Lesson, rule: str) -> Lesson:
    """The same lesson by another rule, with its default parameters but for those by which
    it hears spikes in time, and with the activation and the output that it can teach."""
    if rule == lesson.experiment.rule:
        return lesson
    network, others = lesson.spec.network, lesson.spec.format
    if lesson.spec.numbers.own:  # what other rules have by default
        network = specs.Network(network.layers)
        others = "f32" if lesson.target.fma else "i16"
    usual = rules.declaration(rule).suited(network)
    activation, output = usual.activation, usual.output
    network = replace(network, activation=activation, output=output)
    rated, own = rules.declaration(rule).rated, rules.declaration(rule).format
    hearing = given_spikes.hearing(rule, lesson.spec.inputs.raster)
    experiment = replace(
        lesson.experiment, rule=rule, parameters=hearing, tuned=None,
        activation=activation, output=output, lr=lesson.experiment.lr if rated else None,
        format=own or others,
    )  # fmt: skip
    spec = replace(
        lesson.spec,
        rule=RuleChoice(rule, hearing),
        network=network,
        format=own or others,
    )
    return replace(lesson, experiment=experiment, spec=spec, tuned=None)


def compare(lesson: Lesson) -> Iterator[Row]:
    """Inference, then every rule in order of name; each is planned before any is
    built, and the lesson's own is built first, for inference is seen in it."""
    own = lesson.experiment.rule
    planned: dict[str, Plan | HilError] = {}
    for name in rules.names():
        try:
            planned[name] = plan_for(lesson_for(lesson, name))
        except (SpecError, OverBudget) as error:
            planned[name] = error
    made: dict[str, Row] = {}
    for name in sorted(planned, key=lambda name: name != own):
        made[name] = row_of(name, planned[name], lesson)
        if INFERENCE not in made and (built := made[name].built) is not None:
            made[INFERENCE] = _inference(built, lesson)
            yield made[INFERENCE]
    for name in planned:
        yield made[name]


def row_of(name: str, planned: Plan | HilError, lesson: Lesson) -> Row:
    """The row of a rule, from its plan, which is built here, or why there is none."""
    if isinstance(planned, HilError):
        return Row(name, None, refused=planned)
    try:
        built = build(planned, lesson.experiment.toolchain)
        found = stack.read(built.image.path, planned.target, lesson.vlen)
    except BuildError as error:
        return Row(name, learning(planned), refused=error)
    if found is None:
        return Row(name, learning(planned), built=built)
    traps = found.bound(TRAPS) if TRAPS in found.graph.nodes else None
    whole = Whole(planned.ram, built.image.text, found.bound(MAIN), traps)
    return Row(name, learning(planned), _learning_code(found), whole, built)


def _learning_code(found: stack.Stack | None) -> Code | None:
    if found is None:
        return None
    step, infer = found.reached([STEP]), found.reached([INFER])
    return Code(found.bound(STEP), found.code(step), found.code(step & infer))


def _inference_code(found: stack.Stack | None) -> Code | None:
    if found is None:
        return None
    size = found.code(found.reached([INFER]))
    return Code(found.bound(INFER), size, size)


def _inference(built: Built, lesson: Lesson) -> Row:
    """Inference as the image of the lesson's own rule does it."""
    found = stack.read(built.image.path, built.plan.target, lesson.vlen)
    return Row(INFERENCE, inference(built.plan), _inference_code(found))


def of_image(plan: Plan, image: Path, vlen: int) -> tuple[Row, Row]:
    """Inference and the plan's own rule as the image at `image`, which was built
    from it, does them on a machine with vectors of `vlen` bits. Nothing is built."""
    found = stack.read(image, plan.target, vlen) if image.is_file() else None
    return (
        Row(INFERENCE, inference(plan), _inference_code(found)),
        Row(plan.spec.rule.name, learning(plan), _learning_code(found)),
    )


def learning(plan: Plan) -> Network:
    """What a rule needs: its plan's own tensors."""
    tape = {tensor.name for tensor in plan.program.tape()}
    items = [i for i in plan.bill if i.kind in ("const", "state", "pending")]
    words = plan.arena.words + sum(t.words for t in plan.drawn)
    return _network(items, (*plan.scratch, *plan.drawn), words * WORD, tape)


def inference(plan: Plan) -> Network:
    """What inference alone needs, its layers computed as in `plan`: the weights, tables
    and state that it reads, and activations that die one layer later."""
    kept = {
        f"{kind}{n}" for n in range(1, plan.spec.network.depth + 1) for kind in "Wb"
    }
    looked = {t.name for one in ops(plan.program.look) for t, _ in one.tensors()}
    items = [
        i
        for i in plan.bill
        if (i.kind in ("state", "const") and i.name in kept | looked)
        or i.name.startswith(("resident", "window", "front"))
    ]
    alive = lives(plan.program.look, plan.program.results)
    return _network(items, tuple(alive), arrange(alive).words * WORD, set())


def _network(
    items: Iterable[Item], scratch: tuple[Tensor, ...], arena: int, tape: set[str]
) -> Network:
    found = list(items)

    def total(kind: str) -> int:
        return sum(item.bytes for item in found if item.kind == kind)

    tensors = [
        Item(s.name, s.words * WORD, "tape" if s.name in tape else "scratch")
        for s in scratch
    ]
    by_size = sorted([*found, *tensors], key=lambda item: -item.bytes)
    largest = [
        item
        for state in (True, False)
        for item in [i for i in by_size if (i.kind == "state") is state][:LARGEST]
    ]
    return Network(
        total("const"), total("state"), total("pending"), arena,
        sum(item.bytes for item in tensors if item.kind == "tape"),
        tuple(_layers([*found, *tensors])), tuple(largest),
    )  # fmt: skip


def _layers(items: list[Item]) -> Iterator[LayerShare]:
    by_layer: dict[int, list[Item]] = {}
    depth = max(layer_of(item.name, 0) for item in items)
    for item in items:
        by_layer.setdefault(layer_of(item.name, depth), []).append(item)
    for layer in sorted(by_layer):
        sums = {
            kind: sum(i.bytes for i in by_layer[layer] if i.kind == kind)
            for kind in ("const", "state", "pending", "scratch", "tape")
        }
        sums["scratch"] += sums["tape"]
        yield LayerShare(layer, **sums)


def layer_of(tensor: str, depth: int) -> int:
    """The layer that a tensor's name ends with; x and what makes it of a window are
    layer 1's, outputs and their error the last one's."""
    numbered = re.search(r"\d+$", tensor)
    if numbered is not None:
        return int(numbered[0])
    return {"x": 1, "window": 1, "p": depth, "e": depth}.get(tensor, 0)
