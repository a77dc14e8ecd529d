"""What the plan of a lesson has chosen, and why: `hil kernels --explain`.

Every figure is an estimate by the formulas of codegen/kernels/cost.py, so it is
modelled; `hil bench step` counts and `hil tune` measures the candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codegen import kernels
from codegen.kernels import Variant, cost
from codegen.kernels.cost import Cost
from codegen.planning.planned import Call, Plan
from codegen.planning.ways import ALLOWED, Layer
from hil.errors import UsageError
from hil.experiment import Experiment
from hil.lesson.building import plan_for
from hil.lesson.lesson import INSTRUCTIONS, Lesson
from targets import load

FEWEST = "fewest instructions"
NEAR = "within 3 % of the fewest instructions, fewest cycles"
ALONE = "the only one"
TUNED = "tuned"
FASTEST = "fewest cycles of the core"
SHORT = {
    FEWEST: "fewest", NEAR: "cycles", ALONE: "only", TUNED: TUNED, FASTEST: "core",
}  # fmt: skip


@dataclass(frozen=True)
class Way:
    """How a layer is computed: `costs` of every way, and why `layer.way`."""

    layer: Layer
    why: str


@dataclass(frozen=True)
class Chosen:
    """A call's variant, why, and the best of the others (None: there is none)."""

    call: Call
    cost: Cost
    why: str
    runner_up: Variant | None
    runner_up_cost: Cost | None


@dataclass(frozen=True)
class Explanation:
    """Of every layer and every call of a step."""

    lesson: Lesson
    plan: Plan
    ways: tuple[Way, ...]
    calls: tuple[Chosen, ...]

    @property
    def whole(self) -> Cost:
        """A step's kernels together."""
        return cost.total(chosen.cost for chosen in self.calls)


def aimed(asked: Experiment, objective: str | None) -> Experiment:
    """The experiment with what is to decide. Raises `UsageError` for cycles of no core."""
    if objective == "instructions":
        return asked.override({"core": INSTRUCTIONS})
    if objective == "cycles" and (asked.core or load(asked.target).core) is None:
        raise UsageError(
            f"--for cycles, but neither the experiment nor target {asked.target} names a "
            f"core: expected --core with one of {', '.join(kernels.cores())}"
        )
    return asked


def explain(lesson: Lesson) -> Explanation:
    """Explain the plan of `lesson`. Raises what planning raises."""
    plan = plan_for(lesson)
    told = lesson.tuned.choice.variants if lesson.tuned else {}
    calls = [_chosen(plan, call, (call.layer, call.key) in told) for call in plan.step]
    allowed = ALLOWED[lesson.experiment.schedule]
    return Explanation(
        lesson, plan, tuple(Way(n, _why(plan, n, allowed)) for n in plan.layers),
        tuple(calls),
    )  # fmt: skip


def _why(plan: Plan, layer: Layer, allowed: tuple[str, ...]) -> str:
    if len(allowed) == 1 or layer.told == TUNED or not layer.costs:
        return layer.told
    if plan.core is not None:
        return FASTEST
    left = {way: costs for way, costs in layer.costs.items() if way in allowed}
    costs = left or layer.costs
    return FEWEST if len(cost.about_fewest(costs)) == 1 else NEAR


def _chosen(plan: Plan, call: Call, told: bool) -> Chosen:
    kernel = call.variant.kernel.name
    costs = kernels.estimates(kernel, plan.vlens, call.shape, plan.core)
    fast = plan.core is not None and kernels.known(kernel, plan.vlens, plan.core)
    others = {row: found for row, found in costs.items() if row != call.variant}
    least = cost.fastest if fast else cost.cheapest
    second = least(others) if others else None
    if told:
        why = TUNED
    elif second is None:
        why = ALONE
    elif fast:
        why = FASTEST
    else:
        why = FEWEST if len(cost.about_fewest(costs)) == 1 else NEAR
    return Chosen(
        call, costs[call.variant], why, second, costs[second] if second else None
    )  # fmt: skip


def _made_for(plan: Plan) -> str:
    if plan.target.vector is None:
        return "without vectors"
    if plan.vlen is not None:
        return f"specialised for VLEN {plan.vlen}"
    return "any VLEN: the best over " + ", ".join(map(str, plan.vlens))


