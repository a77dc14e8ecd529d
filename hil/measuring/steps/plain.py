"""`--against c`: the same step in plain C, by the same compiler, at its best.

The opponent (codegen/templates/bench/plain.c.j2, of integers plain_fixed.c.j2) stands
behind the same net.h in the same firmware, learns from the same samples and is counted in
the same way. Of integers it gives the same bits. It is compiled with every set of flags below, and of each figure the best counts:
the flags of the fewest instructions are seldom those of the fewest cycles of a core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from codegen import feedback
from codegen.building import toolchain
from codegen.building.arm import CORES
from codegen.building.buildplan import BuildPlan
from codegen.building.compilers import ARITHMETIC, CLANG, Toolchain
from codegen.numbers import Factor, factor
from codegen.planning.bounds import lanes
from codegen.planning.planned import Plan
from codegen.reference import random
from codegen.rendering import render as rendering
from codegen.tensors import Uniform
from hil.errors import BuildError, Divergence, UsageError
from hil.lesson.building import Built
from hil.lesson.lesson import Lesson
from hil.measuring.steps.counting import Counted, count
from hil.measuring.steps.cycles import Modelled, judged, modelled
from hil.measuring.steps.reference import Twin

RULES = ("bp", "dfa")
FORMS = {"dense": False, "listed": True}
"""Form -> whether it keeps a list of the inputs that are not zero."""

BLOCK = 2
"""Register groups that a block of columns fills: more of them share a row's
scalar work, and three would not fit beside what is loaded."""

TRIED = 5
"""Steps by which sets of flags are compared."""

TOLERANCE = 1e-3
"""Of outputs and losses, to prove that it is the same step that is counted; integers have
none."""


_LOOSE = ("-ffast-math", "-fno-strict-aliasing", "-fomit-frame-pointer")
_FAST = ("-O3", *_LOOSE)
_SMALL = ("-Os", *_LOOSE)
SCALAR_BLOCKS = (8, 16, 32)
"""Columns at once where a register holds one: an FPU has 16 or 32. -O2 and unrolling
give the very code of -O3."""
_FMA = ("-Xclang", "-target-feature", "-Xclang", "-slowfpvfmx")
"""clang for a Cortex-M4 multiplies and adds by two instructions unless it is told so."""
_LMUL_4 = ("-mllvm", "-riscv-v-register-bit-width-lmul=4")
_LMUL_8 = ("-mllvm", "-riscv-v-register-bit-width-lmul=8")
_FIXED = ("-mllvm", "-scalable-vectorization=off")
_UNSCHEDULED = CLANG
_FOLDED = ("-mllvm", "-prefer-predicate-over-epilogue=predicate-dont-vectorize")


@dataclass(frozen=True)
class Setting:
    """Compiler flags, and how many columns' sums stay in local variables."""

    flags: tuple[str, ...]
    block: int

    def __str__(self) -> str:
        return f"{self.block} columns, {' '.join(self.flags)}"


def settings(vlen: int, thumb: bool = False) -> tuple[Setting, ...]:
    """What is tried at a VLEN, 0 for a machine without vectors; `thumb`: a Cortex-M."""
    if vlen:
        return tuple(Setting(f, BLOCK * lanes(vlen)) for f in _vector_flags(vlen))
    fast = (_FAST, (*_FAST, *_FMA)) if thumb else (_FAST,)
    scalar = tuple(Setting(flags, n) for flags in fast for n in SCALAR_BLOCKS)
    return (*scalar, Setting(_SMALL, SCALAR_BLOCKS[0]))


OF_INTEGERS = (Setting(_FAST, 4), Setting(_SMALL, 4))
"""Tried besides where a core has 8 registers to 31 for sums and all else."""


def _vector_flags(vlen: int) -> tuple[tuple[str, ...], ...]:
    """What is tried, each with the VLEN made known (zvl*b): the compiler's own
    choice, LMUL 8 and 4, vectors of fixed length, tails folded into the loop, as our
    kernels without the scheduler, VLEN as an upper bound too; one set is in gcc's spelling. A compiler tries what
    it takes. Left out since they never won: -O2, -Os, unrolling, without SLP, LMUL 1."""
    exact = (f"-mvscale-min={vlen // 64}", f"-mvscale-max={vlen // 64}")
    known = tuple(part for flag in exact for part in ("-Xclang", flag))
    return (
        _FAST,
        (*_FAST, *_LMUL_8),
        (*_FAST, *_LMUL_8, *_FIXED),
        (*_FAST, *_LMUL_8, *_FIXED, *_FOLDED),
        (*_FAST, *_LMUL_8, *_FIXED, *_FOLDED, *_UNSCHEDULED),
        (*_FAST, *_LMUL_8, *_FIXED, *_FOLDED, *known),
        (*_FAST, "-mrvv-vector-bits=zvl", "-mrvv-max-lmul=m8"),
        (*_FAST, *_LMUL_4, *_FIXED),
        (*_FAST, *_LMUL_4, *_FIXED, *_FOLDED),
    )


