"""hil import: what is in a model that was trained elsewhere."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from hil import output
from hil.errors import HilError, ModelError

if TYPE_CHECKING:
    from codegen.graph.description import Graph

HELP = "tell what is in a .tflite model: operators, shapes, MACs, memory, what is not supported"

TOLD = "what each operator takes, and of which types: docs/import.md"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil import`."""
    parser.description = (
        f"{HELP}. Nothing is built unless --target is given. A file that is damaged, or that holds what is not "
        "supported, ends with exit code 2 and all that is not supported, each with its "
        "operator and its tensor."
    )
    parser.add_argument("model", metavar="MODEL", help="a .tflite file")
    parser.add_argument(
        "--check",
        metavar="FILE",
        help="also compute the cases of an .npz, arrays in0, in1, ..., by the numpy twin "
        "and compare its outputs with the arrays ref0, ref1, ...",
    )
    parser.add_argument(
        "--stream",
        action="store_true",
        help="cases of --check follow one another: what an SVDF has seen goes on from case "
        "to case",
    )
    parser.add_argument(
        "--target",
        metavar="NAME",
        help="also build the image that computes it there, and show its memory bill",
    )


def run(given: argparse.Namespace) -> int:
    """The verb. What is not supported is told behind what is shown."""
    from codegen.graph import support
    from hil.models import check, file, report

    out = output.of(given)
    graph = file.load(given.model)
    problems = support.problems(graph)
    for line in report.lines(given.model, graph, problems):
        out.line(line)
    document: dict[str, Any] = {"model": report.document(graph, problems)}
    if problems:
        out.document(document)
        return _told(_refused(given.model, graph, problems))
    if given.target:
        document["bill"] = _billed(given, out)
    compared = check.check(graph, given.check, given.stream) if given.check else []
    for line in check.lines(given.check, compared):
        out.line(line)
    if compared:
        document["check"] = check.document(compared)
    out.document(document)
    return _told(check.difference(compared, given.check))


def _billed(given: argparse.Namespace, out: output.Output) -> dict[str, Any]:
    """The bill of an image that computes the model, shown and for --json."""
    from hil.experiment import Experiment
    from hil.inferring import bill, image

    model = image.prepare(Experiment(target=given.target), given.model)
    built = image.build(image.plan_for(model), model)
    for line in bill.lines(built):
        out.line(line)
    return bill.document(built)


def _told(error: HilError | None) -> int:
    """The exit code, behind the error if there is one."""
    if error is None:
        return 0
    output.tell(error)
    return error.exit_code


def _refused(path: str, graph: Graph, problems: list[str]) -> ModelError:
    """The first of what is not supported, and how much there is besides; the operators that
    are supported, where it has another."""
    from codegen.graph import support

    more = f" (and {len(problems) - 1:,} more, listed above)" if problems[1:] else ""
    known = f"supported operators are {support.supported()}"
    return ModelError(
        f"model {path!r} cannot run: {problems[0]}{more}",
        known if support.unknown(graph) else TOLD,
    )
