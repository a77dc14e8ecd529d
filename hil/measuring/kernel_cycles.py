"""`hil bench cycles`: what each variant of a kernel costs on a core, for the plan.

Steps of a few networks are traced with one variant after another, and the part of
the trace that is a kernel's is modelled by itself (cores.toml). What the variants'
formulas count (codegen/kernels/cost.py) becomes cycles by four weights a variant,
fitted to all its calls, relative errors least.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby
from operator import itemgetter
from typing import TypeAlias

import numpy as np

from codegen import kernels
from codegen.building import toolchain
from codegen.kernels import Variant
from codegen.kernels.cost import Cost, Shape
from codegen.machine_code.decode import Instruction
from codegen.planning.planned import Choice, Plan
from codegen.program import Op, ops
from codegen.rendering.render import environment
from hil.experiment import Experiment
from hil.lesson.building import build, plan_for
from hil.lesson.lesson import Lesson
from hil.measuring.steps.bench import lesson_for
from hil.measuring.steps.counting import Counted, count
from hil.measuring.steps.phases import Phase
from hil.measuring.steps.scoreboard import Core, cores

WARM = 3
Traced: TypeAlias = tuple[dict[str, object], tuple[str, ...]]
"""Keys of an experiment, and the ways that its layers go."""


def _in_integers(integer: str, data: str, network: str) -> Traced:
    keys = {"data": data, "network": network, "rule": "bp", "format": integer}
    return {**keys}, ("dense",)


NETWORKS: tuple[Traced, ...] = (
    ({"data": "digits", "network": "64-64-10", "rule": "dfa"}, ("dense", "listed")),
    (
        {"data": "digits", "network": "64-112-40-10", "rule": "bp"},
        ("dense", "listed", "fused"),
    ),
    (
        {"data": "mnist", "network": "784-128-10", "rule": "dfa", "output": "softmax"},
        ("dense", "listed"),
    ),
    (
        {"data": "dense", "network": "784-128-10", "rule": "bp"},
        ("dense", "listed", "fused"),
    ),
    (
        {"data": "digits", "network": "64-200-17", "rule": "dfa", "activation": "relu",
         "output": "identity"},
        ("dense",),
    ),
    (
        {"data": "digits", "network": "64-300-33", "rule": "dfa", "output": "softmax",
         "activation": "sigmoid"},
        ("dense",),
    ),
    *(
        _in_integers(integer, data, network)
        for integer in ("i16", "i8")
        for data, network in (
            ("digits", "64-112-40-10"), ("mnist", "784-128-10"), ("dense", "784-128-10"),
        )
    ),
)  # fmt: skip
"""What is traced: a step of each of these, all of its layers in each of these ways."""

HEAD = """\
# Modelled cycles of kernels' variants, for targets that name a core (codegen/kernels/cycles.py). Made by
#
#     hil bench cycles --update
#
# by the tables of hil/measuring/steps/cores.toml, with {toolchain}. variant = [call, vector, scalar, strided, source]: cycles of a call, of a
# vector instruction that walks in order, of a scalar one, of an element that is moved otherwise, each as often as codegen/kernels/cost.py says;
# then the digest of the C source that was measured. Behind it how far these are from what was modelled, at most, and of how many calls.
"""


@dataclass(frozen=True)
class Measured:
    """A call: what its formula counts, and the cycles that were modelled."""

    counted: Cost
    cycles: int


@dataclass(frozen=True)
class Fitted:
    """Weights of a variant, the largest relative error, and the calls behind them."""

    weights: tuple[float, float, float, float]
    error: float
    calls: int


def source_of(row: Variant) -> str:
    """A digest of the C that a variant is, headers of inline functions included."""
    common = (kernels.HEADER, kernels.VECTOR_HEADER)
    files = kernels.render(environment(), [row])
    text = "".join(text for name, text in files.items() if name not in common)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def measure(
    core: Core, tell: Callable[[str], None], only: Collection[str] = ()
) -> dict[Variant, list[Measured]]:  # fmt: skip
    """Every call of every variant, or of `only` these kernels' variants, in the steps of
    `NETWORKS` at the core's VLEN. Raises what counting raises."""
    found: defaultdict[Variant, list[Measured]] = defaultdict(list)
    for keys, ways in NETWORKS:
        asked = Experiment().override({**keys, "vlen": core.vlen, "steps": 1})
        lesson = lesson_for(asked, WARM)
        for way in ways:
            tell(f"{core.name}: {lesson.spec.network} on {asked.data}, {way}")
            for plan in plans(lesson, way, only):
                for row, call in calls(core, lesson, plan):
                    if not only or row.kernel.name in only:
                        found[row].append(call)
    return found


