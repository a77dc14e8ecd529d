"""The firmware as a process on one end of a socket pair, and a host's words for it."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path

import targets
from codegen import protocol
from codegen.planning.plan import Tensor, plan
from codegen.planning.planned import Plan
from codegen.planning.resident import Resident
from codegen.protocol import Status, StepFlag
from codegen.spec import Inputs, Network, Spec
from hil.device.link.frame import Decoder, Frame, encode

BOOT = 0x1234_5678
OTHER_BOOT = 0x8765_4321
SPECS = {
    "u8": Spec(Network((5, 17, 3))),
    "f32": Spec(Network((3, 4, 17, 2)), inputs=Inputs("f32", 1.0)),
}
"""Each has a tensor that no frame holds."""
WINDOW, SAMPLES = 3, 2
RESIDENT, THIN = 6, 4
SLOTS = 2
"""Of the rehearsal buffer."""
LIMIT = 20.0
"""Seconds a reply may take; one that takes as long has not come at all."""


def zeros(spec: Spec) -> Resident:
    """A resident set of zeros whose labels are 0, 1, 0, ..."""
    samples = bytes(RESIDENT * spec.sample_bytes)
    labels = struct.pack(f"<{RESIDENT}H", *(i % 2 for i in range(RESIDENT)))
    return Resident(RESIDENT, samples, labels, THIN)


def planned(spec: Spec, resident: Resident | None = None) -> Plan:
    """A small plan, with a rehearsal buffer and a resident set, else of zeros."""
    resident = resident or zeros(spec)
    return plan(
        spec, targets.load("host"), window=WINDOW, samples=SAMPLES, resident=resident,
        rehearsal=SLOTS,
    )  # fmt: skip


def words(tensor: int, count: int, offset: int, tail: bytes = b"") -> bytes:
    return struct.pack("<HHI", tensor, count, offset) + tail


def step_payload(
    firmware: Firmware, count: int, label: int, eta: float, step: int = 0
) -> bytes:
    sample = struct.pack("<H", label) + firmware.sample
    return struct.pack("<IBBHf", step, 0, count, 0, eta) + sample * count


def resident_payload(
    count: int, first: int, *listed: int, step: int = 0, eta: float = 0.1
) -> bytes:
    fields = struct.pack("<IBBHfII", step, StepFlag.DIGEST, 0, count, eta, first, 1)
    return fields + struct.pack(f"<{len(listed)}I", *listed)


def kept_payload(
    slot: int, label: int, sample: bytes, *, step: int = 0, count: int = 1
) -> bytes:
    flags = StepFlag.DIGEST | StepFlag.KEEP
    fields = struct.pack("<IBBHf", step, flags, count, slot, 0.1)
    return fields + (struct.pack("<H", label) + sample) * count


def rehearse_payload(
    *slots: int, step: int = 0, count: int | None = None, eta: float = 0.1,
    flags: int = StepFlag.DIGEST,
) -> bytes:  # fmt: skip
    told = len(slots) if count is None else count
    fields = struct.pack("<IBBHf", step, flags, told, 0, eta)
    return fields + struct.pack(f"<{len(slots)}H", *slots)


def _preloaded(library: Path) -> dict[str, str]:
    """The checks want to be the first library of a process, unless told otherwise."""
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": "verify_asan_link_order=0"}


class Process(ABC):
    """The process, and what is said to it whatever it computes."""

    def __init__(self, image: str, flash: Path, preload: Path | None = None) -> None:
        self._line, far = socket.socketpair()
        self._line.settimeout(LIMIT)
        self.process = subprocess.Popen(
            [image, "--fd", str(far.fileno()), "--flash", str(flash)],
            pass_fds=[far.fileno()], stderr=subprocess.PIPE, text=True,
            env=os.environ | (_preloaded(preload) if preload else {}),
        )  # fmt: skip
        far.close()
        self._decoder = Decoder()
        self._seq = self._session = 0
        self.unsolicited: list[Frame] = []

    def send(self, data: bytes) -> None:
        """Bytes as they are. What comes back is taken when something is asked:
        no more at a time than a socket holds."""
        self._line.sendall(data)

    def answers(self, kind: int, seq: int) -> list[Frame]:
        """All frames up to the reply to request `seq` of `kind`, that last."""
        found: list[Frame] = []
        while True:
            data = self._line.recv(1 << 16)
            assert data, f"the firmware has ended: {self.process.communicate()[1]}"
            found += self._decoder.feed(data)
            for place, frame in enumerate(found):
                if (frame.kind, frame.seq) == (kind | protocol.REPLY, seq):
                    assert place == len(found) - 1, "it said more than it was asked"
                    return found

    def ask(
        self, message: protocol.Message, payload: bytes = b"", boot: int = BOOT,
        seq: int | None = None,
    ) -> Frame:  # fmt: skip
        """A good frame and its reply; what came before that is put aside. `seq`: the
        frame's number, from which the next are counted."""
        # the upper half is for noise
        self._seq = (self._seq + 1) & 0x7FFF if seq is None else seq
        self.send(encode(message.kind, 0, self._seq, boot, payload))
        *before, reply = self.answers(message.kind, self._seq)
        if (message, reply.status) == (protocol.HELLO, Status.OK):
            self._session = boot
        assert {frame.boot for frame in (*before, reply)} == {self._session}
        self.unsolicited += before
        return reply

    def is_silent_to(self, message: protocol.Message, payload: bytes, seq: int) -> bool:
        """Whether a good frame with this number has no answer, and changes nothing."""
        before = self.state()
        self.send(encode(message.kind, 0, seq, BOOT, payload))
        return self.state() == before and not self.unsolicited

    def hello(self, boot: int = BOOT) -> Frame:
        """Ask for a session, which is the same one each time unless told otherwise."""
        return self.ask(protocol.HELLO, bytes((1, 1)), boot)

    def init(self, step: int = 0, flags: int = 0) -> Frame:
        """Ask for new weights, from seed 1."""
        return self.ask(protocol.INIT, struct.pack("<IIII", 1, step, flags, 1))

    @abstractmethod
    def state(self) -> bytes:
        """What no frame may change that is met with silence."""

    def close(self) -> str:
        """Hang up; what the checks had to say."""
        self._line.close()
        try:
            return self.process.communicate(timeout=LIMIT)[1]
        finally:
            self.process.kill()


