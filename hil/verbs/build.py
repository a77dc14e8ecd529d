"""hil build: the C and the image of an experiment, without running it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hil import output
from hil.verbs.run import add_experiment, experiment_of

if TYPE_CHECKING:
    from hil.building import Built

HELP = "generate the C, build the image, print the memory bill"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil build`."""
    parser.add_argument(
        "--out",
        default="build",
        metavar="DIR",
        help="folder for generated/, image/, firmware/ and image.elf (default: build)",
    )
    add_experiment(parser)


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from shutil import copyfile

    from hil.building import build, plan_for
    from hil.errors import UsageError
    from hil.lesson import prepare

    out = output.of(given)
    experiment = experiment_of(given)
    built = build(plan_for(prepare(experiment)), experiment.toolchain)
    folder = Path(given.out)
    try:
        built.files.write(folder)
        copyfile(built.image.path, folder / "image.elf")
    except OSError as error:
        raise UsageError(
            f"folder {given.out!r} cannot be written: {error.strerror}"
        ) from error
    _show(out, built, folder)
    out.document(_document(built, folder))
    return 0


def _show(out: output.Output, built: Built, folder: Path) -> None:
    plan, image = built.plan, built.image
    out.line(
        f"network {plan.spec.network}, rule {plan.rule.name}, target {plan.target.name}"
    )
    for item in sorted(plan.bill, key=lambda item: -item.bytes):
        out.line(f"  {item.name:16} {item.bytes:12,} bytes  {item.kind}")
    out.line(
        f"  {'RAM of the plan':16} {plan.ram:12,} bytes  what a budget is held against"
    )
    out.line(
        f"  {'of it tape':16} {plan.tape:12,} bytes  activations kept to the update"
    )
    if image.text is not None and image.ram is not None:
        out.line(
            f"  {'linked RAM':16} {image.ram:12,} bytes  with the runtime's variables"
        )
        out.line(f"  {'linked flash':16} {image.text:12,} bytes  code and constants")
    out.line(f"library  {folder / 'generated'} (start at net.h)")
    out.line(f"image    {folder / 'image.elf'}")
    out.line(f"digest   {image.digest}, {image.toolchain}")


def _document(built: Built, folder: Path) -> dict[str, object]:
    plan, image = built.plan, built.image
    return {
        "target": plan.target.name,
        "rule": plan.rule.name,
        "network": list(plan.spec.network.layers),
        "folder": str(folder),
        "files": sorted(built.files.files),
        "toolchain": image.toolchain,
        "image": {"build_digest": image.digest, "text": image.text, "ram": image.ram},
        "tape": plan.tape,
        "bill": [
            {"name": item.name, "bytes": item.bytes, "kind": item.kind}
            for item in plan.bill
        ],
        "provenance": dict.fromkeys(("image", "bill", "tape"), "counted"),
    }
