"""hil certify: what no value of a step can ever exceed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hil import output
from hil.flags import add_experiment, experiment_of

if TYPE_CHECKING:
    from codegen.reference.certificate import Certificate

HELP = "prove bounds of every value of a step, for every sample and every state"
NOT_CERTIFIED = 1
"""Exit code where there is an operation that has no bound."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil certify`."""
    parser.add_argument(
        "--inputs", nargs=2, type=float, metavar=("LOW", "HIGH"),
        help="you promise that a sample's raw elements lie within these bounds "
        "(default: all that their type can hold)",
    )  # fmt: skip
    add_experiment(parser)


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from codegen.reference.certificate import certify
    from hil.errors import UsageError
    from hil.lesson.preparing import prepare

    out = output.of(given)
    lesson = prepare(experiment_of(given))
    promised = tuple(given.inputs) if given.inputs else None
    if promised is not None:
        low, high = promised
        data = lesson.dataset.train_x, lesson.dataset.test_x
        least, most = min(x.min() for x in data), max(x.max() for x in data)
        if not low <= least <= most <= high:
            raise UsageError(
                f"--inputs promises {low:g} to {high:g}, but data "
                f"{lesson.dataset.name!r} has {least:g} to {most:g}"
            )
    eta = lesson.eta(0)
    found = certify(lesson.spec, eta, promised)
    spec = lesson.spec
    out.line(
        f"{spec.rule.name} {spec.network} {spec.network.activation}/"
        f"{spec.network.output}, {spec.inputs.what}, "
        f"rates to {float(eta):g}"
    )
    for line in _lines(found):
        out.line(line)
    out.document(
        {
            "certified": found.failure is None,
            "rule": spec.rule.name,
            "network": list(spec.network.layers),
            "eta": float(eta),
            "failure": found.failure
            and {"operation": found.failure.where, "reason": found.failure.why},
            "bounds": [vars(entry) for entry in found.entries if entry.hi < 3.5e38],
            "provenance": {"bounds": "reference", "eta": "reference"},
        }
    )
    return 0 if found.failure is None else NOT_CERTIFIED


def _lines(found: Certificate) -> Iterator[str]:
    yield ""
    yield f"  {'tensor':8}{'operation':18}{'at least':>16}{'at most':>16}"
    for entry in found.entries:
        yield (
            f"  {entry.tensor:8}{entry.operation:18}{entry.lo:16,.7g}{entry.hi:16,.7g}"
        )
    yield ""
    if found.failure is None:
        yield (
            "CERTIFIED: in every step, from any weights within the limit, with any "
            "sample and label,"
        )
        yield "every value stays within these bounds: no overflow, no fault"
    else:
        yield (
            f"NOT CERTIFIED: the first operation without a bound is that of "
            f"{found.failure}"
        )
        yield "  hint: --clip-weights keeps weights, and all that follows, bounded"
