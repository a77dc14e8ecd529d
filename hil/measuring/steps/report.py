"""What `hil bench step` has found: as JSON, as a tidy table, for people.

Every figure says how it was obtained (DESIGN section 9): counted, modelled, or
reference, for what numpy says of the samples.

More than 400 lines because all three say the same figures, and none may be left out.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from codegen.machine_code.decode import Class
from codegen.planning.bounds import lanes
from hil.measuring.steps import caches
from hil.measuring.steps.bench import Row, StepBench
from hil.measuring.steps.counting import Counted, Part
from hil.measuring.steps.cycles import MOST, Modelled
from hil.measuring.steps.phases import Phase
from hil.measuring.steps.plain import INSTRUCTIONS, TOLERANCE, Opponent
from hil.measuring.steps.reference import Twin
from hil.measuring.steps.scoreboard import cores
from hil.records.record import KINDS, ProvenanceError
from targets import storage

PROVENANCE = {
    "instructions": "counted",
    "forward": "counted",
    "vector": "counted",
    "scalar": "counted",
    "classes": "counted",
    "phases": "counted",
    "overhead": "counted",
    "traced": "counted",
    "code": "counted",
    "vector_bound": "counted",
    "floor": "counted",
    "ratio": "counted",
    "traffic": "counted",
    "modelled_cycles": "modelled",
    "memory": "modelled",
    "cycles_ratio": "modelled",
    "density": "reference",
    "synaptic": "reference",
    "macs": "counted",
    "loss": "reference",
}
"""Figure -> how it was obtained. The bounds are counted on the plan, with the
activity of the very samples; nothing is measured, for there is no board."""

TIDY = "step.csv"
DOCUMENT = "step.json"


@dataclass(frozen=True)
class Observation:
    """One figure, one line of the tidy file. `part` is "step", "forward" or a
    phase; `source` the tool or model behind the figure."""

    target: str
    vlen: int
    rule: str
    network: str
    data: str
    seed: int
    steps: int
    variant: str
    part: str
    quantity: str
    value: float
    unit: str
    kind: str
    source: str


def to_json(found: StepBench) -> dict[str, Any]:
    """The document of --json and of step.json."""
    lesson = found.lesson
    network = lesson.spec.network
    return {
        "bench": "step",
        "target": lesson.target.name,
        "vlen": lesson.vlen,
        "lanes": lanes(lesson.vlen),
        "rule": lesson.spec.rule.name,
        "parameters": dict(lesson.experiment.parameters),
        "network": list(network.layers),
        "activation": network.activation,
        "output": network.output,
        "data": lesson.experiment.data,
        "seed": lesson.spec.seed,
        "warm": found.warm,
        "steps": lesson.steps - found.warm,
        "density": found.twin.density,
        "synaptic": found.twin.synaptic,
        "macs": found.twin.macs,
        "loss": found.losses,
        "toolchain": found.toolchain,
        "qemu": found.qemu,
        "rows": [_row_json(row) for row in found.rows],
        "against": [_opponent_json(found, one) for one in found.against],
        "provenance": {
            name: PROVENANCE[name] for name in ("density", "synaptic", "macs", "loss")
        },
    }


def _row_json(row: Row) -> dict[str, Any]:
    counted = row.counted
    document: dict[str, Any] = {
        "variant": row.variant,
        "target": row.target,
        "instructions": counted.mean,
        "vector": _share(row, counted.whole.vector),
        "scalar": _share(row, counted.whole.total - counted.whole.vector),
        "vector_bound": row.bounds.vector if row.bounds else None,
        "floor": row.bounds.floor if row.bounds else None,
        "ratio": row.ratio,
        "modelled_cycles": {name: m.cycles for name, m in row.modelled.items()},
        "models": {name: m.model for name, m in row.modelled.items()},
        "memory": {name: caches.to_json(there) for name, there in row.memory.items()},
        "code": counted.code,
        "forward": counted.forward.total,
        "traffic": row.bounds.traffic if row.bounds else None,
        "traced": counted.traced,
        "overhead": counted.overhead,
        "classes": _classes(counted.whole),
        "phases": [
            {
                "phase": name,
                "line": phase.line,
                "instructions": part.total,
                "vector": part.vector,
                "scalar": part.total - part.vector,
                "classes": _classes(part),
            }
            for name, phase, part in named_phases(row)
        ],
    }
    return document | {
        "provenance": {
            name: PROVENANCE[name] for name in document if name in PROVENANCE
        }
    }


def _share(row: Row, traced: float) -> float:
    """Of the mean over all steps, where only some were traced."""
    return traced * row.counted.mean / row.counted.whole.total


def _classes(part: Part) -> dict[str, float]:
    return {kind.value: part.classes[kind] for kind in Class}


def _opponent_json(found: StepBench, one: Opponent) -> dict[str, Any]:
    document = {
        "form": one.form,
        "best_in": one.figure,
        "flags": list(one.setting.flags),
        "columns": one.setting.block,
        "instructions": one.counted.mean,
        "vector": one.counted.whole.vector,
        "scalar": one.counted.whole.total - one.counted.whole.vector,
        "forward": one.counted.forward.total,
        "code": one.counted.code,
        "ratio": one.counted.mean / found.rows[0].counted.mean,
        "modelled_cycles": {name: m.cycles for name, m in one.modelled.items()},
        "models": {name: m.model for name, m in one.modelled.items()},
        "cycles_ratio": {
            name: m.cycles / found.rows[0].modelled[name].cycles
            for name, m in one.modelled.items()
        },
        "tolerance": TOLERANCE,
        "tried": dict(one.tried),
    }
    kinds = {name: PROVENANCE[name] for name in document if name in PROVENANCE}
    tried = "counted" if one.figure == INSTRUCTIONS else "modelled"
    return document | {"provenance": {**kinds, "tried": tried}}


def named_phases(row: Row) -> Iterator[tuple[str, Phase, Part]]:
    """The phases in order of execution. A kernel that is called at several
    places is told apart by its first argument, or else by a number."""
    often = Counter(phase.name for phase in row.counted.phases)
    taken: set[str] = set()
    for phase, part in row.counted.phases.items():
        name = phase.name
        if often[name] > 1:
            name += f" {first_argument(row.source, phase)}"
        number = 2
        while name in taken:
            name, number = f"{name.rstrip('0123456789 ')} {number}", number + 1
        taken.add(name)
        yield name, phase, part


def first_argument(source: Sequence[str], phase: Phase) -> str:
    """What `phase` is called with first, such as "w1" of `&s->w1[0][0]`; empty
    where its line does not tell."""
    line = source[phase.line - 1] if 0 < phase.line <= len(source) else ""
    call = re.search(rf"{phase.name}\w*\(([^,)]*)", line)
    words = re.findall(r"[a-z_]\w*", call[1]) if call else []
    return words[-1] if words else ""


Figure: TypeAlias = tuple[str, str, float, str, str, str]
"""Part, quantity, value, unit, kind and source of an `Observation`."""


def _of_samples(twin: Twin) -> Iterator[Figure]:
    """What numpy says of the samples."""
    yield "data", "density", twin.density, "1", "reference", "numpy"
    if twin.synaptic is not None:
        yield "data", "synaptic", twin.synaptic, "operations", "reference", "numpy"


def _of_row(row: Row, qemu: str, toolchain: str) -> Iterator[Figure]:
    """The figures of one variant."""
    yield "step", "instructions", row.counted.mean, "instructions", "counted", qemu
    parts = [("step", row.counted.whole), ("forward", row.counted.forward)]
    parts += [(name, part) for name, _, part in named_phases(row)]
    for name, part in parts:
        for kind, value in part.classes.items():
            yield name, kind.value, value, "instructions", "counted", qemu
    if row.bounds:
        bounds = row.bounds
        yield "step", "vector bound", bounds.vector, "instructions", "counted", "plan"
        yield "step", "floor", bounds.floor, "instructions", "counted", "plan"
        yield "step", "weight traffic", bounds.traffic, "bytes", "counted", "plan"
    yield "step", "code", row.counted.code, "bytes", "counted", toolchain
    yield from _of_cores(row.modelled)
    for core, there in row.memory.items():
        for moved in there:
            name = f"{moved.level.name} {core}"
            yield "step", name, moved.bytes, "bytes", "modelled", "caches.toml"


def _of_opponent(one: Opponent, qemu: str) -> Iterator[Figure]:
    """The figures of one form of plain C."""
    yield "step", "instructions", one.counted.mean, "instructions", "counted", qemu
    yield from _of_cores(one.modelled)


def _of_cores(modelled: Mapping[str, Modelled]) -> Iterator[Figure]:
    """Cycles of a step on each core."""
    for core, one in modelled.items():
        yield "step", f"cycles {core}", one.cycles, "cycles", "modelled", one.model


def observations(found: StepBench) -> Iterator[Observation]:
    """Every figure, one by one. Raises `ProvenanceError` for one of no kind."""
    lesson, target = found.lesson, found.rows[0].target
    common = (
        lesson.spec.rule.name, str(lesson.spec.network), str(lesson.experiment.data),
        lesson.spec.seed, lesson.steps - found.warm,
    )  # fmt: skip
    qemu = f"qemu {found.qemu} -icount shift=0"
    told = [(target, lesson.vlen, "", _of_samples(found.twin))]
    for row in found.rows:
        vlen = lesson.vlen if row.target == lesson.target.name else 0
        figures = _of_row(row, qemu, found.toolchain)
        told.append((row.target, vlen, row.variant, figures))
    for one in found.against:
        variant = f"plain C {one.form}, best in {_figure(one)}"
        told.append((target, lesson.vlen, variant, _of_opponent(one, qemu)))
    for of_target, vlen, variant, figures in told:
        for part, quantity, value, unit, kind, source in figures:
            if kind not in KINDS:
                raise ProvenanceError(f"figure {quantity!r} has no provenance")
            yield Observation(
                of_target, vlen, *common, variant, part, quantity, value, unit, kind,
                source,
            )  # fmt: skip


def write_tidy(found: StepBench, path: Path) -> None:
    """One figure a line, as CSV. Raises `StorageError`."""
    text = io.StringIO()
    _write_tidy(found, text)
    storage.write(path, text.getvalue())


def _write_tidy(found: StepBench, file: TextIO) -> None:
    writer = csv.DictWriter(file, [f.name for f in fields(Observation)])
    writer.writeheader()
    for observation in observations(found):
        writer.writerow(asdict(observation))


def lines(found: StepBench) -> Iterator[str]:
    """For people."""
    lesson = found.lesson
    yield (
        f"{lesson.spec.rule.name} {lesson.spec.network} on {lesson.experiment.data}: "
        f"{lesson.steps - found.warm} steps after {found.warm}, "
        f"{found.twin.density:.1%} of the inputs not zero (reference)"
    )
    if found.twin.synaptic is not None:
        yield (
            f"{found.twin.synaptic:,.0f} synaptic operations an answer (reference), "
            f"{found.twin.macs:,} multiply-adds of its layers, dense (counted)"
        )
    yield (
        f"{lesson.target.name}"
        + (
            f" vlen {lesson.vlen}, groups of {lanes(lesson.vlen)}"
            if lesson.vlen
            else ""
        )
        + f", {found.toolchain}, qemu {found.qemu}"
    )
    for row in found.rows:
        yield ""
        yield from _row_lines(row)
    for one in found.against:
        yield ""
        yield from _opponent_lines(found, one)


def _row_lines(row: Row) -> Iterator[str]:
    counted = row.counted
    yield (
        f"{row.variant} ({row.target}): {counted.mean:,.1f} instructions/step (counted), "
        f"forward alone {counted.forward.total:,.1f}, code {counted.code:,} bytes"
    )
    yield f"  {'':24}{'all':>12}{'vector':>10}{'v.loads':>10}{'v.stores':>10}{'loads':>11}{'stores':>11}{'other':>11}"
    for name, _, part in (("step", None, counted.whole), *named_phases(row)):
        each = part.classes
        vector = each[Class.VECTOR] + each[Class.VECTOR_SET]
        yield (
            f"  {name:24}{part.total:12,.1f}{vector:10,.1f}"
            f"{each[Class.VECTOR_LOAD]:10,.1f}{each[Class.VECTOR_STORE]:10,.1f}"
            f"{each[Class.LOAD]:11,.1f}{each[Class.STORE]:11,.1f}"
            f"{each[Class.SCALAR]:11,.1f}"
        )
    if counted.traced < len(counted.steps):
        yield f"  split on the first {counted.traced} steps; the mean is of all"
    if row.bounds is not None and row.ratio is not None:
        yield (
            f"  vector bound {row.bounds.vector:,.0f}, practical floor "
            f"{row.bounds.floor:,.0f}: {row.ratio:.2f} floors; "
            f"{row.bounds.traffic:,.0f} bytes of weights moved (counted)"
        )
    for core, found in row.modelled.items():
        yield f"  {found.cycles:,} cycles on {core} (modelled: {found.model})"
    for core, there in row.memory.items():
        yield f"  weights on {core} (modelled): " + "; ".join(map(str, there))
    if len(row.counted.typical) > MOST:
        yield f"  no modelled cycles: the step has more than {MOST:,} instructions"
    elif not row.modelled:
        yield "  no modelled cycles: no core with a model runs this at its VLEN"


def _opponent_lines(found: StepBench, one: Opponent) -> Iterator[str]:
    chosen = found.rows[0]
    yield (
        f"plain C, {one.form}, best of {len(one.tried)} settings in {_figure(one)}: "
        f"{one.setting}"
    )
    ratio = one.counted.mean / chosen.counted.mean
    yield (
        f"  {one.counted.mean:,.1f} instructions/step (counted), {ratio:.2f} times the "
        "chosen variant's"
    )
    for core, cycles in one.modelled.items():
        ratio = cycles.cycles / chosen.modelled[core].cycles
        yield (
            f"  {cycles.cycles:,} cycles on {core} (modelled: {cycles.model}), "
            f"{ratio:.2f} times the chosen variant's"
        )


def _figure(one: Opponent) -> str:
    return one.figure if one.figure == INSTRUCTIONS else f"cycles of {one.figure}"


def _by_form(found: StepBench) -> dict[str, dict[str, Opponent]]:
    """The opponents by form and by the figure that they are best in."""
    forms: dict[str, dict[str, Opponent]] = {}
    for one in found.against:
        forms.setdefault(one.form, {})[one.figure] = one
    return forms


def markdown(found: StepBench) -> Iterator[str]:
    """Rows of the table in docs/performance.md: a variant each, or a form of the
    opponent, whose cycles are those at the flags that are best in them."""
    lesson = found.lesson
    first = (
        f"| {lesson.experiment.data} | {lesson.spec.network} | {lesson.spec.rule.name} "
        f"| {lesson.vlen or '-'} | {found.twin.density:.0%} "
    )
    for row in found.rows:
        limits = row.bounds
        against = (
            f"{limits.vector:,.0f} | {limits.floor:,.0f} | {row.ratio:.2f}"
            if limits
            else "- | - | -"
        )
        yield first + _markdown(row.variant, row.counted, against, row.modelled)
    for form, best in _by_form(found).items():
        cycles = {core: best[core].modelled[core] for core in best if core in cores()}
        counted = best[INSTRUCTIONS].counted
        yield first + _markdown(f"plain C, {form}", counted, "- | - | -", cycles)


def _markdown(
    variant: str, counted: Counted, against: str, modelled: Mapping[str, Modelled]
) -> str:
    cycles = " | ".join(
        f"{modelled[core].cycles:,}" if core in modelled else "-" for core in cores()
    )
    return (
        f"| {variant} | {counted.mean:,.1f} | {counted.whole.vector:,.1f} "
        f"| {counted.forward.total:,.1f} | {against} | {counted.code:,} | {cycles} |"
    )
