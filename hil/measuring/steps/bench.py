"""`hil bench step`: what one learning step costs, counted and modelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean

from codegen.building import toolchain
from codegen.errors import SpecError
from codegen.planning.bounds import Bounds, bounds
from codegen.planning.planned import Plan
from emulation import qemu
from hil.errors import Divergence, UsageError
from hil.experiment import Experiment
from hil.lesson.building import Built, build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.measuring.steps.caches import Moved, moved
from hil.measuring.steps.counting import Counted, count, has_counter
from hil.measuring.steps.cycles import Modelled, judged, modelled
from hil.measuring.steps.plain import Opponent, opponents
from hil.measuring.steps.reference import Twin, twin
from targets import Target, load, names

CHOSEN = "chosen"
WARM = 20
"""Steps before the counted ones: a network that has learned a little."""
STEPS = {"digits": 100}
OTHER_STEPS = 50
"""Steps counted when nobody says how many."""
TRACED_STEPS = 4
"""The same where there is no counter, and every step is traced."""
NETWORKS = {"digits": (64, 64, 10)}
OTHER_NETWORK = (784, 128, 10)


@dataclass(frozen=True)
class Candidate:
    """One way to build the step of an experiment."""

    lesson: Lesson
    plan: Plan


@dataclass(frozen=True)
class Row:
    """What one variant of the step costs. `bounds` is None for a machine without
    vectors, for integers and behind an imported front, of which they say nothing; `memory`: what a step moves,
    by core; `source` are the lines of net.c."""

    variant: str
    target: str
    counted: Counted
    bounds: Bounds | None
    modelled: Mapping[str, Modelled]
    memory: Mapping[str, tuple[Moved, ...]]
    source: tuple[str, ...]

    @property
    def ratio(self) -> float | None:
        """Instructions a step, in practical floors."""
        return self.counted.mean / self.bounds.floor if self.bounds else None


@dataclass(frozen=True)
class StepBench:
    """Everything found in one run; the chosen variant comes first."""

    lesson: Lesson
    warm: int
    twin: Twin
    toolchain: str
    qemu: str
    rows: tuple[Row, ...]
    against: tuple[Opponent, ...] = ()

    @property
    def losses(self) -> float:
        """Mean loss of the counted steps."""
        return fmean(float(result.loss) for result in self.twin.results)


def lesson_for(asked: Experiment, warm: int = WARM) -> Lesson:
    """The lesson whose steps after `warm` are counted: `asked.steps` of them.

    Raises `UsageError` for a target that is no whole machine, and what `prepare`
    raises.
    """
    if asked.network is None and asked.front is None:
        asked = asked.override(
            {"network": NETWORKS.get(str(asked.data), OTHER_NETWORK)}
        )
    if asked.unit is not None or not load(asked.target).emulated:
        raise UsageError(
            f"{asked.unit or asked.target!r} counts no instructions: "
            "hil bench step needs a whole machine in QEMU",
            "`hil targets` lists them",
        )
    if asked.epochs is not None:
        raise UsageError(
            f"epochs = {asked.epochs}: hil bench step counts steps, say --steps"
        )
    for name in ("init", "save"):
        if getattr(asked, name) is not None:
            raise UsageError(
                f"{name} = {getattr(asked, name)!r}: hil bench step starts from the "
                "seed's weights and keeps none"
            )
    counter = has_counter(load(asked.target))
    usual = STEPS.get(str(asked.data), OTHER_STEPS) if counter else TRACED_STEPS
    counted = asked.steps or usual
    return prepare(asked.override({"steps": warm + counted, "icount": counter}))


def candidates(lesson: Lesson) -> dict[str, Candidate]:
    """What is counted, by name: what the plan chose, by itself or as a tuned file
    says, and then what it chooses by itself; the same for any VLEN; every layer
    sequential, and every layer fused, where that can be; "scalar" is the same network for the same
    machine without vectors. Behind an imported front it is left out: its trace would be
    gigabytes."""
    found = {CHOSEN: Candidate(lesson, plan_for(lesson))}
    if lesson.tuned is not None:
        lesson = prepare(lesson.experiment.override({"tuned": None}))
        found["untuned"] = Candidate(lesson, plan_for(lesson))
    others: list[tuple[str, dict[str, object]]] = [
        ("length-agnostic", {"agnostic": True}),
        ("sequential", {"schedule": "sequential"}),
        ("fused", {"schedule": "fused"}),
    ]
    for name, keys in others if lesson.target.vector else ():
        with suppress(SpecError):  # a rule or an update that cannot be fused
            other = prepare(lesson.experiment.override(keys))
            found[name] = Candidate(other, plan_for(other))
    without = _without_vectors(lesson.target)
    if without is not None and lesson.spec.inputs.frozen is None:
        scalar = prepare(
            lesson.experiment.override(
                {"target": without.name, "vlen": None, "core": None}
            )
        )
        found["scalar"] = Candidate(scalar, plan_for(scalar))
    return found


def _without_vectors(target: Target) -> Target | None:
    if target.vector is None:
        return None
    others = (load(name) for name in names())
    return next(
        (
            t
            for t in others
            if (t.port, t.xlen) == (target.port, target.xlen) and t.vector is None
        ),
        None,
    )


def bench_step(
    lesson: Lesson,
    *,
    warm: int = WARM,
    only: tuple[str, ...] | None = None,
    against: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> StepBench:
    """Count every candidate (or `only` some), model its cycles, and hold it
    against plain C where `against` is "c". `tell` hears of each stage.

    Raises `UsageError` for a candidate that there is not, `Divergence` when the
    device does not end where the reference does, and what `count` raises.
    """
    known = candidates(lesson)
    for name in only or ():
        if name not in known:
            raise UsageError(
                f"unknown variant {name!r}: expected one of {', '.join(known)}"
            )
    if against is not None and CHOSEN not in (only or known):
        raise UsageError(
            f"--against {against} without variant {CHOSEN!r}: expected it among the "
            "variants, for the ratio is to it"
        )
    reference = twin(lesson, warm)
    compiler = toolchain.find(lesson.target, lesson.experiment.toolchain)
    rows = []
    for name in (n for n in known if only is None or n in only):
        tell(f"counting {name}: two boots, one of them traced")
        rows.append(_row(name, known[name], warm, reference))
    found: tuple[Opponent, ...] = ()
    if against == "c":
        tell("counting plain C: two forms, each with every setting")
        plan = known[CHOSEN].plan
        found = tuple(opponents(lesson, plan, compiler, warm, reference))
    assert lesson.target.qemu is not None
    return StepBench(
        lesson, warm, reference, compiler.version,
        qemu.version(lesson.target.qemu.binary), tuple(rows), found,
    )  # fmt: skip


def _row(name: str, one: Candidate, warm: int, reference: Twin) -> Row:
    lesson = one.lesson
    compiler = toolchain.find(
        lesson.target, lesson.experiment.toolchain, one.plan.vlen, one.plan.debug
    )
    built: Built = build(one.plan, lesson.experiment.toolchain)
    counted = count(lesson, built, compiler, warm)
    if counted.digest != reference.digest:
        raise Divergence(
            f"variant {name!r} ends with digest {counted.digest:08x}, the reference with "
            f"{reference.digest:08x}: its figures would be those of another step",
            "`hil run` with the same experiment finds the first difference",
        )
    spec = one.plan.spec
    bounded = not spec.numbers.integer and spec.inputs.frozen is None
    limits = (
        bounds(one.plan, lesson.vlen, reference.activity)
        if lesson.vlen and bounded
        else None
    )
    on = judged(lesson.target, lesson.vlen)
    cycles = modelled(counted.typical, counted.image, on)
    memory = {core: moved(one.plan, reference.activity, core) for core in on}
    source = built.files.files["generated/net.c"].splitlines()
    return Row(
        name, lesson.target.name, counted, limits, cycles, memory, tuple(source)
    )  # fmt: skip
