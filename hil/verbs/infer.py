"""hil infer: cases through a device that computes an imported model."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hil import output
from hil.flags import add_machine, experiment_of

if TYPE_CHECKING:
    from hil.inferring.image import Model
    from hil.inferring.running import Run
    from hil.models import check
    from hil.models.cases import Cases

HELP = "compute a .tflite model on a device, and compare every output with numpy"
TAKEN = "target unit vlen toolchain icount console window faults ram"
"""Keys of an experiment that say where a model runs, and how it is reached."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil infer`."""
    parser.description = (
        f"{HELP}. An image is built that computes the model and learns nothing. Every "
        "case goes over the line to the device. Its outputs must equal the numpy twin's "
        "to the bit."
    )
    parser.set_defaults(experiment=None)
    parser.add_argument("--model", required=True, metavar="FILE", help="a .tflite file")
    parser.add_argument(
        "--inputs", required=True, metavar="FILE",
        help="the cases: an .npz with arrays in0, in1, ... [cases, ...]; outputs ref0, ref1, "
        "... of another interpreter are compared too, where they are there",
    )  # fmt: skip
    parser.add_argument(
        "--outputs", metavar="FILE",
        help="write what the device gave: an .npz with arrays out0, out1, ...",
    )  # fmt: skip
    parser.add_argument(
        "--stream", action="store_true",
        help="cases follow one another: what an SVDF has seen goes on from case to case",
    )  # fmt: skip
    add_machine(parser, TAKEN.split())


def run(given: argparse.Namespace) -> int:
    """The verb. Outputs are written before a difference is told."""
    from pathlib import Path

    from hil.data import arrays
    from hil.inferring import image, report, running
    from hil.models import cases, check

    out = output.of(given)
    model = image.prepare(experiment_of(given), given.model)
    check.require_small(model.graph)
    asked = cases.read(model.graph, given.inputs, expects=False)
    built = image.build(image.plan_for(model), model)
    for line in report.before(built):
        out.line(line)
    done = running.carried_out(model, built, asked, given.stream)
    if given.outputs:
        arrays.write(Path(given.outputs), done.outputs(model.graph))
        out.line(f"written  {given.outputs}")
    document = report.document(model, built, done)
    others = _others(model, done, asked)
    document["others"] = check.document(others) if others else None
    compared = check.lines(given.inputs, others, "the device")
    for line in (*compared, *report.after(model, done, others)):
        out.line(line)
    out.document({"infer": document})
    error = running.difference(done) or check.difference(others, given.inputs)
    if error is None:
        return 0
    output.tell(error)
    return error.exit_code


def _others(model: Model, done: Run, asked: Cases) -> list[check.Output]:
    """What the device gave against what another interpreter gave, if that is there."""
    from hil.models.check import compared

    made = [one.outputs for one in done.cases]
    return compared(model.graph, made, asked.expected) if asked.expected else []
