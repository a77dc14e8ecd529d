"""Tuning: the plan's candidates, measured, one decision after another.

A decision is a layer's way, or the variant of a kernel that a layer calls;
layers that are alike decide together. Every candidate is built, learns the same
samples in QEMU with everything else as decided so far, and must end in the
state that the reference ends in. Its figure is the mean of the counted
instructions of a step. Modelled cycles are those of one step, the same in all,
for counts that are about equal, or for all where cycles are what is tuned for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import TypeVar

from codegen import kernels
from codegen.building import toolchain
from codegen.kernels import cost
from codegen.kernels.cost import Cost
from codegen.planning.planned import Call, Choice, Plan
from codegen.planning.ways import ALLOWED, Layer
from emulation import qemu
from hil.errors import Divergence, OverBudget, UsageError
from hil.lesson.building import Built, build, plan_for
from hil.lesson.lesson import Lesson
from hil.measuring.steps.counting import Boot, count, follow, has_counter, learn
from hil.measuring.steps.cycles import Modelled, judged, modelled
from hil.measuring.steps.reference import Twin, twin
from hil.measuring.steps.scoreboard import cores

Name = TypeVar("Name")
OBJECTIVES = ("instructions", "cycles")
TRIES = 3
"""Candidates of a decision, unless told otherwise."""

PROMISING = 1.5
"""Candidates whose estimate exceeds the least by more than this are not tried."""

OWN = "the plan's own choice"
TRACED = 8
"""Cycles are modelled of one of so many counted steps: that nearest to the mean."""


@dataclass(frozen=True)
class Figures:
    """Of one candidate: instructions of a step, counted, and its cycles by core,
    modelled; None where the instructions decided."""

    instructions: float
    cycles: Mapping[str, Modelled] | None = None

    @property
    def mean_cycles(self) -> float:
        """Over the cores."""
        assert self.cycles
        return fmean(found.cycles for found in self.cycles.values())


@dataclass(frozen=True)
class Decision:
    """What was decided for some layers: their way (`kernel` is None), or the
    variant of `kernel`. `tried` has every candidate, `own` is what the plan
    would have taken, `chosen` what was the best, `why` in words."""

    layers: tuple[int, ...]
    kernel: str | None
    tried: Mapping[str, Figures]
    own: str
    chosen: str
    why: str


@dataclass(frozen=True)
class Tuning:
    """What has been found so far; `complete` once every decision is made.

    `own` are the figures of the plan's own choice, `tuned` those of `plan`.
    `measured` images were counted; `step` is the counted step whose cycles were
    modelled, from 1.
    """

    lesson: Lesson
    warm: int
    objective: str
    toolchain: str
    qemu: str
    plan: Plan
    own: Figures
    tuned: Figures
    step: int
    measured: int
    decisions: tuple[Decision, ...] = ()
    complete: bool = False


@dataclass(frozen=True)
class _Question:
    """A decision to be made: each option is what it adds to the choices made so
    far, the plan's own first. `size` are the estimated instructions of all that
    it is about."""

    layers: tuple[int, ...]
    kernel: str | None
    options: Mapping[str, Choice]
    size: float


def about(layers: tuple[int, ...], kernel: str | None) -> str:
    """What a decision is about, such as "f32_tanh of layers 1, 2"."""
    what = kernel or "way"
    if layers == (0,):
        return what
    return f"{what} of layer{'s' * (len(layers) > 1)} {', '.join(map(str, layers))}"


@dataclass
class _Bench:
    """Measures candidates of a lesson, each image once."""

    lesson: Lesson
    warm: int
    compiler: toolchain.Toolchain
    reference: Twin
    place: int = 0
    overhead: int = 0
    boots: dict[str, tuple[Built, Boot]] = field(default_factory=dict)
    cycles: dict[str, Mapping[str, Modelled]] = field(default_factory=dict)

    @property
    def cores(self) -> tuple[str, ...]:
        """Those that the cycles are modelled on."""
        return judged(self.lesson.target, self.lesson.vlen)

    def count(self, choice: Choice, what: str) -> Figures:
        """Instructions alone, of the candidate `what`."""
        boot = self._boot(choice, what)[1]
        return Figures(fmean(boot.counts) - self.overhead)

    def model(self, choice: Choice, what: str) -> Figures:
        """Instructions, and cycles of the one step."""
        built, boot = self._boot(choice, what)
        digest = built.image.digest
        if not has_counter(self.lesson.target):  # nor a model of its core
            return Figures(fmean(boot.counts), {})
        if digest not in self.cycles:
            counted = follow(
                self.lesson, built, self.compiler, self.warm, boot,
                self.place + 1, typical=self.place,
            )  # fmt: skip
            self.overhead = counted.overhead
            self.cycles[digest] = modelled(counted.typical, counted.image, self.cores)
        return Figures(fmean(boot.counts) - self.overhead, self.cycles[digest])

    def own(self) -> Figures:
        """Of the plan's own choice, the first of all: it says which step is
        modelled, and what the counter holds beside a step, which is no matter of
        the kernels."""
        counts = self._boot(Choice(), OWN)[1].counts
        mean = fmean(counts)
        places = range(min(TRACED, len(counts)))
        self.place = min(places, key=lambda place: abs(counts[place] - mean))
        return self.model(Choice(), OWN)

    def _boot(self, choice: Choice, what: str) -> tuple[Built, Boot]:
        plan = plan_for(self.lesson, choice)
        built = build(plan, self.lesson.experiment.toolchain)
        digest = built.image.digest
        if digest not in self.boots:
            boot = self._counted(built)
            if boot.digest != self.reference.digest:
                raise Divergence(
                    f"{what} ends with digest {boot.digest:08x}, the reference with "
                    f"{self.reference.digest:08x}: its figures would be those of "
                    "another step",
                    f"its image is {built.image.path}",
                )
            self.boots[digest] = built, boot
        return self.boots[digest]

    def _counted(self, built: Built) -> Boot:
        """By the machine's counter, or where it has none by a trace of every step."""
        if has_counter(self.lesson.target):
            return learn(self.lesson, built, self.warm)
        found = count(self.lesson, built, self.compiler, self.warm)
        return Boot(found.steps, found.results, found.digest)


