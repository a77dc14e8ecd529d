"""`hil bench model`: what one inference of an imported model takes on a machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codegen import lowering
from codegen.graph import support
from codegen.graph.description import Graph
from hil.errors import UsageError
from hil.experiment import Experiment
from hil.inferring import counting, image
from hil.inferring.image import Model
from hil.inferring.peers import Peer
from hil.inferring.running import difference
from hil.models import cases, check
from hil.models.cases import Cases
from targets import load


@dataclass(frozen=True)
class Cost:
    """Of one inference on a target: bytes of `constants` in flash, bytes of `arena` and of
    it what `activations` alone would take, `instructions` of all and by operator, which
    are counted only where they were asked for."""

    target: str
    vlen: int
    constants: int
    arena: int
    activations: int
    instructions: int
    operators: dict[int, int]


@dataclass(frozen=True)
class Costs:
    """Of a model on several targets, and in what others wrote."""

    name: str
    graph: Graph
    targets: tuple[Cost, ...]
    peers: tuple[Peer, ...] = ()

    @property
    def macs(self) -> int:
        """Products that are added up, as the file has them."""
        return sum(map(support.macs, self.graph.operators))


def first_case(graph: Graph, path: str, inputs: str | None) -> Cases:
    """The case that is counted of the model at `path`: the first of the file `inputs`, or
    of the model's own file in that folder, NAME.npz; without any numbers that are drawn, the same each
    time. Raises `DataError`."""
    if inputs is None:
        check.require_small(graph)
        return cases.random(graph)
    given = Path(inputs)
    place = given / f"{Path(path).stem}.npz" if given.is_dir() else given
    found = cases.read(graph, str(place), expects=False)
    return Cases(tuple(one[:1] for one in found.inputs))


def cost(asked: Experiment, path: str, inputs: str | None, layers: bool) -> Cost:
    """What the model at `path` takes on the target that is asked for. Raises `Divergence`
    where an output is not the twin's, and what planning, building and running raise."""
    require_counting(asked.target)
    machine = load(asked.target).qemu
    counts = machine is not None and machine.counts
    model = image.prepare(asked.override({"icount": counts}), path)
    given = first_case(model.graph, path, inputs)
    built = image.build(image.plan_for(model), model)
    found = counting.counted(model, built, given, layers)
    error = difference(found.run)
    if error is not None:
        raise error
    plan = built.plan
    return Cost(
        plan.target.name, model.vlen, plan.flash, plan.program.arena,
        lowering.activations(model.graph, _planned_vlen(model)), found.instructions,
        dict(found.operators) if layers else {},
    )  # fmt: skip


def require_counting(target: str) -> None:
    """Raise `UsageError` for a target whose instructions nobody counts."""
    if not load(target).emulated:
        raise UsageError(
            f"{target!r} counts no instructions: hil bench model needs a whole machine "
            "in QEMU",
            "`hil targets` lists them",
        )


def _planned_vlen(model: Model) -> int:
    """The VLEN that a plan is made for."""
    return model.target.vector.default if model.target.vector else 0


def lines(found: Costs) -> Iterator[str]:
    """For people."""
    yield f"model    {found.name}: {found.macs:,} MACs"
    for one in found.targets:
        vlen = f", VLEN {one.vlen}" if one.vlen else ""
        yield (
            f"counted  {one.instructions:>11,} instructions"
            f"{_a_mac(one.instructions, found.macs)} on {one.target}{vlen}"
        )
        yield (
            f"         {one.constants:,} bytes of constants, {one.arena:,} of arena, "
            f"{one.activations:,} of it without what kernels keep"
        )
        yield from _split(found.graph, one)
    for peer in found.peers:
        yield (
            f"beside   {peer.instructions:>11,} instructions"
            f"{_a_mac(peer.instructions, found.macs)}: {peer.name}, {peer.machine} "
            "(counted beforehand)"
        )


def _split(graph: Graph, one: Cost) -> Iterator[str]:
    """A line for each operator that costs something."""
    for operator in graph.operators:
        instructions = one.operators.get(operator.index, 0)
        if instructions:
            macs = support.macs(operator)
            yield (
                f"  {operator.index:>4}  {operator.kind:24} {macs:>12,} MACs "
                f"{instructions:>12,}{_a_mac(instructions, macs)}"
            )
    rest = one.instructions - sum(one.operators.values())
    if one.operators and rest:
        yield f"        {'call and counter':24} {'':17} {rest:>12,}"


def _a_mac(instructions: int, macs: int) -> str:
    return f", {instructions / macs:.2f} a MAC" if macs else ""


def head(targets: Sequence[str]) -> Iterator[str]:
    """The first lines of a table in Markdown."""
    heads = ["model", "MACs", "constants", "arena", "activations"]
    for target in targets:
        heads += [target, "a MAC"]
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"


def row(found: Costs) -> str:
    """A model's line of it; constants and arena are those of the first target."""
    first = found.targets[0]
    bytes_ = (first.constants, first.arena, first.activations)
    cells = [found.name, *(f"{number:,}" for number in (found.macs, *bytes_))]
    for one in found.targets:
        each = f"{one.instructions / found.macs:.2f}" if found.macs else "-"
        cells += [f"{one.instructions:,}", each]
    return f"| {' | '.join(cells)} |"


def document(found: Costs) -> dict[str, Any]:
    """The same for --json."""
    return {
        "model": found.name,
        "macs": found.macs,
        "operators": [
            {"operator": one.index, "kind": one.kind, "macs": support.macs(one)}
            for one in found.graph.operators
        ],
        "targets": [asdict(one) for one in found.targets],
        "peers": [asdict(one) for one in found.peers],
    }