def plans(lesson: Lesson, way: str, only: Collection[str] = ()) -> Iterator[Plan]:
    """Every layer that can be in this way, and with every variant of its kernels, or of
    `only` these; none where a step calls none of them."""
    own = plan_for(lesson, Choice())
    ways = {n.number: way for n in own.layers if way in n.costs}
    first = plan_for(lesson, Choice(ways))
    rows = {
        (call.layer, call.key): list(
            kernels.estimates(call.variant.kernel.name, first.vlens, call.shape)
        )
        for call in first.step
        if not only or call.variant.kernel.name in only
    }
    for turn in range(max(map(len, rows.values()), default=0)):
        chosen = {place: there[turn % len(there)] for place, there in rows.items()}
        yield plan_for(lesson, Choice(ways, chosen))


def calls(core: Core, lesson: Lesson, plan: Plan) -> Iterator[tuple[Variant, Measured]]:
    """The calls of one step, by their places in its trace. A kernel that a step calls
    more or less often than its program says (a fused layer that fell back) is left
    out."""
    compiler = toolchain.find(lesson.target, None, plan.vlen)
    counted = count(lesson, build(plan), compiler, WARM)
    active = np.count_nonzero(lesson.sample(WARM)[0]) / lesson.spec.network.n_in
    expected: defaultdict[str, list[Op]] = defaultdict(list)
    for one in ops(plan.program.step, usual=True):
        expected[one.kernel.name].append(one)
    there: defaultdict[str, list[Phase]] = defaultdict(list)
    # by their lines, as the program has them: a compiler may begin a later call first
    for phase in sorted(set(counted.order), key=lambda phase: phase.line):
        there[phase.name].append(phase)
    for kernel, asked in expected.items():
        if len(there[kernel]) != len(asked):
            continue
        for one, phase in zip(asked, there[kernel], strict=True):
            row, shape = plan.variant(one), _actual(one.shape, active)
            modelled = row.cost(shape, core.vlen)
            yield row, Measured(modelled, core.cycles(_of(counted, phase)))


def _of(counted: Counted, phase: Phase) -> Iterator[Instruction]:
    return (
        instruction
        for (_, instruction), whose in zip(counted.typical, counted.order, strict=True)
        if whose == phase
    )


def _actual(shape: Shape, active: float) -> Shape:
    """With as many rows as this sample has; only layer 1 has zeros among its inputs."""
    return shape if shape.density == 1.0 else replace(shape, density=active)


def fit(calls: Sequence[Measured]) -> Fitted:
    """The weights, none of them negative, by which the calls' relative errors are least
    in the mean square."""
    counted = np.array(
        [
            (1, c.counted.vector, c.counted.instructions - c.counted.vector, c.counted.strided)
            for c in calls
        ]
    )  # fmt: skip
    cycles = np.array([call.cycles for call in calls], dtype=float)
    relative, best = counted / cycles[:, None], (np.inf, np.zeros(4))
    for size in range(1, 5):
        for used in map(list, combinations(range(4), size)):
            found = np.linalg.lstsq(relative[:, used], np.ones(len(calls)), rcond=None)
            if (found[0] < 0).any():
                continue
            weights = np.zeros(4)
            weights[used] = found[0]
            error = float(((relative @ weights - 1) ** 2).mean())
            if error < best[0] - 1e-9:
                best = error, weights
    call, vector, scalar, strided = (round(float(w), 2) for w in best[1])
    rounded = np.array([call, vector, scalar, strided])
    error = float(np.abs(relative @ rounded - 1).max())
    return Fitted((call, vector, scalar, strided), error, len(calls))


def lines(rows: Mapping[Variant, Fitted]) -> dict[tuple[str, str], str]:
    """What cycles.toml says of these variants, by kernel and suffix."""
    return {(row.kernel.name, row.suffix): _line(row, rows[row]) for row in rows}


def _line(row: Variant, fitted: Fitted) -> str:
    weights = ", ".join(f"{weight:.2f}" for weight in fitted.weights)
    return (
        f'{row.suffix} = [{weights}, "{source_of(row)}"] '
        f"# {fitted.error:.0%} of {fitted.calls}"
    )


def said(text: str) -> dict[str, dict[tuple[str, str], str]]:
    """The lines of a cycles.toml, by core, then by kernel and suffix."""
    found: defaultdict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    core = kernel = ""
    for line in text.splitlines():
        if line.startswith("["):
            core, _, kernel = line.strip("[]").partition(".kernels.")
        elif kernel and "=" in line:
            found[core][kernel, line.split(" = ")[0]] = line
    return dict(found)


def table(found: Mapping[str, Mapping[tuple[str, str], str]], version: str) -> str:
    """The text of cycles.toml, by cores."""
    out = [HEAD.format(toolchain=version)]
    for name, rows in found.items():
        out += [f"[{name}]", f"vlen = {cores()[name].vlen}", ""]
        for kernel, group in groupby(sorted(rows), key=itemgetter(0)):
            out += [f"[{name}.kernels.{kernel}]", *(rows[key] for key in group), ""]
    return "\n".join(out).rstrip() + "\n"