def tune(
    lesson: Lesson,
    warm: int,
    *,
    objective: str | None = None,
    tries: int = TRIES,
    tell: Callable[[str], None] = lambda text: None,
) -> Iterator[Tuning]:
    """Tune the steps of `lesson` after its first `warm` for one of `OBJECTIVES`, None
    for cycles where it names a core and for instructions elsewhere, with at most `tries` candidates a decision, the plan's own among them.

    Gives what is found after each decision, the last one complete. Raises
    `UsageError` where there are no modelled cycles to tune for, `Divergence` for
    a candidate that computes something else, and what `count` raises.
    """
    objective = objective or OBJECTIVES[lesson.core is not None]
    if objective == "cycles" and not judged(lesson.target, lesson.vlen):
        raise UsageError(
            f"target {lesson.target.name} at VLEN {lesson.vlen} cannot be tuned for "
            f"cycles: expected a 64-bit one at that of a core with a model, {_modelled()}",
            "--for instructions",
        )
    reference = twin(lesson, warm)
    plan = plan_for(lesson, Choice())
    compiler = toolchain.find(
        lesson.target, lesson.experiment.toolchain, plan.vlen, plan.debug
    )
    assert lesson.target.qemu is not None
    bench = _Bench(lesson, warm, compiler, reference)
    own = bench.own()
    found = Tuning(
        lesson, warm, objective, compiler.version,
        qemu.version(lesson.target.qemu.binary), plan, own, own, bench.place + 1, 1,
    )  # fmt: skip
    yield found
    choice = Choice()
    for ask in (_ways, _variants):
        for question in ask(lesson, plan_for(lesson, choice), objective, tries):
            tell(f"{about(question.layers, question.kernel)}: measuring "
                 + ", ".join(question.options))  # fmt: skip
            decision = _decide(bench, question, choice, objective)
            choice = _with(choice, question.options[decision.chosen])
            found = replace(
                found,
                plan=plan_for(lesson, choice),
                tuned=decision.tried[decision.chosen],
                measured=len(bench.boots),
                decisions=(*found.decisions, decision),
            )
            yield found
    yield replace(found, tuned=bench.model(choice, "the tuned choice"), complete=True)


