"""What a device says, unpacked from payloads into values.

Every function raises `ValueError` on a payload that has not its kind's form.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from codegen import protocol
from codegen.plan import Plan
from codegen.protocol import NEVER, TRAPS, Cause, StepFlag
from hil.errors import DeviceFault

ILLEGAL_INSTRUCTION = 2


@dataclass(frozen=True)
class Greeting:
    """What the device says of itself in HELLO (sizes in bytes, VLEN in bits).

    `digest` is the first half of the build digest, 32 hex digits.
    """

    protocol_min: int
    protocol_max: int
    digest: str
    target: str
    isa: str
    vlen: int
    harts: int
    max_payload: int
    window: int
    step: int | None
    committed_step: int | None
    reset_cause: int


@dataclass(frozen=True)
class StepResult:
    """What the device says of one step: float32 loss and outputs, and the
    state digest after it when it was asked for."""

    step: int
    loss: np.float32
    outputs: np.ndarray
    digest: int | None


@dataclass(frozen=True)
class Telemetry:
    """One telemetry frame; `step` is the step that follows."""

    number: int
    step: int
    instructions: int
    damaged: int
    overruns: int
    stack: int


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("ascii", "replace")


def _step(raw: int) -> int | None:
    return None if raw == NEVER else raw


def _unpack(message: protocol.Message, payload: bytes) -> tuple[dict[str, Any], bytes]:
    assert message.reply is not None
    return message.reply.unpack(payload)


def greeting(payload: bytes) -> Greeting:
    """The payload of a HELLO reply."""
    values, _ = _unpack(protocol.HELLO, payload)
    values["digest"] = values["digest"].hex()
    for name in ("target", "isa"):
        values[name] = _text(values[name])
    for name in ("step", "committed_step"):
        values[name] = _step(values[name])
    values["window"] = max(1, values["window"])
    return Greeting(**values)


def step_results(
    payload: bytes, n_out: int, expected: tuple[int, int]
) -> list[StepResult]:
    """The payload of the reply to a STEP, from a network of `n_out` outputs;
    `expected` is what was asked for: (first step, samples)."""
    values, tail = _unpack(protocol.STEP, payload)
    told = values["step"], values["count"]
    if told != expected:
        raise ValueError(
            f"it tells of {told[1]} steps from step {told[0]}, expected "
            f"{expected[1]} from step {expected[0]}"
        )
    rows = np.frombuffer(tail, "<u4").reshape(values["count"], n_out + 2)
    asked = bool(values["flags"] & StepFlag.DIGEST)
    return [
        StepResult(
            values["step"] + place,
            row[:1].view("<f4")[0],
            row[2:].view("<f4"),
            int(row[1]) if asked else None,
        )
        for place, row in enumerate(rows)
    ]


def telemetry(payload: bytes) -> Telemetry:
    """The payload of a TELEMETRY frame."""
    values, _ = _unpack(protocol.TELEMETRY, payload)
    return Telemetry(**{field.name: values[field.name] for field in fields(Telemetry)})


def fault(payload: bytes, plan: Plan) -> DeviceFault:
    """The payload of a FAULT frame, as the error it is."""
    values, _ = _unpack(protocol.FAULT, payload)
    cause, step = values["cause"], _step(values["step"])
    address = values["address"]
    place = f"pc {values['pc']:#x}, address {address:#x}"
    hints: tuple[str, ...] = ()
    if cause == Cause.NON_FINITE:
        known = address < len(plan.tensors)
        place = "tensor " + (plan.tensors[address].name if known else f"{address}?")
        hints = ("a smaller learning rate (--lr) keeps values finite",)
    elif cause == ILLEGAL_INSTRUCTION:
        hints = (
            f"the image is built for {plan.target.isa}: does the machine have all of "
            "that, and a VLEN that target allows?",
        )
    when = "outside a step" if step is None else f"in step {step}"
    return DeviceFault(
        f"the device stopped {when}: {TRAPS.get(cause, 'unknown cause')} "
        f"(cause {cause:#x}, {place})",
        *hints,
        cause=cause,
        step=step,
        pc=values["pc"],
        address=address,
    )