class Firmware(Process):
    """It learns."""

    def __init__(
        self, image: str, made: Plan, flash: Path, preload: Path | None = None
    ) -> None:
        super().__init__(image, flash, preload)
        self.made = made

    def state(self) -> bytes:
        """Step and digest of the state, as the device tells them."""
        return self.ask(protocol.DIGEST).payload

    def step(
        self, step: int, count: int = 1, label: int = 0, eta: float = 0.1
    ) -> Frame:
        """Ask to learn from samples of zeros."""
        samples = (struct.pack("<H", label) + self.sample) * count
        fields = struct.pack("<IBBHf", step, StepFlag.DIGEST, count, 0, eta)
        return self.ask(protocol.STEP, fields + samples)

    def step_resident(self, step: int, count: int = 1, first: int = 0) -> Frame:
        """Ask to learn from a range of the resident set."""
        return self.ask(
            protocol.STEP_RESIDENT, resident_payload(count, first, step=step)
        )

    def keep(self, step: int, slot: int, label: int = 0, sample: bytes = b"") -> Frame:
        """Ask to learn from one sample (else of zeros), and to keep it."""
        return self.ask(
            protocol.STEP, kept_payload(slot, label, sample or self.sample, step=step)
        )

    def rehearse(self, step: int, *slots: int) -> Frame:
        """Ask to learn from what is kept."""
        return self.ask(protocol.REHEARSE, rehearse_payload(*slots, step=step))

    def commit(self, step: int) -> Frame:
        """Ask to write a checkpoint of the state before this step."""
        return self.ask(protocol.COMMIT, struct.pack("<I", step))

    @property
    def sample(self) -> bytes:
        """A sample of zeros."""
        return bytes(self.made.spec.sample_bytes)

    @property
    def largest(self) -> Tensor:
        """The tensor of most words."""
        return max(self.made.tensors, key=lambda tensor: tensor.words)
