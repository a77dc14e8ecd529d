"""What a device says, unpacked from payloads into values.

Every function raises `ValueError` on a payload that has not its kind's form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from codegen import protocol
from codegen.building.image import place
from codegen.planning.planned import Linked, Plan
from codegen.protocol import NEVER, TRAPS, Cause, InitFlag, StepFlag
from codegen.rendering.self_test import finding
from hil.device.telemetry import Telemetry
from hil.errors import DeviceFault

ILLEGAL_INSTRUCTION = 2


@dataclass(frozen=True)
class Asked:
    """A request that is on its way: the values of its fields, by name."""

    message: protocol.Message
    values: Mapping[str, Any]

    @property
    def end(self) -> int:
        """The step that follows those it has the device learn."""
        return int(self.values["step"] + self.values["count"])

    def __str__(self) -> str:
        return self.message.name.upper()


class StepResult(NamedTuple):
    """What the device says of one step: float32 loss and outputs, and the
    state digest after it when it was asked for.

    `signal` is what a budget's controller saw of it, 0 without one.

    Of a resident frame it is the last of `steps` steps: `fold` is the digest of
    what all of them would have told, `right` how many were predicted right.
    """

    step: int
    loss: np.float32
    outputs: np.ndarray
    digest: int | None
    steps: int = 1
    fold: int | None = None
    right: int | None = None
    signal: int = 0

    @property
    def first(self) -> int:
        """The first of the steps it tells of."""
        return self.step + 1 - self.steps


def step_or_none(raw: int) -> int | None:
    """A step as the line tells it; None for NEVER."""
    return None if raw == NEVER else raw


def _unpack(message: protocol.Message, payload: bytes) -> tuple[dict[str, Any], bytes]:
    assert message.reply is not None
    return message.reply.unpack(payload)


def answer(asked: Asked, payload: bytes) -> tuple[dict[str, Any], bytes]:
    """Fields and tail of the reply to a request, which repeats what was asked: every
    field that both have, and 0 where a field means nothing.

    Two fields are the device's own: where a checkpoint is resumed, step and run are
    that one's, and a digest that is not told after all is for the comparison to find.
    """
    values, tail = _unpack(asked.message, payload)
    resumes = asked.message == protocol.INIT and asked.values["flags"] & InitFlag.RESUME
    for name, told in values.items():
        wanted = 0 if name == "reserved" else asked.values.get(name, told)
        untold = wanted & ~StepFlag.DIGEST if name == "flags" else wanted
        if told not in (wanted, untold) and not resumes:
            raise ValueError(f"field {name} is {told}, expected {wanted}")
    return values, tail


def step_results(asked: Asked, payload: bytes, plan: Plan) -> list[StepResult]:
    """The payload of the reply to a STEP or a REHEARSE."""
    values, tail = answer(asked, payload)
    return _results(values, tail, values["step"], values["count"], plan)


def resident_result(asked: Asked, payload: bytes, plan: Plan) -> StepResult:
    """The same for STEP_RESIDENT, whose reply tells of all its steps at once."""
    values, tail = answer(asked, payload)
    (last,) = _results(values, tail, values["step"] + values["count"] - 1, 1, plan)
    return last._replace(
        steps=values["count"], fold=values["fold"], right=values["right"]
    )


def result_words(plan: Plan) -> int:
    """Words of one step's result: loss, digest, outputs, signal."""
    return 2 + plan.spec.network.n_out + plan.signals


def _results(
    values: Mapping[str, Any], tail: bytes, first: int, count: int, plan: Plan
) -> list[StepResult]:
    """The words of `count` steps, `first` the first of them."""
    rows = np.frombuffer(tail, "<u4").reshape(count, result_words(plan))
    n_out = plan.spec.network.n_out
    numbers = rows.view("<f4")
    untold: list[Any] = [None] * count
    digests = rows[:, 1].tolist() if values["flags"] & StepFlag.DIGEST else untold
    signals = rows[:, -1].tolist() if plan.signals else [0] * count
    told = zip(
        range(first, first + count), numbers[:, 0], numbers[:, 2 : 2 + n_out], digests,
        signals, strict=True,
    )  # fmt: skip
    return [
        StepResult(step, loss, outputs, digest, signal=signal)
        for step, loss, outputs, digest, signal in told
    ]


