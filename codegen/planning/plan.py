"""The plan: which kernels, which bytes, and whether it all fits.

A plan is made before anything is rendered or compiled; a plan that does not
fit is refused here (DESIGN section 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from codegen import kernels, rules
from codegen.composer import Composer, Way
from codegen.errors import SpecError
from codegen.formats import F32, U32
from codegen.fronts.imported import program_of
from codegen.kernels.cost import Shape
from codegen.planning import ways
from codegen.planning.arena import Arena, arrange, survivors
from codegen.planning.fitting import (
    fit,
    fitted,
    refuse_constants,
    refuse_oversized_image,
)
from codegen.planning.line import LARGEST_PART, SMALLEST_PAYLOAD, line_for, sized
from codegen.planning.naming import require_said
from codegen.planning.planned import (
    Call,
    Choice,
    LinkPlan,
    Plan,
    beside_the_step,
    vlens_of,
    width_of,
)
from codegen.planning.resident import Resident
from codegen.program import Life, Program, lives, ops
from codegen.spec import Spec
from codegen.tensors import WORD, Tensor
from targets import Target, require_fma

MOST_REHEARSED = 65535
"""Slots of a rehearsal buffer, at most: a u16 names one."""


def link_plan(target: Target, window: int = 4) -> LinkPlan:
    """Plan an image without a network, with the shortest frames, `window` of which
    may be in flight."""
    return LinkPlan(target, sized(window, 0, SMALLEST_PAYLOAD, 0))


def _state(composer: Composer, program: Program) -> tuple[Tensor, ...]:
    """Weights and biases, what the rule adds, the gates' thresholds; then what a step
    changes and nobody calls a weight."""
    if program.state:
        return program.state
    found = []
    for n in range(1, composer.depth + 1):
        found += [composer.weights(n), composer.biases(n)]
    of_layer = {t: o.layer for o in ops(program.step) for t, _ in o.tensors()}

    def named(role: str) -> list[Tensor]:
        return sorted(program.tensors(role), key=lambda t: of_layer.get(t, 0))

    found += [t for t in named("learned") if t not in found and t.name != "tau"]
    if composer.spec.gate.rows:
        found.append(composer.thresholds())
    return (*found, *named("dynamic"))


def _placed(
    program: Program,
    state: tuple[Tensor, ...],
    timeline: Mapping[Tensor, Life],
    arena: Arena,
) -> tuple[Tensor, ...]:
    """The tensors that the link can name: the state, then the scratch that the last
    step has left to be read, then what is pending, then scratch that can only be
    named as a fault's culprit."""
    scratch = [t for t in program.tensors("scratch") if not t.inner]
    left = survivors(timeline, arena)
    offsets = {name: start * WORD for name, start in arena.offsets.items()}
    for tensors in (state, program.tensors("pending")):
        start = 0
        for tensor in tensors:
            offsets[tensor.name] = start
            start += tensor.words * WORD
    found = (
        *state,
        *(t for t in scratch if t in left),
        *program.tensors("pending"),
        *(replace(t, passed=True) for t in scratch if t not in left),
    )
    return tuple(
        replace(t, index=n, offset=offsets[t.name]) for n, t in enumerate(found)
    )  # fmt: skip


def _calls(
    composer: Composer,
    program: Program,
    vlens: tuple[int, ...],
    told: Mapping[tuple[int, str], kernels.Variant],
    core: str | None,
) -> tuple[Call, ...]:
    """Every kernel that is called, layer by layer, and its best variant."""
    network = composer.network
    most = max(math.prod(network.shape(n)) for n in range(1, network.depth + 1))
    wanted: dict[tuple[int, str], tuple[Shape, str]] = {
        (0, name): (Shape(1, most), "") for name in beside_the_step(composer.spec)
    }
    if (
        composer.spec.clip.weights is not None and not composer.numbers.integer
    ):  # of what is drawn at first
        wanted[0, kernels.find("clip", F32).name] = Shape(1, network.n_out), ""
    for words in program.tensors("drawn"):
        wanted[0, kernels.find("words", U32).name] = Shape(1, words.size), ""
    for one in program.ops():
        made = wanted.setdefault((one.layer, one.key), (one.shape, one.purpose))
        assert made[0] == one.shape, f"{one.key} of layer {one.layer} has two shapes"

    def call(n: int, key: str, shape: Shape, part: str) -> Call:
        name = key.rpartition("/")[2]
        variant = told.get((n, key)) or kernels.best(name, vlens, shape, core)
        return Call(n, shape, variant, part)

    return tuple(call(n, key, *what) for (n, key), what in wanted.items())


