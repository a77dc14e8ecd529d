"""What `hil tune` has found: as a tuned file, as JSON, for people.

Instructions are counted, cycles modelled (DESIGN section 9).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.planning.planned import Plan
from hil.experiment import as_toml
from hil.lesson.lesson import specialised
from hil.lesson.tuned_file import NETWORK, WAY, purpose
from hil.measuring.steps.counting import has_counter
from hil.measuring.tuning.search import Decision, Figures, Tuning, about

HEAD = """\
# How the layers are computed and by which kernels, chosen by `hil tune`: one decision after
# another, each candidate measured with everything else as chosen so far. To use it:
#
#     hil run --tuned {path}
#
# instructions: counted, of a step, mean of {steps} after {warm} (QEMU {qemu}, {how}).
# cycles: modelled, of counted step {step}, by {models}.
# Behind a choice stand its candidates: instructions (cycles), * the plan's own.
"""


def tuned_file(found: Tuning, path: str) -> str:
    """The text of the tuned file that will be at `path`."""
    lesson, plan = found.lesson, found.plan
    made_for = purpose(
        lesson.spec, lesson.target, specialised(lesson.experiment, lesson.vlen)
    )
    lines = [
        HEAD.format(
            path=path, steps=lesson.steps - found.warm, warm=found.warm,
            qemu=found.qemu, step=found.step, models=", ".join(_models(found)) or "none",
            how="-icount shift=0" if has_counter(lesson.target) else "all of them traced",
        ),
        "[for]",
        *_entries(made_for),
        "",
        "[made]",
        *_entries(_circumstances(found)),
        "",
        "[plan] # what the plan's own choice cost",
        *_figures(found.own),
        "",
        "[tuned] # what this one costs",
        *_figures(found.tuned),
    ]  # fmt: skip
    for layer in plan.layers:
        lines += ["", f"[layers.{layer.number}] # {_shape(plan, layer.number)}"]
        lines += [f"{WAY} = {as_toml(layer.way)}{_comment(found, layer.number, None)}"]
        lines += _variants(found, layer.number)
    lines += ["", f"[{NETWORK}]", *_variants(found, 0)]
    return "\n".join(lines) + "\n"


def _models(found: Tuning) -> dict[str, str]:
    return {m.model: core for core, m in (found.own.cycles or {}).items()}


def _circumstances(found: Tuning) -> dict[str, Any]:
    """What the figures depend on, besides what the choices are good for."""
    lesson = found.lesson
    values: dict[str, Any] = {
        "objective": found.objective,
        "complete": found.complete,
        "measured": found.measured,
        "data": lesson.experiment.data,
        "seed": lesson.spec.seed,
        "warm": found.warm,
        "steps": lesson.steps - found.warm,
    }
    if lesson.vlen:
        values["counted_at_vlen"] = lesson.vlen
    return values | {"toolchain": found.toolchain, "qemu": found.qemu}


def _entries(values: dict[str, Any]) -> list[str]:
    return [f"{name} = {as_toml(value)}" for name, value in values.items()]


def _figures(figures: Figures) -> list[str]:
    lines = [f"instructions = {figures.instructions:.1f} # counted"]
    for core, cycles in (figures.cycles or {}).items():
        lines.append(f"{core}-cycles = {cycles.cycles} # modelled")
    return lines


def _shape(plan: Plan, number: int) -> str:
    shape = plan.layer(number).shape
    size = f"{shape.n_in} to {shape.n_out}"
    if shape.density == 1.0:
        return size
    return f"{size}, {shape.density:.0%} of its inputs not zero"


def _variants(found: Tuning, number: int) -> list[str]:
    return [
        f"{as_toml(key) if '/' in key else key} = {as_toml(call.variant.suffix)}"
        + _comment(found, number, key)
        for call in found.plan.calls
        if call.layer == number and (key := call.key)
    ]


def _comment(found: Tuning, number: int, kernel: str | None) -> str:
    for decision in found.decisions:
        if number in decision.layers and decision.kernel == kernel:
            return f" # {candidates(decision)}"
    return " # by estimate"


def candidates(decision: Decision) -> str:
    """Every candidate with its figures, for people."""
    parts = []
    for name, figures in decision.tried.items():
        cycles = f" ({figures.mean_cycles:,.0f})" if figures.cycles else ""
        own = "*" if name == decision.own else ""
        parts.append(f"{name}{own} {figures.instructions:,.1f}{cycles}")
    return ", ".join(parts)


def lines_of(decision: Decision) -> Iterator[str]:
    """For people, at once after a decision."""
    yield f"{about(decision.layers, decision.kernel)}: {decision.chosen}, {decision.why}"
    yield f"  {candidates(decision)}"


def summary(found: Tuning) -> Iterator[str]:
    """For people, at the end."""
    changed = [d for d in found.decisions if d.chosen != d.own]
    yield (
        f"{len(found.decisions)} decisions, {found.measured} images counted, "
        f"{len(changed)} decided otherwise than by estimate"
    )
    if not found.decisions:
        yield (
            "nothing to decide: there is one way and one variant of all that a step "
            "calls, or one whose estimate is not far above the least"
        )
    for name, figures in (("plan", found.own), ("tuned", found.tuned)):
        yield (
            f"{name:8}{figures.instructions:,.1f} instructions/step (counted)"
            + "".join(
                f", {cycles.cycles:,} cycles on {core} (modelled: {cycles.model})"
                for core, cycles in (figures.cycles or {}).items()
            )
        )


def to_json(found: Tuning) -> dict[str, Any]:
    """The document of --json."""
    lesson, plan = found.lesson, found.plan
    return {
        "tune": purpose(
            lesson.spec, lesson.target, specialised(lesson.experiment, lesson.vlen)
        ),
        "made": _circumstances(found),
        "plan": _figures_json(found.own),
        "tuned": _figures_json(found.tuned),
        "ways": {str(layer.number): layer.way for layer in plan.layers},
        "variants": [
            {
                "layer": call.layer,
                "kernel": call.key,
                "variant": call.variant.suffix,
            }
            for call in plan.calls
        ],
        "decisions": [
            {
                "layers": list(decision.layers),
                "kernel": decision.kernel,
                "plan": decision.own,
                "chosen": decision.chosen,
                "why": decision.why,
                "tried": {n: _figures_json(f) for n, f in decision.tried.items()},
            }
            for decision in found.decisions
        ],
        "provenance": {"instructions": "counted", "modelled_cycles": "modelled"},
    }


def _figures_json(figures: Figures) -> dict[str, Any]:
    cycles = figures.cycles or {}
    return {
        "instructions": figures.instructions,
        "modelled_cycles": {core: found.cycles for core, found in cycles.items()},
        "models": {core: found.model for core, found in cycles.items()},
    }
