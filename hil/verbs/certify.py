"""hil certify: what no value of a step can ever exceed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import targets
from hil import output
from hil.errors import UsageError
from hil.flags import OF_A_RUN, add_experiment, experiment_of

if TYPE_CHECKING:
    import numpy as np

    from codegen.reference.certificate import Certificate
    from codegen.tensors import Tensor

HELP = "prove bounds of every value of a step, for every sample and every state"
OF_AN_IMAGE = (
    "steps", "epochs", "rehearsal", "init", "resident", "vlen", "agnostic", "schedule",
    "tuned", "toolchain", "debug", "commit", "window", "samples_per_frame", "chunk",
    "ram",
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
    from codegen.planning.plan import plan
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
    told = _promised("--targets", given.targets, data.name, data.train_y, data.test_y)
    found = certify(spec, eta, inputs, told)
    held = _held(plan(spec, targets.load("host")).state, spec.clip.weights)
    out.line(
        f"{spec.rule.name} {spec.network} {spec.network.activation}/"
        f"{spec.network.output}{in_integers(spec.format)}, {spec.inputs.what}"
        + ("" if spec.numbers.own else f", rates to {float(eta):g}")
    )
    for line in (*_lines(found, spec.numbers.integer), *_kept(held)):
        out.line(line)
    if found.failure is not None:
        unknown = inputs is None, told is None and spec.goal == "vector"
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
            "state": held,
            "provenance": {
                "bounds": "reference",
                "eta": "reference",
                "state": "reference",
            },
        }
    )
    return 0 if found.failure is None else NOT_CERTIFIED


def _held(state: Sequence[Tensor], clip: float | None) -> list[dict[str, Any]]:
    """The limits of each tensor of the state, and whether the device keeps them, too."""
    found = []
    for tensor in state:
        limits = tensor.held or tensor.limits
        if limits is None and clip is not None and tensor.name != "tau":
            limits = -clip, clip
        if limits is not None:
            least, most = limits
            found.append({
                "tensor": tensor.name, "least": least, "most": most,
                "by_device": tensor.held is not None,
            })  # fmt: skip
    return found


def _kept(held: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Who keeps the state where the bounds have it begin."""
    for by_device, who in (
        (True, "--init, WRITE and checkpoints, by hil and by the device"),
        (
            False,
            "--init, set_weights() and checkpoints, by hil; a device takes any float",
        ),
    ):
        kept = [one for one in held if one["by_device"] == by_device]
        if kept:
            yield ""
            yield f"learning begins within these limits and keeps them; what is beyond is refused of {who}:"
        for one in kept:
            yield f"  {one['tensor']:8}{_number(one['least'])} to {_number(one['most'])}"


def _number(value: float) -> str:
    """A whole number whole."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.7g}"


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
    wide = max(18, *(len(entry.operation) + 1 for entry in found.entries))
    yield ""
    yield f"  {'tensor':8}{'operation':{wide}}{'at least':>16}{'at most':>16}"
    for entry in found.entries:
        lo, hi = _number(entry.lo), _number(entry.hi)
        yield f"  {entry.tensor:8}{entry.operation:{wide}}{lo:>16}{hi:>16}"
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
