"""From a plan to C: the templates' environment and the files they make."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import jinja2

from codegen import constants, goals, kernels, protocol, streams, tables
from codegen.building.arm import CORES
from codegen.building.buildplan import BuildPlan
from codegen.cformat import FILTERS
from codegen.fronts.imported import PART
from codegen.planning import bill, layout
from codegen.planning.checkpoint import identity
from codegen.planning.naming import mentions
from codegen.planning.planned import Call, LinkPlan, Plan
from codegen.planning.resident import SAMPLES_FILE, TARGETS_FILE
from codegen.raster import UNUSED, Events
from codegen.rendering.compiled import Compiled
from codegen.rendering.prefix import DEFAULT, renamed
from codegen.rendering.self_test import FINDINGS
from codegen.rendering.spelling import (
    Speller,
    base,
    comment,
    fields,
    gives_sizes,
    kind,
    sizes,
    wrapped,
)
from targets import Target

TEMPLATES = Path(__file__).parents[1] / "templates"
FIRMWARE = Path(__file__).parents[2] / "firmware"
APART = "_apart"
"""What the names of functions end with that calls of all shapes share."""
UNTIED = "0123456789abcdef"
"""Stands in the templates for the digest of what they make."""


def tidy(text: str) -> str:
    """Generated C as a person leaves it: at most one empty line, and none where a
    brace opens or closes."""
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text)
    text = re.sub(r"\{\n\n(?=\s)", "{\n", text)
    return re.sub(r"\n\n(\s*\})", r"\n\1", text)


def environment() -> jinja2.Environment:
    """The Jinja environment of every template here."""
    return _environment(TEMPLATES)


@lru_cache
def _environment(templates: Path) -> jinja2.Environment:
    """A template that was compiled before is looked at and taken again, from this
    process or from the cache."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.filters |= FILTERS | {
        "mentions": mentions,
        "base": base,
        "comment": comment,
        "wrapped": wrapped,
        "fields": fields,
    }
    made.globals["constants"] = constants
    made.globals["streams"] = streams
    made.globals["tables"] = tables
    made.globals["findings"] = FINDINGS
    made.globals["kind"] = kind
    made.bytecode_cache = Compiled(made)
    return made


@dataclass(frozen=True)
class Shared:
    """A call that several layers make with one shape, or that is to stand apart: a
    function of its own in net.c, so that its code is there once. `arguments` are what it passes on."""

    symbol: str
    kernel: kernels.Kernel
    variant: kernels.Variant
    arguments: tuple[str, ...]
    unused: tuple[str, ...]


def shared(plan: Plan) -> dict[tuple[str, int], Shared]:
    """The calls of `plan` that share code, by key and layer."""
    together: dict[tuple[object, ...], list[Call]] = {}
    repeated = {(o.layer, o.key) for o in plan.program.repeated()}
    sized = {(o.layer, o.key) for o in plan.program.ops() if gives_sizes(o)}
    found: dict[tuple[str, int], Shared] = {}
    for call in plan.calls:
        if call.part.startswith(PART):
            found[call.key, call.layer] = _of_front(call.variant)
        elif (call.layer, call.key) not in sized:
            key = (call.variant, call.shape.n_in, call.shape.n_out)
            together.setdefault(key, []).append(call)
    for calls in together.values():
        first, variant = calls[0], calls[0].variant
        fixed = sizes(variant.kernel, first.shape)
        names = [p.name for p in variant.kernel.arguments]
        one = Shared(
            f"{variant.symbol}_{first.shape.n_in}x{first.shape.n_out}",
            variant.kernel, variant,
            tuple(str(fixed.get(name, name)) for name in names),
            tuple(name for name in names if name in fixed),
        )  # fmt: skip
        often = variant.apart and (first.layer, first.key) in repeated
        framed = variant.framed and plan.target.isa in CORES
        if len(calls) > 1 or often or framed:
            found |= {(call.key, call.layer): one for call in calls}
    return found


def _of_front(variant: kernels.Variant) -> Shared:
    """A kernel of an imported model, which is large, and has its sizes from structures."""
    names = tuple(p.name for p in variant.kernel.arguments)
    return Shared(f"{variant.symbol}{APART}", variant.kernel, variant, names, ())


def context(plan: Plan, portable: bool = False) -> dict[str, object]:
    """What every template may name."""
    spec = plan.spec
    layers = range(1, spec.network.depth + 1)
    common = shared(plan)

    def call(key: str, layer: int = 0) -> str:
        """What net.c calls for a kernel of a layer."""
        one = common.get((key, layer))
        return one.symbol if one else plan.call(key, layer).symbol

    return {
        "plan": plan,
        "portable": portable,
        "untied": UNTIED,
        "network": spec.network,
        "rule": plan.rule,
        "inputs": spec.inputs,
        "unused": UNUSED,
        "numbers": spec.numbers,
        "line": plan.line,
        "target": plan.target,
        "protocol": protocol,
        "sample_type": spec.inputs.format.c_type,
        "call": call,
        "c": Speller(lambda one: call(one.key, one.layer)),
        "apart": APART,
        "shared": sorted(set(common.values()), key=lambda one: one.symbol),
        "kernel_files": sorted({c.variant.file for c in plan.calls}),
        "layers": layers,
        "gate": spec.gate,
        "goal": goals.goal(spec),
        "clip": spec.clip,
    }