INSTRUCTIONS = "instructions"
"""The figure beside the cores' cycles in which flags may be best."""


@dataclass(frozen=True)
class Opponent:
    """One form of the plain C step at the flags that were best for it in `figure`, which
    is "instructions" or the name of a core, whose cycles are meant. `tried` is the
    figure with each setting."""

    form: str
    figure: str
    setting: Setting
    counted: Counted
    modelled: Mapping[str, Modelled]
    tried: Mapping[str, float]


def opponents(
    lesson: Lesson, plan: Plan, compiler: Toolchain, warm: int, twin: Twin
) -> list[Opponent]:
    """Each form at its best in each figure: instructions, and the cycles of each core.

    Raises `UsageError` for a rule or inputs that it is not written for, `BuildError`
    when this compiler takes no set of flags, and `Divergence` when what is learned is
    not what the reference learns.
    """
    if plan.rule.name not in RULES:
        raise UsageError(
            f"rule {plan.rule.name!r} has no plain C to be held against: expected one "
            f"of {', '.join(RULES)}"
        )
    if plan.spec.numbers.integer and plan.spec.inputs.declared is not None:
        raise UsageError(
            f"{plan.spec.inputs} in {plan.spec.format} have no plain C to be held against: "
            "expected samples that are divided by a scale"
        )
    found: list[Opponent] = []
    for form in FORMS:
        found += _Form(form, lesson, plan, compiler, warm).best(twin)
    return found


Count = tuple[Counted, dict[str, Modelled]]
"""What a number of steps came to, and the typical one's cycles."""


@dataclass
class _Form:
    """One form of the opponent, built with one set of flags after another."""

    name: str
    lesson: Lesson
    plan: Plan
    compiler: Toolchain
    warm: int

    def best(self, twin: Twin) -> list[Opponent]:
        """At the best flags for each figure; each set that is best is counted once."""
        few = replace(self.lesson, steps=min(self.warm + TRIED, self.lesson.steps))
        counts = self._tried(few)
        tried = {one: _figures(*count) for one, count in counts.items()}
        whole = dict(counts) if few == self.lesson else {}
        found = []
        for figure in next(iter(tried.values())):
            best = min(tried, key=lambda one: tried[one][figure])
            if best not in whole:
                whole[best] = self._count(self.lesson, best)
            tolerance = 0.0 if self.plan.spec.numbers.integer else TOLERANCE
            _require_the_same_step(self.name, whole[best][0], twin, tolerance)
            each = {str(one): figures[figure] for one, figures in tried.items()}
            found.append(Opponent(self.name, figure, best, *whole[best], each))
        return found

    def _tried(self, few: Lesson) -> dict[Setting, Count]:
        """A few steps, by the settings that this compiler takes."""
        tried: dict[Setting, Count] = {}
        refused: BuildError | None = None
        whole = self.plan.spec.numbers.integer and not few.vlen
        fast = settings(few.vlen, few.target.isa in CORES)
        for setting in (*fast, *(OF_INTEGERS if whole else ())):
            try:
                tried[setting] = self._count(few, setting)
            except BuildError as error:
                refused = refused or error
        if not tried:
            assert refused is not None
            raise refused
        return tried

    def _count(self, lesson: Lesson, setting: Setting) -> Count:
        files = plain_files(self.plan, setting.block, FORMS[self.name])
        tuned = _tuned(self.compiler, setting.flags, lesson.vlen)
        built = Built(self.plan, files, toolchain.build(files, tuned))
        counted = count(lesson, built, tuned, self.warm)
        on = judged(lesson.target, lesson.vlen)
        return counted, modelled(counted.typical, counted.image, on)


def _figures(counted: Counted, cycles: Mapping[str, Modelled]) -> dict[str, float]:
    """Every figure that flags may be best in, by name."""
    return {
        INSTRUCTIONS: counted.mean,
        **{core: one.cycles for core, one in cycles.items()},
    }