def lines(found: Explanation) -> Iterator[str]:
    """For people, within 100 columns."""
    plan, experiment = found.plan, found.lesson.experiment
    network = plan.spec.network
    yield (
        f"{plan.rule.name} {network} {network.activation}/{network.output} on "
        f"{experiment.data}, {plan.target.name}"
    )
    decides = f"cycles of {plan.core} decide" if plan.core else "instructions decide"
    yield f"{_made_for(plan)}; schedule {experiment.schedule}; {decides}"
    yield "instructions and cycles are modelled: estimates of one step by codegen/kernels/cost.py"
    if plan.core:
        yield "where the cycles of a kernel on the core are known, they are by codegen/kernels/cycles.toml"
    for way in found.ways:
        yield ""
        yield from _layer_lines(found, way)
    yield ""
    yield "the network as a whole"
    yield from _call_lines(found, 0)
    yield ""
    yield (
        f"kernels of a step: {found.whole.instructions:,.0f} instructions, "
        f"{found.whole.cycles:,.0f} cycles (modelled)"
    )
    for words, short in SHORT.items():
        if short != words:
            yield f"  {short:7}{words}"


def _layer_lines(found: Explanation, way: Way) -> Iterator[str]:
    layer = way.layer
    shape = layer.shape
    yield (
        f"layer {layer.number}: {shape.n_in} to {shape.n_out}, "
        f"{shape.density:.0%} of its inputs not zero ({_source(found, layer)})"
    )
    yield f"    {'way':8}{'instr.':>10}{'cycles':>11}   why"
    for name, figures in layer.costs.items():
        mark, why = ("*", way.why) if name == layer.way else (" ", "")
        yield (
            f"  {mark} {name:8}{figures.instructions:10,.0f}{figures.cycles:11,.0f}"
            f"   {why}".rstrip()
        )
    yield from _call_lines(found, layer.number)


def _source(found: Explanation, layer: Layer) -> str:
    if layer.number == 1:
        return f"reference: {found.lesson.dataset.name}"
    return "assumed"


HEADER = (
    "kernel", "variant", "instr.", "cycles", "why", "runner-up", "instr.", "cycles",
)  # fmt: skip
"""Of the calls; a variant's name ends with LMUL and the groups of columns in registers."""


def _call_lines(found: Explanation, number: int) -> Iterator[str]:
    """The calls of a layer, in columns that are as wide in every layer."""
    every = [HEADER, *map(_cells, found.calls)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    yield _in_columns(HEADER, widths)
    for chosen in found.calls:
        if chosen.call.layer == number:
            yield _in_columns(_cells(chosen), widths)


def _cells(chosen: Chosen) -> tuple[str, ...]:
    row, second, costs = chosen.call.variant, chosen.runner_up, chosen.runner_up_cost
    return (
        row.kernel.name, row.suffix, *_figures(chosen.cost), SHORT[chosen.why],
        second.suffix if second else "", *(_figures(costs) if costs else ("", "")),
    )  # fmt: skip


def _figures(costs: Cost) -> tuple[str, str]:
    return f"{costs.instructions:,.0f}", f"{costs.cycles:,.0f}"


def _in_columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Words at the left of their columns, figures at the right."""
    padded = [
        cell.rjust(width) if name in ("instr.", "cycles") else cell.ljust(width)
        for name, cell, width in zip(HEADER, cells, widths, strict=True)
    ]
    return ("  " + " ".join(padded)).rstrip()


def to_json(found: Explanation) -> dict[str, Any]:
    """The document of --json."""
    plan = found.plan
    return {
        "explain": found.lesson.experiment.name,
        "target": plan.target.name,
        "vlen": plan.vlen,
        "vlens": list(plan.vlens),
        "core": plan.core,
        "rule": plan.rule.name,
        "network": list(plan.spec.network.layers),
        "layers": [
            {
                "layer": way.layer.number,
                "n_in": way.layer.shape.n_in,
                "n_out": way.layer.shape.n_out,
                "density": float(way.layer.shape.density),
                "density_of": _source(found, way.layer),
                "way": way.layer.way,
                "why": way.why,
                "ways": {name: _cost(c) for name, c in way.layer.costs.items()},
            }
            for way in found.ways
        ],
        "calls": [_call(chosen) for chosen in found.calls],
        **_cost(found.whole),
        "provenance": {
            "instructions": "modelled",
            "cycles": "modelled",
            "density": "reference",
        },
    }


def _call(chosen: Chosen) -> Mapping[str, Any]:
    row = chosen.call.variant
    document: dict[str, Any] = {
        "layer": chosen.call.layer,
        "kernel": row.kernel.name,
        "variant": row.suffix,
        "lmul": row.lmul,
        "groups": row.groups,
        "form": row.form,
        "shape": [chosen.call.shape.n_in, chosen.call.shape.n_out],
        "why": chosen.why,
        **_cost(chosen.cost),
        "runner_up": None,
    }
    if chosen.runner_up is not None and chosen.runner_up_cost is not None:
        document["runner_up"] = {
            "variant": chosen.runner_up.suffix,
            **_cost(chosen.runner_up_cost),
        }
    return document


def _cost(figures: Cost) -> dict[str, float]:
    return {
        "instructions": float(figures.instructions),
        "cycles": float(figures.cycles),
    }
