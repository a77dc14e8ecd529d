"""The link's messages, declared once.

This file is the declaration that DESIGN section 7 speaks of: the host packs
and unpacks with it, `templates/hil_protocol.h.j2` renders the firmware's header
from it, and docs/protocol.md shows its byte tables (a test holds them equal).

Every field is little-endian and naturally aligned, so that a C struct of the
same fields has the same layout; the generated header asserts the sizes.
A payload may end in a tail: whole words or samples that follow the fields.

More than 400 lines because it is one table: every message is in it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

VERSION = 2
"""Protocol version this package speaks; HELLO carries the range. Since 2 it tells the
goal."""

HEADER = struct.Struct("<BBHI")
"""kind, status, seq, boot."""

CRC_BYTES = 4
REPLY = 0x80
"""Set in the kind of every reply."""

NEVER = 0xFFFFFFFF
"""In a step field: no such step."""


class Status(IntEnum):
    """Second byte of a reply's header."""

    OK = 0
    REPLAYED = 1
    UNKNOWN_KIND = 2
    BAD_PAYLOAD = 3
    OUT_OF_STEP = 4
    STALE_BOOT = 5
    OUT_OF_BOUNDS = 6
    NOT_READY = 7
    FAULTED = 8
    NO_CHECKPOINT = 9
    OTHER_CHECKPOINT = 10
    NO_STORAGE = 11


STATUS_TEXT = {
    Status.OK: "done",
    Status.REPLAYED: "done before; this is the kept reply",
    Status.UNKNOWN_KIND: "no such message kind",
    Status.BAD_PAYLOAD: "the payload has not the length or the values its kind wants",
    Status.OUT_OF_STEP: "the device is at another step",
    Status.STALE_BOOT: "the boot nonce is not that of the last HELLO",
    Status.OUT_OF_BOUNDS: "a range outside the tensors or the resident set, or not writable, "
    "or a slot outside the rehearsal buffer, or empty",
    Status.NOT_READY: "the network has not been initialised",
    Status.FAULTED: "the device is in FAULT and learns no more until INIT",
    Status.NO_CHECKPOINT: "there is no whole checkpoint, or none of so early a step",
    Status.OTHER_CHECKPOINT: "the newest checkpoint is of another network, rule, seed or version",
    Status.NO_STORAGE: "there is no flash for two checkpoints, or it did not take one, "
    "or the flash has used up its checkpoint numbers",
}


class StepFlag(IntFlag):
    """What a STEP asks for besides learning.

    ALONE: interrupts stay masked while a step is learned, so that telemetry
    counts the step's instructions and no others. Only for a host that keeps one
    frame in flight: on a board, what it sent meanwhile would be lost.
    KEEP: the one sample of the frame, once learned, is put into a slot of the
    rehearsal buffer, to be learned from again.
    """

    DIGEST = 1
    TELEMETRY = 2
    ALONE = 4
    KEEP = 8


class InitFlag(IntFlag):
    """INIT: keep the weights there are (after WRITE) and only set the step; or
    take state and step from the newest checkpoint, which must be of this seed."""

    KEEP_STATE = 1
    RESUME = 2


class Goal(IntEnum):
    """What a step learns from: a class LABEL (u16), a VECTOR of one f32 an output, or the
    SAMPLE itself, with which nothing comes. An image without a network has NONE."""

    NONE = 0
    LABEL = 1
    VECTOR = 2
    SAMPLE = 3


class Cause(IntEnum):
    """FAULT causes above the machine's own (0..63 are RISC-V's mcause).

    STACK_OVERFLOW: an access that is not allowed, with the stack pointer below
    the stack. WATCHDOG: a step or an inference that did not end in time.
    DATA_ACCESS: of a core that does not tell a load from a store. HARD_FAULT: of
    one that tells no more than that. ARITHMETIC: net_init has found that float is
    not computed as the network needs it (codegen/rendering/self_test.py).
    """

    NON_FINITE = 0x100
    STACK_OVERFLOW = 0x101
    WATCHDOG = 0x102
    DATA_ACCESS = 0x103
    HARD_FAULT = 0x104
    ARITHMETIC = 0x105


