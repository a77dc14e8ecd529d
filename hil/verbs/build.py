"""hil build: the C and the image of an experiment, without running it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.rendering.package_kinds import KINDS
from hil import output
from hil.flags import OF_A_RUN, add_experiment, add_link_only, experiment_of

if TYPE_CHECKING:
    from codegen.building.buildplan import BuildPlan
    from codegen.machine_code.stack import Bound, Stack
    from codegen.planning.planned import Plan
    from hil.experiment import Experiment
    from hil.lesson.building import Built

HELP = "generate the C, build the image, print the memory bill"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil build`."""
    parser.add_argument(
        "--out",
        default="build",
        metavar="DIR",
        help="folder for generated/, image/, firmware/ and image.elf (default: build)",
    )
    parser.add_argument(
        "--prefix",
        dest="names",
        metavar="NAME",
        help="names of the library begin so, and DIR holds the library and image.elf "
        "alone: several networks fit one program (docs/library.md; default: net)",
    )
    parser.add_argument(
        "--package",
        choices=KINDS,
        help="write a component of a build system into DIR instead: the library with "
        "manifest, example and README, in plain C unless a target is named "
        "(docs/packages.md)",
    )
    add_link_only(parser)
    add_experiment(parser, *OF_A_RUN)


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from dataclasses import replace

    from codegen.machine_code import stack
    from codegen.rendering import prefix
    from codegen.rendering.render import library
    from hil.lesson import build_folder
    from hil.lesson.building import build, plan_for
    from hil.lesson.preparing import prepare

    out, folder = output.of(given), Path(given.out)
    if given.link_only:
        _link_only(given, out, folder)
        return 0
    names = prefix.DEFAULT if given.names is None else prefix.check(given.names)
    if given.package is not None:
        _package(given, out, folder, names)
        return 0
    lesson = prepare(experiment_of(given))
    built = build(plan_for(lesson), lesson.experiment.toolchain)
    if names != prefix.DEFAULT:  # the firmware knows its network by the default
        built = replace(built, files=library(built.plan, names))
    build_folder.write(folder, built.files, built.image.path)
    found = stack.read(built.image.path, lesson.target, lesson.vlen)
    _show(out, built, found, folder, names)
    out.document({**_document(built, found, folder), "prefix": names})
    return 0


def _link_only(given: argparse.Namespace, out: output.Output, folder: Path) -> None:
    from hil.desk import link_only
    from hil.errors import UsageError
    from hil.lesson import build_folder
    from hil.measuring.memory import link

    for flag, value in (("--prefix", given.names), ("--package", given.package)):
        if value is not None:
            raise UsageError(
                f"{flag} is of a network's library, and an image with --link-only has "
                "no network",
                "leave out one of the two",
            )
    wanted = link_only.prepare(experiment_of(given))
    built = link_only.build(wanted)
    build_folder.write(folder, built.files, built.image.path)
    for line in link.lines(wanted, built, None):
        out.line(line)
    out.line(f"image    {folder / 'image.elf'}")
    out.line(f"digest   {built.image.digest}, {built.image.toolchain}")
    files = {"folder": str(folder), "files": sorted(built.files.files)}
    out.document({**link.to_json(wanted, built), **files})


def _package(
    given: argparse.Namespace, out: output.Output, folder: Path, names: str
) -> None:
    from codegen.rendering.package import memory_of, package
    from hil.lesson import build_folder
    from hil.lesson.building import plan_for
    from hil.lesson.example import example
    from hil.lesson.preparing import prepare
    from hil.versions import version

    lesson = prepare(_portable(given))
    plan, rate = plan_for(lesson), lesson.experiment.lr
    assert rate is not None, "a lesson has one"
    shown = example(lesson.spec, rate, KINDS[given.package].coarse)
    files = package(plan, given.package, shown, version(), names)
    build_folder.write(folder, files)
    memory = memory_of(plan, names)
    out.line(
        f"network  {plan.spec.network}, rule {plan.rule.name}, for {plan.target.name}"
    )
    for what, size, where in memory:
        out.line(f"  {size:12,} bytes  {what}, {where}")
    out.line(f"package  {given.package}, {len(files.files)} files in {folder}")
    out.line(f"example  digest {shown.digest:08x} after {shown.steps} samples")
    out.document(
        {
            **_identity(plan, files, folder),
            "package": given.package,
            "prefix": names,
            "example": {"steps": shown.steps, "digest": f"{shown.digest:08x}"},
            "memory": [{"name": what, "bytes": size} for what, size, _ in memory],
            "provenance": {"example": "reference", "memory": "counted"},
        }
    )