def telemetry(payload: bytes) -> Telemetry:
    """The payload of a TELEMETRY frame."""
    values, _ = _unpack(protocol.TELEMETRY, payload)
    return Telemetry(**values)


def fault(payload: bytes, plan: Linked, image: Path | None = None) -> DeviceFault:
    """The payload of a FAULT frame, as the error it is; with the `image` that
    runs, it tells what lies at the addresses."""
    values, _ = _unpack(protocol.FAULT, payload)
    cause, step = values["cause"], step_or_none(values["step"])
    when = "outside a step" if step is None else f"in step {step}"
    told = [f"cause {cause:#x}", *_places(values, plan, image)]
    return DeviceFault(
        f"the device stopped {when}: {TRAPS.get(cause, 'unknown cause')} "
        f"({'; '.join(told)})",
        *_advice(values, plan),
        cause=cause,
        step=step,
        pc=values["pc"],
        address=values["address"],
    )


def _places(
    values: Mapping[str, Any], plan: Linked, image: Path | None
) -> Iterator[str]:
    """What a fault's pc and address are, as far as its cause gives them a meaning."""
    cause, pc, address = values["cause"], values["pc"], values["address"]

    def at(address: int) -> str:
        return f"{address:#x}" + (f" {place(image, address)}" if image else "")

    if cause == Cause.NON_FINITE:
        known = address < len(plan.tensors)
        yield "tensor " + (plan.tensors[address].name if known else f"{address}?")
        return
    if cause == Cause.ARITHMETIC:
        found = finding(-address)
        yield found.meaning if found else f"finding {address}?"
        return
    if pc:
        yield f"pc {at(pc)}"
    if cause == ILLEGAL_INSTRUCTION:
        yield f"instruction {address:#x}"
    elif cause not in (Cause.WATCHDOG, Cause.HARD_FAULT):
        yield f"address {at(address)}"


def _why_not_finite(values: Mapping[str, Any], plan: Linked) -> str:
    """Whether the data, the start or the learning rate is to blame, by the tensor and
    the step."""
    place = values["address"]
    if place < len(plan.tensors) and plan.tensors[place].name == "x":
        return (
            "x is the sample itself, divided by the scale of the data: look for infinities, "
            "NaNs and a wrong scale there; no learning rate helps"
        )
    if values["step"] == 0:
        return (
            "step 0 has learned nothing yet: the data are too large for the weights that "
            "it began with, so look at their scale, or at --init"
        )
    if isinstance(plan, Plan) and not plan.rule.declaration.rated:
        return (
            f"rule {plan.rule.name!r} has no learning rate: the data are too large for "
            "float32, so look at their scale"
        )
    return "a smaller learning rate (--lr) keeps values finite"


def _advice(values: Mapping[str, Any], plan: Linked) -> Iterator[str]:
    """What may be done about a fault."""
    target, cause = plan.target, values["cause"]
    if cause == Cause.NON_FINITE:
        yield _why_not_finite(values, plan)
    elif cause == Cause.ARITHMETIC:
        if found := finding(-values["address"]):
            yield found.cure
    elif cause == ILLEGAL_INSTRUCTION:
        yield (
            f"the image is built for {target.isa}: does the machine have all of "
            "that, and a VLEN that target allows?"
        )
    elif cause == Cause.WATCHDOG:
        yield (
            f"a step or an inference may take {target.limits.watchdog:g} s on "
            f"{target.name}: watchdog in [limits] of its file"
        )