TRAPS = {
    0: "instruction address misaligned",
    1: "instruction access fault",
    2: "illegal instruction",
    3: "breakpoint",
    4: "load address misaligned",
    5: "load access fault",
    6: "store address misaligned",
    7: "store access fault",
    8: "environment call from U-mode",
    11: "environment call from M-mode",
    12: "instruction page fault",
    13: "load page fault",
    15: "store page fault",
    Cause.NON_FINITE: "non-finite activation or delta",
    Cause.STACK_OVERFLOW: "stack overflow",
    Cause.WATCHDOG: "watchdog, no end within its limit",
    Cause.DATA_ACCESS: "load or store access fault",
    Cause.HARD_FAULT: "fault of a kind that the core does not tell",
    Cause.ARITHMETIC: "float arithmetic is not what the network needs",
}


@dataclass(frozen=True)
class Field:
    """One field: its struct code, C type, and how many (arrays of bytes)."""

    name: str
    code: str
    meaning: str
    count: int = 1

    @property
    def c_type(self) -> str:
        """The C type of one element."""
        return {
            "B": "uint8_t", "H": "uint16_t", "I": "uint32_t",
            "Q": "uint64_t", "f": "float", "s": "char",
        }[self.code]  # fmt: skip

    @property
    def size(self) -> int:
        """Bytes of the whole field."""
        return struct.calcsize("<" + self.code) * self.count


@dataclass(frozen=True)
class Layout:
    """The fields of one payload, and what may follow them."""

    fields: tuple[Field, ...] = ()
    tail: str = ""

    @property
    def struct(self) -> struct.Struct:
        """The packed form of the fields."""
        parts = (
            f"{f.count}{f.code}" if f.code == "s" else f.code * f.count
            for f in self.fields
        )
        return struct.Struct("<" + "".join(parts))

    @property
    def size(self) -> int:
        """Bytes of the fields, without a tail."""
        return self.struct.size

    def pack(self, *values: object, tail: bytes = b"") -> bytes:
        """Payload of these field values, in declared order."""
        return self.struct.pack(*values) + tail

    def unpack(self, payload: bytes) -> tuple[dict[str, object], bytes]:
        """Field values by name, and the tail.

        Raises `ValueError` when the payload is too short for the fields, or
        has a tail where none is declared.
        """
        if len(payload) < self.size or (len(payload) > self.size and not self.tail):
            raise ValueError(f"payload of {len(payload)} bytes, expected {self.size}")
        values = self.struct.unpack_from(payload)
        return dict(zip((f.name for f in self.fields), values, strict=True)), payload[
            self.size :
        ]


@dataclass(frozen=True)
class Message:
    """A kind of message. `reply` is None for what only the device sends."""

    name: str
    kind: int
    meaning: str
    request: Layout | None
    reply: Layout | None


def _u8(name: str, meaning: str) -> Field:
    return Field(name, "B", meaning)


def _u16(name: str, meaning: str) -> Field:
    return Field(name, "H", meaning)


def _u32(name: str, meaning: str) -> Field:
    return Field(name, "I", meaning)


def _u64(name: str, meaning: str) -> Field:
    return Field(name, "Q", meaning)


HELLO = Message(
    "hello", 0x01, "open a session; the header's boot is the new nonce",
    Layout((
        _u8("protocol_min", "lowest protocol version the host speaks"),
        _u8("protocol_max", "highest protocol version the host speaks"),
    )),
    Layout((
        _u8("protocol_min", "lowest protocol version the device speaks"),
        _u8("protocol_max", "highest protocol version the device speaks"),
        _u8("reset_cause", "0 power-on or unknown, 1 software, 2 watchdog"),
        _u8("harts", "cores the image uses"),
        _u32("vlen", "vector register length in bits, 0 without vectors"),
        _u16("max_payload", "longest payload the device takes, bytes"),
        _u16("window", "STEPs that may be in flight"),
        _u32("step", "next step the device expects, NEVER before INIT"),
        _u32("committed_step", "step of the newest checkpoint, NEVER without one"),
        Field("digest", "s", "build digest, first 16 bytes", 16),
        Field("target", "s", "target name, zero-padded", 32),
        Field("isa", "s", "instruction set, zero-padded", 32),
        _u16("goal", "what a step learns from: 0 no network, 1 a label, 2 a vector, "
            "3 the sample itself"),
        _u16("target_bytes", "of that, before each sample: 2, 4 n_out, or 0"),
    )),
)  # fmt: skip