def _require(
    spec: Spec,
    target: Target,
    window: int,
    samples: int,
    resident: Resident | None,
    rehearsal: int,
    latent: bool,
) -> None:
    """Raise unless what was asked for can be, whatever the layers' ways."""
    for value, what, least, most in (
        (window, "window", 1, 64),
        (samples, "samples a frame", 1, 255),
        (rehearsal, "rehearsal", 0, MOST_REHEARSED),
    ):
        if not least <= value <= most:
            raise SpecError(f"{what} is {value}: expected {least} to {most}")
    if not spec.numbers.integer:
        require_fma(target)
    if resident is not None:
        resident.require(spec)
    if latent and spec.inputs.frozen is None:
        raise SpecError(
            "features are to be rehearsed, but no front makes any: expected samples"
        )


def _require_parts(chunk: int, window: int, samples: int, kept: bool) -> None:
    """Raise unless a device can put samples together from parts of so many bytes: it has
    room for one, which is neither in the image nor kept."""
    if not 1 <= chunk <= LARGEST_PART:
        raise SpecError(f"chunk is {chunk}: expected 1 to {LARGEST_PART} bytes")
    if (window, samples, kept) != (1, 1, False):
        raise SpecError(
            f"chunk is {chunk}, with {window} STEPs of {samples} samples in flight, or "
            "samples that are resident or kept: expected one STEP of one sample that travels"
        )


def plan(
    spec: Spec,
    target: Target,
    *,
    vlen: int | None = None,
    schedule: str = "auto",
    density: float = 1.0,
    choice: Choice | None = None,
    window: int = 4,
    samples: int = 4,
    budget: int | None = None,
    resident: Resident | None = None,
    rehearsal: int = 0,
    debug: bool = False,
    core: str | None = None,
    latent: bool = False,
    chunk: int | None = None,
) -> Plan:
    """Plan `spec` on `target`.

    vlen: specialise for machines of at least this VLEN (bits); None: code that is as
        good as it can be on any.
    schedule: one of `ways.SCHEDULES`.
    density: share of the samples' elements that are not zero, 0..1.
    choice: decisions that were measured before and override the estimates.
    window: STEPs in flight, 1..64. samples: samples in one STEP, at most, 1..255.
    budget: bytes of RAM allowed, besides the target's own; the stack's reserve is made
        smaller for it if need be.
    resident: samples to be placed in the image.
    rehearsal: samples that the device can keep to learn from them again, 0..65535;
        with `latent` their features.
    debug: kernels check their arguments, and nothing in the arena survives a step.
    core: whose cycles decide (codegen/kernels/cycles.toml); None: instructions decide,
        as they do on a machine without vectors.
    chunk: samples come in parts of so many bytes at most, one sample and one part in
        flight; None: whole.

    Raises `OverBudget` when it does not fit, `SpecError` when the choice itself
    is impossible, `DescriptorError` for a target without float32.
    """
    rule = rules.get(spec.rule)
    rules.require(rule, spec)
    _require(spec, target, window, samples, resident, rehearsal, latent)
    if chunk is not None:
        _require_parts(chunk, window, samples, resident is not None or rehearsal > 0)
    choice = choice or Choice()
    vlen = None if target.vector is None else vlen
    core = None if target.vector is None else core
    vlens = vlens_of(target, vlen, core)
    layers = ways.choose(spec, rule, vlens, schedule, density, choice.ways, core)
    chosen = [Way(layer.way, layer.shape.density) for layer in layers]
    line, frozen = line_for(spec, window, samples, resident, chunk), spec.inputs.frozen
    width = width_of(target, vlen, core)

    def made(drawn_once: bool) -> Plan:
        composer = Composer(
            spec, rule.parameters, chosen, target.xlen, drawn_once, width
        )
        program = rule.declaration.program(composer)
        require_said(program)
        timeline = program.lives()
        looking = lives((*program.look, program.outputs), program.results)
        arena = arrange(timeline, looking)
        return Plan(
            spec, rule, target, vlen, layers, program,
            _calls(composer, program, vlens, choice.variants, core),
            _placed(program, _state(composer, program), timeline, arena),
            arena, line, resident, rehearsal, budget, debug, core,
            None if frozen is None else program_of(frozen, width, target.xlen), latent, chunk,
        )  # fmt: skip

    best = made(drawn_once=bool(vlens))
    if best.drawn and not fit(best).fits:
        best = made(drawn_once=False)
    best = fitted(best)
    refuse_oversized_image(best)
    if best.front is not None:
        refuse_constants(best)
    return best