def _modelled() -> str:
    return ", ".join(f"{core.vlen} of {name}" for name, core in cores().items())


def _with(choice: Choice, more: Choice) -> Choice:
    return Choice(
        {**choice.ways, **more.ways}, {**choice.variants, **more.variants}
    )  # fmt: skip


def _decide(
    bench: _Bench, question: _Question, choice: Choice, objective: str
) -> Decision:
    """Measure every option; counts that differ by less than 3 % of what the
    question is about are about equal, and cycles decide between them."""
    options = {name: _with(choice, o) for name, o in question.options.items()}
    title = about(question.layers, question.kernel)
    tried = {n: bench.count(option, f"{title}, {n},") for n, option in options.items()}
    least = min(figures.instructions for figures in tried.values())
    near = [
        name
        for name, figures in tried.items()
        if figures.instructions - least <= cost.NEAR * question.size
    ]
    why = "fewest instructions"
    if objective == "cycles":
        near, why = list(tried), "fewest modelled cycles"
    if len(near) > 1 and bench.cores:
        tried |= {n: bench.model(options[n], f"{title}, {n},") for n in near}
        chosen = min(
            near, key=lambda name: (tried[name].mean_cycles, tried[name].instructions)
        )
        if objective == "instructions":
            why = "within 3 % of the fewest instructions, fewest modelled cycles"
    else:
        chosen = min(tried, key=lambda name: tried[name].instructions)
    own = next(iter(options))
    return Decision(question.layers, question.kernel, tried, own, chosen, why)


def _promising(
    costs: Mapping[Name, Cost], own: Name, objective: str, tries: int
) -> list[Name]:
    """`own`, then the others whose estimates are not far above the least."""
    figures: Mapping[Name, float] = {n: getattr(c, objective) for n, c in costs.items()}
    others = [
        name
        for name in sorted(figures, key=lambda name: figures[name])
        if name != own and figures[name] <= PROMISING * min(figures.values())
    ]
    return [own, *others][:tries]


def _ways(
    lesson: Lesson, plan: Plan, objective: str, tries: int
) -> Iterator[_Question]:
    """The ways of each layer that its schedule allows and its memory holds."""
    alike: dict[object, list[Layer]] = {}
    for layer in (one for one in plan.layers if one.costs):
        key = (layer.number == 1, layer.shape, layer.learns)
        alike.setdefault(key, []).append(layer)
    for layers in alike.values():
        first, numbers = layers[0], tuple(layer.number for layer in layers)
        allowed = ALLOWED[lesson.experiment.schedule]
        left = {way: first.costs[way] for way in first.costs if way in allowed}
        costs = left or first.costs
        options = {}
        for way in _promising(costs, first.way, objective, tries):
            choice = Choice(dict.fromkeys(numbers, way))
            with suppress(OverBudget):
                plan_for(lesson, choice)
                options[way] = choice
        if len(options) > 1:
            size = len(layers) * costs[first.way].instructions
            yield _Question(numbers, None, options, size)


def _variants(
    lesson: Lesson, plan: Plan, objective: str, tries: int
) -> Iterator[_Question]:
    """The variants of each kernel that a step calls."""
    alike: dict[object, list[Call]] = {}
    for call in plan.step:
        alike.setdefault((call.key, call.shape), []).append(call)
    for calls in alike.values():
        key, numbers = calls[0].key, tuple(c.layer for c in calls)
        costs = kernels.estimates(
            calls[0].variant.kernel.name, plan.vlens, calls[0].shape, plan.core
        )
        options = {
            row.suffix: Choice({}, {(number, key): row for number in numbers})
            for row in _promising(costs, calls[0].variant, objective, tries)
        }
        if len(options) > 1:
            size = len(calls) * costs[calls[0].variant].instructions
            yield _Question(numbers, key, options, size)