INIT = Message(
    "init", 0x02, "set every weight from the seed, or keep them; set the step",
    Layout((
        _u32("seed", "seed of the generator; not read when the state is kept"),
        _u32("step", "number of the next step; resuming, the last that will do"),
        _u32("flags", "1 keep the state as it is, 2 resume from the newest checkpoint"),
        _u32("run", "the run's number, chosen by the host; resuming, only its checkpoints "
            "will do, 0: any run's"),
    )),
    Layout((
        _u32("step", "number of the next step"),
        _u32("digest", "state digest"),
        _u32("run", "the run that goes on"),
    )),
)  # fmt: skip

STEP = Message(
    "step", 0x03, "learn from `count` samples, exactly once",
    Layout((
        _u32("step", "number of the first of these steps"),
        _u8("flags", "1 digest after each step, 2 telemetry frame after this one, "
            "4 interrupts masked while learning, 8 keep the one sample"),
        _u8("count", "samples that follow"),
        _u16("slot", "of the rehearsal buffer, where the sample is kept; else 0"),
        Field("eta", "f", "learning rate"),
    ), tail="count x (target, sample elements); a target is u16 label, f32[n_out] or "
        "nothing, as HELLO's goal says; the sample is left out where it came by PART"),
    Layout((
        _u32("step", "number of the first of these steps"),
        _u8("flags", "as asked"),
        _u8("count", "results that follow"),
        _u16("reserved", "0"),
    ), tail="count x (f32 loss, u32 digest or 0, f32 outputs[n_out], "
        "u32 signal where a budget is held)"),
)  # fmt: skip

OUT_OF_STEP = Layout((_u32("step", "next step the device expects"),))
"""Payload of a STEP reply whose status is OUT_OF_STEP."""

INFER = Message(
    "infer", 0x04, "outputs of `count` samples; changes nothing. "
    "An imported model: of none, it computes what inputs give that were written",
    Layout((_u32("count", "samples that follow"),), tail="count x sample elements; nothing where "
        "they came by PART"),
    Layout((_u32("count", "results that follow"),), tail="count x f32 outputs[n_out]"),
)  # fmt: skip

_RANGE = (
    _u16("tensor", "index in the plan's tensor table"),
    _u16("count", "32-bit words"),
    _u32("offset", "first word"),
)

READ = Message(
    "read", 0x05, "words of a tensor",
    Layout(_RANGE), Layout(_RANGE, tail="count x u32"),
)  # fmt: skip

WRITE = Message(
    "write", 0x06, "replace words of a state tensor, or of an imported model's input",
    Layout(_RANGE, tail="count x u32"), Layout(_RANGE),
)  # fmt: skip

DIGEST = Message(
    "digest", 0x07, "step and state digest",
    Layout(), Layout((_u32("step", "next step"), _u32("digest", "state digest"))),
)  # fmt: skip

ECHO = Message(
    "echo", 0x08, "the payload back",
    Layout(tail="any bytes"), Layout(tail="the same bytes"),
)  # fmt: skip

LEAVE = Message(
    "leave", 0x09, "end: an emulator exits with the code, a board resets",
    Layout((_u32("code", "exit code of the emulator"),)), Layout(),
)  # fmt: skip

STEP_RESIDENT = Message(
    "step_resident", 0x0A, "learn from `count` samples of the resident set, exactly once",
    Layout((
        _u32("step", "number of the first of these steps"),
        _u8("flags", "1 digest after the last of them, 2 telemetry frame after this one"),
        _u8("reserved", "0"),
        _u16("count", "steps"),
        Field("eta", "f", "learning rate"),
        _u32("first", "sample of the first step, those after it follow; 0 with a tail"),
        _u32("digest_every", "digest after each step that completes a multiple, 0 none"),
    ), tail="empty, or count x u32 sample"),
    Layout((
        _u32("step", "number of the first of these steps"),
        _u8("flags", "as asked"),
        _u8("reserved", "0"),
        _u16("count", "steps that this tells of"),
        _u32("fold", "digest of the results of all these steps"),
        _u32("right", "steps whose largest output was the label's; 0 where no label is learned"),
    ), tail="f32 loss, u32 digest or 0, f32 outputs[n_out], u32 signal where a budget "
        "is held, of the last step"),
)  # fmt: skip

