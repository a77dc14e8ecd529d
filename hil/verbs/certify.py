"""hil certify: what no value of a step can ever exceed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hil import output
from hil.errors import UsageError
from hil.flags import OF_A_RUN, add_experiment, experiment_of

if TYPE_CHECKING:
    import numpy as np

    from codegen.reference.certificate import Certificate

HELP = "prove bounds of every value of a step, for every sample and every state"
OF_AN_IMAGE = (
    "steps", "epochs", "rehearsal", "init", "resident", "vlen", "agnostic", "schedule",
    "tuned", "toolchain", "debug", "commit", "window", "samples_per_frame", "ram",
)  # fmt: skip
"""Keys that leave what a step computes as it is."""
NOT_CERTIFIED = 1
"""Exit code where there is an operation that has no bound."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil certify`."""
    parser.add_argument(
        "--inputs", nargs=2, type=float, metavar=("LOW", "HIGH"),
        help="you promise that a sample's raw elements lie within these bounds "
        "(default: all that their type can hold)",
    )  # fmt: skip
    parser.add_argument(
        "--targets", nargs=2, type=float, metavar=("LOW", "HIGH"),
        help="you promise that the elements of a vector as a target lie within these "
        "bounds (default: any)",
    )  # fmt: skip
    add_experiment(parser, *OF_A_RUN, *OF_AN_IMAGE)


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from codegen.reference.certificate import certify
    from hil.lesson.preparing import prepare
    from hil.records.verdict import in_integers

    out = output.of(given)
    lesson = prepare(experiment_of(given))
    spec, data, eta = lesson.spec, lesson.dataset, lesson.eta(0)
    if given.targets and spec.goal != "vector":
        raise UsageError(
            f"--targets with goal {spec.goal!r}: only a vector as a target may be any",
            "leave it out: what a label or the sample can be is known",
        )
    inputs = _promised("--inputs", given.inputs, data.name, data.train_x, data.test_x)
    targets = _promised(
        "--targets", given.targets, data.name, data.train_y, data.test_y
    )
    if spec.numbers.own:
        raise UsageError(
            f"a certificate of format {spec.format}: its rules limit their numbers "
            "themselves, which no certificate follows: expected another format"
        )
    found = certify(spec, eta, inputs, targets)
    out.line(
        f"{spec.rule.name} {spec.network} {spec.network.activation}/"
        f"{spec.network.output}{in_integers(spec.format)}, {spec.inputs.what}, "
        f"rates to {float(eta):g}"
    )
    for line in _lines(found, spec.numbers.integer):
        out.line(line)
    if found.failure is not None:
        unknown = inputs is None, targets is None and spec.goal == "vector"
        out.line(f"  hint: {_hint(found.failure.where, *unknown)}")
    out.document(
        {
            "certified": found.failure is None,
            "rule": spec.rule.name,
            "network": list(spec.network.layers),
            "format": spec.format,
            "eta": float(eta),
            "failure": found.failure
            and {"operation": found.failure.where, "reason": found.failure.why},
            "bounds": [vars(entry) for entry in found.entries if entry.hi < 3.5e38],
            "provenance": {"bounds": "reference", "eta": "reference"},
        }
    )
    return 0 if found.failure is None else NOT_CERTIFIED


def _promised(
    flag: str, bounds: Sequence[float] | None, name: str, *parts: np.ndarray
) -> tuple[float, float] | None:
    """The bounds that a flag promises; raises `UsageError` where the data at hand is
    not within them."""
    if not bounds:
        return None
    low, high = bounds
    least, most = min(part.min() for part in parts), max(part.max() for part in parts)
    if not low <= least <= most <= high:
        raise UsageError(
            f"{flag} promises {low:g} to {high:g}, but data {name!r} has {least:g} to "
            f"{most:g}"
        )
    return low, high


def _hint(where: str, any_input: bool, any_target: bool) -> str:
    """What would bound the operation that has no bound."""
    if any_input and where in ("x", "a1"):
        return "--inputs says what the elements of a sample can be"
    if any_target and where.startswith("e"):
        return "--targets says what the elements of a target can be"
    return "--clip-weights keeps weights, and all that follows, bounded"


def _lines(found: Certificate, integer: bool) -> Iterator[str]:
    """The bounds and the verdict."""
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
            "sample and target,"
        )
        sums = ", no sum leaves 32 bits" if integer else ""
        yield f"every value stays within these bounds: no overflow{sums}, no fault"
    else:
        yield (
            f"NOT CERTIFIED: the first operation without a bound is that of "
            f"{found.failure}"
        )