def _portable(given: argparse.Namespace) -> Experiment:
    """The experiment of a package: for this computer's plain C, which other machines
    compile too, unless a target is named. Raises `UsageError` for what a package
    would leave out."""
    from hil.errors import UsageError
    from hil.experiment import names

    if given.target is None and not names(given.experiment, "target"):
        given.target = "host"
    asked = experiment_of(given)
    if asked.init is not None:
        raise UsageError(
            "init names weights, and a package begins with those of its seed",
            "copy weights into the state after the library's init "
            "(docs/library.md, The functions)",
        )
    if asked.instructions or asked.cycles:
        raise UsageError(
            "a package cannot hold a budget of a step: counts differ from machine to "
            "machine, and nobody could say what its example must compute",
            "hil build without --package makes the library",
        )
    return asked


def _show(
    out: output.Output, built: Built, found: Stack | None, folder: Path, names: str
) -> None:
    plan, image = built.plan, built.image
    out.line(
        f"network {plan.spec.network}, rule {plan.rule.name}, target {plan.target.name}"
    )

    def row(name: str, size: int, meaning: str) -> None:
        out.line(f"  {name:16} {size:12,} bytes  {meaning}")

    for item in sorted(plan.bill, key=lambda item: -item.bytes):
        row(item.name, item.bytes, item.kind)
    row("RAM", plan.ram, "all but const; a budget is held against it")
    row("of it tape", plan.tape, "activations kept past their layer's forward")
    if plan.front is not None:
        row("of it front", plan.front.arena, "its activations, which a step shares")
    if image.text is not None:
        row("flash", image.text, "code and constants, as linked")
    for name, bound in _bounds(found).items():
        row(f"{name} used", bound.bytes, f"at most, by {bound}")
    out.line("`hil memory` shows inference and every rule beside it")
    out.line(f"library  {folder / 'generated'} (start at {names}.h)")
    out.line(f"image    {folder / 'image.elf'}")
    out.line(f"digest   {image.digest}, {image.toolchain}")


def _bounds(found: Stack | None) -> dict[str, Bound]:
    """Stacks of the image by name; none where nothing tells what calls what."""
    from codegen.machine_code import stack

    if found is None:
        return {}
    roots = {"stack": stack.MAIN, "trap stack": stack.TRAPS}
    return {n: found.bound(r) for n, r in roots.items() if r in found.graph.nodes}


def _identity(plan: Plan, files: BuildPlan, folder: Path) -> dict[str, object]:
    """What was made, and where."""
    return {
        "target": plan.target.name,
        "rule": plan.rule.name,
        "network": list(plan.spec.network.layers),
        "folder": str(folder),
        "files": sorted(files.files),
    }


def _document(built: Built, found: Stack | None, folder: Path) -> dict[str, object]:
    plan, image = built.plan, built.image
    return {
        **_identity(plan, built.files, folder),
        "toolchain": image.toolchain,
        "image": {"build_digest": image.digest, "text": image.text, "ram": image.ram},
        "tape": plan.tape,
        "stacks": {
            name: {"bound": bound.bytes, "chain": list(bound.chain)}
            for name, bound in _bounds(found).items()
        },
        "bill": [
            {"name": item.name, "bytes": item.bytes, "kind": item.kind}
            for item in plan.bill
        ],
        "provenance": dict.fromkeys(("image", "bill", "tape", "stacks"), "counted"),
    }