COMMIT = Message(
    "commit", 0x0B, "write a checkpoint of the state, exactly once a step",
    Layout((_u32("step", "number of the next step: what comes before is committed"),)),
    Layout((
        _u32("step", "as asked"),
        _u32("digest", "state digest"),
        _u32("sequence", "the checkpoint's number, in this flash"),
    )),
)  # fmt: skip

REHEARSE = Message(
    "rehearse", 0x0C, "learn from `count` samples of the rehearsal buffer, exactly once",
    Layout((
        _u32("step", "number of the first of these steps"),
        _u8("flags", "as of STEP, but for 8"),
        _u8("count", "slots that follow"),
        _u16("reserved", "0"),
        Field("eta", "f", "learning rate"),
    ), tail="count x u16 slot"),
    STEP.reply,
)  # fmt: skip

_CONDITION = Layout((
    _u32("number", "telemetry frames sent before this one since HELLO"),
    _u32("step", "next step the device expects, NEVER without a network"),
    _u64("instructions", "retired in the last STEP's learning, all its samples"),
    _u64("cycles", "taken by it, where the core counts them"),
    _u32("damaged", "frames dropped for a wrong CRC or length since boot"),
    _u32("overruns", "bytes lost to a full receive ring since boot"),
    _u32("stack", "bytes of stack ever used, 0 where not measured"),
    Field("threshold", "f", "of layer 1's gate in the last step, 0 without a gate"),
))  # fmt: skip

PING = Message(
    "ping",
    0x0D,
    "how the device is, at once: what telemetry tells",
    Layout(),
    _CONDITION,
)

PART = Message(
    "part", 0x0E, "bytes of a sample that is longer than a frame, put together in order",
    Layout((
        _u32("step", "that is to learn from the sample, NEVER: the next INFER's"),
        _u32("offset", "of the first of these bytes in the sample; 0 begins it"),
    ), tail="bytes"),
    Layout((
        _u32("step", "as asked"),
        _u32("offset", "as asked"),
    )),
)  # fmt: skip

TELEMETRY = Message(
    "telemetry", 0x40, "device to host, may be dropped", None, _CONDITION
)

FAULT = Message(
    "fault", 0x41, "device to host: it has trapped, or refused to go on",
    None,
    Layout((
        _u32("cause", "mcause, or 0x100 and above: ours"),
        _u32("step", "step that was being learned, NEVER outside one"),
        _u64("pc", "address of the instruction, 0 where not known"),
        _u64("address", "mtval: the faulting address, or an illegal instruction; "
            "the tensor's index for NON_FINITE; net_init's code, negated, for ARITHMETIC"),
    )),
)  # fmt: skip

MESSAGES = (
    HELLO,
    INIT,
    STEP,
    INFER,
    READ,
    WRITE,
    DIGEST,
    ECHO,
    LEAVE,
    STEP_RESIDENT,
    COMMIT,
    REHEARSE,
    PING,
    PART,
    TELEMETRY,
    FAULT,
)
"""Every message, by ascending kind."""

CHECKPOINT_MAGIC = 0x504B4348
"""b"HCKP"."""
CHECKPOINT_VERSION = 1
CHECKPOINT_LAST = 0xFFFF_FFFF
"""The last sequence number: it is read as any other, and none comes after it."""

CHECKPOINT = Layout((
    _u32("magic", "0x504b4348, the letters HCKP"),
    _u32("version", "1"),
    Field("identity", "s", "of network, rule, inputs, gates and limits: codegen/planning/checkpoint.py", 16),
    _u32("sequence", "one more than the checkpoint's before it; 0 is none, 0xffffffff the last"),
    _u32("run", "number of the run that wrote it"),
    _u32("step", "next step"),
    _u32("seed", "of the generator"),
    _u32("digest", "state digest"),
    _u32("size", "bytes of the state, which follows at the next multiple of the program size"),
    _u32("state_crc", "CRC-32 of the state"),
    _u32("crc", "CRC-32 of the fields before it"),
), tail="the state")  # fmt: skip
"""A checkpoint in flash, at the start of a slot (docs/reliability.md)."""