def render_network(
    plan: Plan, prefix: str = DEFAULT, portable: bool = False
) -> dict[str, str]:
    """The generated C library alone, its names beginning with `prefix`: file name
    -> text. A `portable` one is welcome where pointers are shorter than the plan has
    them: it wastes some scratch there.

    Raises `SpecError` for a prefix that cannot be.
    """
    env, values = environment(), context(plan, portable)
    files = {
        name: tidy(env.get_template(f"{name}.j2").render(values))
        for name in ("net.h", "net.c")
    }
    if plan.consts:
        files["net_const.c"] = env.get_template("net_const.c.j2").render(values)
    tested = [] if plan.spec.numbers.integer else ["self_test"]
    files |= kernels.render(env, [call.variant for call in plan.calls], tested)
    return dict(sorted(_tied(renamed(files, prefix)).items()))


def _tied(files: dict[str, str]) -> dict[str, str]:
    """The files of a library with the digest of them all in the name that header and
    object share, so that none of another build can be linked with them."""
    sha = hashlib.sha256()
    for name, text in sorted(files.items()):
        sha.update(f"{name}\0{text}\0".encode())
    digest = sha.hexdigest()[: len(UNTIED)]
    return {name: text.replace(UNTIED, digest) for name, text in files.items()}


def library(plan: Plan, prefix: str) -> BuildPlan:
    """The library alone, for a program that is not our firmware.

    Raises `SpecError` for a prefix that cannot be.
    """
    files = {f"generated/{n}": t for n, t in render_network(plan, prefix).items()}
    sources = (f"generated/{prefix}.c", f"generated/{prefix}_const.c")
    return BuildPlan(
        name=f"{prefix}-{plan.target.name}",
        files=files,
        library=tuple(name for name in sources if name in files),
        runtime=(),
        linker_script=None,
    )


def render_protocol() -> str:
    """hil_protocol.h, which does not depend on a plan."""
    return environment().get_template("hil_protocol.h.j2").render(protocol=protocol)


def firmware(target: Target, *learner: str) -> dict[str, str]:
    """Every file of the firmware that `target` has a use for; `learner`: the folders of
    `src` that have what stands behind the session."""
    port, memory = target.port, target.memory
    source = FIRMWARE / "src"
    folders = [FIRMWARE / "include", source, *(source / name for name in learner)]
    folders.append(FIRMWARE / "ports" / port)
    if (core := layout.port(port).core) is not None:
        folders += [FIRMWARE / "cores" / "shared", FIRMWARE / "cores" / core]
    script = "link.ld" if memory is None or memory.rom is None else "rom.ld"
    return {
        str(path.relative_to(FIRMWARE.parent)): path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted(folder.iterdir())
        if path.suffix in (".c", ".h", ".S") or path.name == script
    }


def _network(plan: Plan) -> dict[str, str]:
    """The firmware for a network, without what this one does not have."""
    has = {
        "hil_resident.c": plan.resident is not None,
        "hil_rehearsal.c": plan.rehearsal > 0,
        "hil_parts.c": plan.chunk is not None,
        "hil_events.c": isinstance(plan.spec.inputs.raster, Events),
        "hil_checkpoints.c": plan.slots.count > 0,
        "hil_held.c": any(tensor.held for tensor in plan.state),
        "hil_store.c": plan.slots.count > 0,
    }
    return {
        name: text
        for name, text in firmware(plan.target, "network").items()
        if has.get(Path(name).name, True)
    }


def _image(plan: Plan) -> dict[str, str]:
    """What is made for this image beside the library and the protocol."""
    env, values = environment(), context(plan)
    values["structures"] = bill.structures(plan)
    values["slots"] = plan.slots
    values["identity"] = ", ".join(f"0x{b:02x}" for b in identity(plan.spec))
    files = {"image/hil_config.h": env.get_template("hil_config.h.j2").render(values)}
    if plan.resident is not None:
        files["image/hil_resident.S"] = env.get_template("hil_resident.S.j2").render(
            resident=plan.resident,
            samples_file=SAMPLES_FILE,
            targets_file=TARGETS_FILE,
        )
    return files


def render(plan: Plan) -> BuildPlan:
    """Render everything an image of `plan` is made of."""
    library = {f"generated/{n}": t for n, t in render_network(plan).items()}
    part = {f"generated/{call.variant.file}" for call in plan.calls}  # of net.c
    return assembled(
        f"{plan.spec.network}-{plan.rule.name}", plan.target,
        {**library, **_image(plan), **_network(plan)}, part,
        plan.resident.files if plan.resident is not None else {},
    )  # fmt: skip


def render_link(plan: LinkPlan) -> BuildPlan:
    """Render everything an image without a network is made of."""
    config = environment().get_template("hil_config.h.j2")
    text = config.render(
        network=None, target=plan.target, line=plan.line,
        structures=bill.structures_alone(plan.target, plan.line),
    )  # fmt: skip
    alone = firmware(plan.target, "alone", "stepless")
    return assembled("link", plan.target, {"image/hil_config.h": text, **alone})


def assembled(
    name: str,
    target: Target,
    made: dict[str, str],
    part: Iterable[str] = (),
    data: dict[str, bytes] | None = None,
) -> BuildPlan:
    """The files that are `made` or chosen for the target; `part` of them are included
    by others."""
    files = dict(sorted({**made, "image/hil_protocol.h": render_protocol()}.items()))
    compiled = [n for n in files if n.endswith((".c", ".S")) and n not in part]
    scripts = [name for name in files if name.endswith(".ld")]
    return BuildPlan(
        name=f"{name}-{target.name}",
        files=files,
        library=tuple(n for n in compiled if n.startswith("generated/")),
        runtime=tuple(n for n in compiled if not n.startswith("generated/")),
        linker_script=scripts[0] if scripts else None,
        data=data or {},
    )
