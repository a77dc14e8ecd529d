"""The line: how long frames are, and how many may be in flight."""

from __future__ import annotations

from dataclasses import dataclass

from codegen import goals, protocol
from codegen.errors import SpecError
from codegen.planning.resident import PLACE, Resident
from codegen.spec import Spec
from codegen.tensors import WORD

SMALLEST_PAYLOAD = 256
LARGEST_PAYLOAD = 65535
LARGEST_PART = LARGEST_PAYLOAD - 11
"""Bytes of a sample in one PART, at most, with its fields; a payload is whole words."""


@dataclass(frozen=True)
class Line:
    """Sizes of the link's buffers on the device, in bytes unless said.

    `window` STEPs may be in flight, each with up to `samples` samples. The
    receive ring holds a whole window of the longest frames, encoded, so a host
    that keeps to the window can never overrun it.
    """

    window: int
    samples: int
    max_payload: int
    reply: int
    ring: int

    @property
    def frame(self) -> int:
        """Longest frame before encoding: header, payload, CRC."""
        return protocol.HEADER.size + self.max_payload + protocol.CRC_BYTES


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()


def _encoded(body: int) -> int:
    """Longest COBS form of `body` bytes, with both delimiters."""
    return body + -(-body // 254) + 2


def line_for(
    spec: Spec,
    window: int,
    samples: int,
    resident: Resident | None,
    chunk: int | None = None,
) -> Line:
    """The line for `window` STEPs in flight of up to `samples` samples of `spec` each,
    and for what names samples of a `resident` set. With `chunk` no sample is in a STEP:
    it comes before, in parts of so many bytes at most.

    Raises `SpecError` where a frame would be longer than its length can say.
    """
    assert protocol.STEP.request and protocol.STEP.reply
    assert protocol.STEP_RESIDENT.request and protocol.STEP_RESIDENT.reply
    assert protocol.PART.request
    sample = goals.goal(spec).bytes(spec) + (spec.sample_bytes if chunk is None else 0)
    result = 8 + WORD * (spec.network.n_out + (spec.gate.budget is not None))
    payload = max(SMALLEST_PAYLOAD, protocol.STEP.request.size + samples * sample)
    reply = max(SMALLEST_PAYLOAD, protocol.STEP.reply.size + samples * result)
    if resident is not None:
        places = protocol.STEP_RESIDENT.request.size + resident.thin * PLACE
        payload = max(payload, places)
        reply = max(reply, protocol.STEP_RESIDENT.reply.size + result)
    if chunk is not None:
        payload = max(payload, protocol.PART.request.size + chunk)
    longest = max(payload, reply)
    if longest > LARGEST_PAYLOAD:
        raise SpecError(
            f"a frame of {samples} samples of network {spec.network} has "
            f"{longest} bytes: expected at most {LARGEST_PAYLOAD}",
            "fewer samples in a frame (--samples-per-frame) make it shorter",
        )
    return sized(window, samples, longest, reply)


def sized(window: int, samples: int, payload: int, reply: int) -> Line:
    """The line for payloads, and replies that are kept, of so many bytes."""
    payload += -payload % 4
    body = protocol.HEADER.size + payload + protocol.CRC_BYTES
    return Line(
        window, samples, payload, reply + -reply % 4,
        _power_of_two(window * _encoded(body)),
    )  # fmt: skip