def plain_files(plan: Plan, block: int, listed: bool) -> BuildPlan:
    """The image of `plan` with plain C for its library, `block` columns at once."""
    integer = plan.spec.numbers.integer
    values = rendering.context(plan) | {
        "hidden": range(1, plan.spec.network.depth),
        "listed": listed,
        "block": block,
        **(_fixed(plan) if integer else {"feedback": _feedback(plan)}),
    }
    name = "plain_fixed" if integer else "plain"
    template = rendering.environment().get_template(f"bench/{name}.c.j2")
    whole = rendering.render(plan)
    kept = {
        name: text
        for name, text in whole.files.items()
        if not name.startswith("generated/") or name == "generated/net.h"
    }
    source = "generated/plain.c"
    files = dict(sorted({**kept, source: template.render(values)}.items()))
    form = "listed" if listed else "dense"
    return replace(whole, name=f"plain-{form}", files=files, library=(source,))


def _feedback(plan: Plan) -> Mapping[int, Sequence[Sequence[str]]]:
    """Feedback of each hidden layer as C writes it; none for BP."""
    if plan.rule.name != "dfa":
        return {}
    network, seed = plan.spec.network, plan.spec.seed
    parameters, found = plan.rule.parameters, {}
    for layer in range(1, network.depth):
        width = network.layers[layer]
        if parameters["feedback"] == "signs":
            scale = np.float32(parameters["feedback_scale"])
            word = feedback.first_word(network, layer)
            matrix = random.feedback_signs(seed, word, scale, network.n_out, width)
        else:
            matrix = random.feedback_uniform(seed, layer, network.n_out, width)
        found[layer] = [[f"{value:.9e}f" for value in row] for row in matrix]
    return found


def _fixed(plan: Plan) -> dict[str, object]:
    """What the opponent of integers is made of: by layer the bits below the point, the
    range of first weights and their limit, and factors that are odd."""
    spec, numbers = plan.spec, plan.spec.numbers
    limits = {n: _limit(plan, n) for n in range(1, spec.network.depth + 1)}
    scale = float(plan.rule.parameters.get("feedback_scale", 1.0))
    return {
        "format": spec.format,
        "weight": numbers.weight,
        "fraction": {n: numbers.fraction(limit) for n, limit in limits.items()},
        "units": {n: numbers.units(limit) for n, limit in limits.items()},
        "most": {
            n: numbers.most(spec.network.shape(n), limit, spec.clip.weights)
            for n, limit in limits.items()
        },
        "by": _odd(factor(spec.inputs.scale, spec.inputs.format.bits)),
        "back": _odd(Factor(*feedback.leading(scale))),
        "feedback": _signs(plan),
    }


def _limit(plan: Plan, layer: int) -> float:
    initial = plan.tensor(f"W{layer}").initial
    assert isinstance(initial, Uniform)
    return initial.limit


def _odd(by: Factor) -> Factor:
    """The same by the smallest factor: a power of two is a shift."""
    up = min(by.shift, (by.factor & -by.factor).bit_length() - 1)
    return Factor(by.factor >> up, by.shift - up)


def _signs(plan: Plan) -> Mapping[int, Sequence[Sequence[int]]]:
    """Feedback of each hidden layer, 1 and -1; none for BP."""
    if plan.rule.name != "dfa":
        return {}
    network, found = plan.spec.network, {}
    for layer in range(1, network.depth):
        word, width = feedback.first_word(network, layer), network.layers[layer]
        one = np.float32(1)
        signs = random.feedback_signs(plan.spec.seed, word, one, network.n_out, width)
        found[layer] = signs.astype(int).tolist()
    return found


def _tuned(compiler: Toolchain, flags: Sequence[str], vlen: int) -> Toolchain:
    """The compiler with these flags instead of the contract's for the library,
    told of VLEN; the instruction set is the last of its flags."""
    ours = (*ARITHMETIC, *CLANG)
    if not vlen:
        free = tuple(flag for flag in compiler.library if flag not in ours)
        return replace(compiler, library=(*free, *flags))
    *kept, isa = compiler.library
    isa += ("+" if compiler.name == "zig" else "_") + f"zvl{vlen}b"
    free = tuple(flag for flag in kept if flag not in ours)
    return replace(compiler, library=(*free, *flags, isa))


def _require_the_same_step(
    form: str, counted: Counted, twin: Twin, tolerance: float
) -> None:
    for place, (told, expected) in enumerate(
        zip(counted.results, twin.results, strict=True)
    ):  # fmt: skip
        furthest = max(
            float(np.abs(told.outputs - expected.p).max()),
            abs(float(told.loss) - float(expected.loss)),
        )
        if not furthest <= tolerance:
            raise Divergence(
                f"plain C, form {form!r}, is {furthest:.2g} away from the reference in "
                f"counted step {place}: expected at most {tolerance:g}"
            )
    if not tolerance and counted.digest != twin.digest:
        raise Divergence(
            f"plain C, form {form!r}, ends with digest {counted.digest:08x}, the reference "
            f"with {twin.digest:08x}: expected the same state"
        )
