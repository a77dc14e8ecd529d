"""What a device says of itself in HELLO, and whether it is the one that was meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from codegen import goals, protocol
from codegen.planning.planned import Linked, Plan
from hil.device.replies import step_or_none
from hil.errors import FirmwareMismatch

HARTS = 1
"""Cores that an image uses."""


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
    goal: int
    target_bytes: int

    @classmethod
    def of(cls, payload: bytes) -> Greeting:
        """The payload of a HELLO reply. Raises `ValueError`."""
        assert protocol.HELLO.reply is not None
        values: dict[str, Any] = protocol.HELLO.reply.unpack(payload)[0]
        values["digest"] = values["digest"].hex()
        for name in ("target", "isa"):
            values[name] = _text(values[name])
        for name in ("step", "committed_step"):
            values[name] = step_or_none(values[name])
        values["window"] = max(1, values["window"])
        return cls(**values)

    def require(self, plan: Linked, digest: str, vlen: int) -> None:
        """Raise `FirmwareMismatch` unless this is the image of `plan` with that build
        digest (hex, at least 32 digits), on a machine with that VLEN."""
        version = protocol.VERSION
        if not self.protocol_min <= version <= self.protocol_max:
            raise FirmwareMismatch(
                f"the device speaks protocol {self.protocol_min} to "
                f"{self.protocol_max}, this host {version}",
                "build and flash the image with this version of hil",
            )
        if self.target != plan.target.name:
            raise FirmwareMismatch(
                f"the device says it is target {self.target!r}, expected "
                f"{plan.target.name!r}",
                f"choose it with --target {self.target}, or connect the other one",
            )
        if self.digest != digest[:32]:
            raise FirmwareMismatch(
                f"the device runs build {self.digest[:8]}, but the image just built "
                f"is {digest[:8]}",
                "the old image still runs: flash again, or reset the device",
            )
        line = plan.line
        if (self.max_payload, self.window) != (line.max_payload, line.window):
            raise FirmwareMismatch(
                f"the device says it takes {self.window} frames of "
                f"{self.max_payload} bytes, but its build {line.window} of "
                f"{line.max_payload}",
                "build and flash the image with this version of hil",
            )
        if (self.isa, self.harts) != (plan.target.isa, HARTS):
            raise FirmwareMismatch(
                f"the device says that it is {self.harts} cores of {self.isa!r}, expected "
                f"{HARTS} of {plan.target.isa!r}",
                "build and flash the image with this version of hil",
            )
        told, expected = (self.goal, self.target_bytes), goal_of(plan)
        if told != expected:
            raise FirmwareMismatch(
                f"the device says that it learns from goal {told[0]:d}, with {told[1]} bytes "
                f"a sample, but its build from goal {expected[0]:d}, with {expected[1]}",
                "build and flash the image with this version of hil",
            )
        if self.vlen != vlen:
            raise FirmwareMismatch(
                f"the device says its VLEN is {self.vlen} bits, expected {vlen}",
                f"say --vlen {self.vlen}, or connect the other machine",
            )


def goal_of(plan: Linked) -> tuple[protocol.Goal, int]:
    """What a step of the image learns from, and how many bytes of it travel with a
    sample."""
    if not isinstance(plan, Plan):
        return protocol.Goal.NONE, 0
    goal = goals.goal(plan.spec)
    return protocol.Goal[goal.name.upper()], goal.bytes(plan.spec)


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("ascii", "replace")
