"""The plan: which kernels, which bytes, and whether it all fits.

A plan is made before anything is rendered or compiled; a plan that does not
fit is refused here (DESIGN section 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codegen import kernels, protocol, rules
from codegen.errors import OverBudget, SpecError
from codegen.memory import WORD, Arena, Const, arrange
from codegen.resident import PLACE, Resident
from codegen.spec import Spec
from targets import Target

INPUT_KERNELS = {"u8": "u8_to_f32", "i16": "i16_to_f32", "f32": "f32_scale"}
OUTPUT_KERNELS = {
    "sigmoid": "f32_sigmoid_bce",
    "softmax": "f32_softmax_ce",
    "identity": "f32_identity_mse",
}
SMALLEST_PAYLOAD = 256
LARGEST_PAYLOAD = 65535
CODE = 64 << 10
"""Bytes set aside for code where a resident set shares its memory. Images have 10
to 35 KB of it; the linker has the last word."""


@dataclass(frozen=True)
class Tensor:
    """A tensor the link can name: its index is its place in `Plan.tensors`."""

    index: int
    name: str
    shape: tuple[int, ...]
    kind: str
    offset: int

    @property
    def words(self) -> int:
        """Elements, 32 bits each."""
        count = 1
        for width in self.shape:
            count *= width
        return count

    @property
    def writable(self) -> bool:
        """Whether the link may write it: state yes, scratch no."""
        return self.kind == "state"


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


@dataclass(frozen=True)
class Item:
    """A row of the memory bill."""

    name: str
    bytes: int
    kind: str


@dataclass(frozen=True)
class Plan:
    """What will be built for one spec on one target."""

    spec: Spec
    rule: rules.Rule
    target: Target
    tensors: tuple[Tensor, ...]
    consts: tuple[Const, ...]
    arena: Arena
    line: Line
    variants: Mapping[str, kernels.Variant]
    bill: tuple[Item, ...]
    resident: Resident | None = None

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name; raises `KeyError`."""
        for tensor in self.tensors:
            if tensor.name == name:
                return tensor
        raise KeyError(name)

    @property
    def state(self) -> tuple[Tensor, ...]:
        """Every tensor a step changes, in declared order."""
        return tuple(t for t in self.tensors if t.kind == "state")

    @property
    def tape(self) -> int:
        """Bytes of scratch that hold activations past the forward pass, for
        the sake of learning."""
        scratch = self.rule.declaration.scratch(self.spec.network)
        return sum(item.words * WORD for item in scratch if item.tape)

    @property
    def ram(self) -> int:
        """Bytes of RAM: state, scratch, link buffers, stack."""
        return sum(item.bytes for item in self.bill if item.kind != "const")


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()


def _encoded(body: int) -> int:
    """Longest COBS form of `body` bytes, with both delimiters."""
    return body + -(-body // 254) + 2


def _line(spec: Spec, window: int, samples: int, resident: Resident | None) -> Line:
    assert protocol.STEP.request and protocol.STEP.reply
    assert protocol.STEP_RESIDENT.request and protocol.STEP_RESIDENT.reply
    sample = 2 + spec.network.n_in * spec.inputs.size
    result = 8 + WORD * spec.network.n_out
    payload = max(SMALLEST_PAYLOAD, protocol.STEP.request.size + samples * sample)
    reply = max(SMALLEST_PAYLOAD, protocol.STEP.reply.size + samples * result)
    if resident is not None:
        places = protocol.STEP_RESIDENT.request.size + resident.thin * PLACE
        payload = max(payload, places)
        reply = max(reply, protocol.STEP_RESIDENT.reply.size + result)
    longest = max(payload, reply)
    if longest > LARGEST_PAYLOAD:
        raise SpecError(
            f"a frame of {samples} samples of network {spec.network} has "
            f"{longest} bytes: expected at most {LARGEST_PAYLOAD}",
            "fewer samples in a frame (--samples-per-frame) make it shorter",
        )
    longest += -longest % 4
    body = protocol.HEADER.size + longest + protocol.CRC_BYTES
    return Line(
        window, samples, longest, reply + -reply % 4,
        _power_of_two(window * _encoded(body)),
    )  # fmt: skip


def _tensors(spec: Spec, rule: rules.Rule) -> tuple[tuple[Tensor, ...], Arena]:
    network = spec.network
    found: list[Tensor] = []
    offset = 0

    def add(name: str, shape: tuple[int, ...], kind: str, at: int) -> int:
        found.append(Tensor(len(found), name, shape, kind, at))
        return found[-1].words * WORD

    for layer in range(1, network.depth + 1):
        offset += add(f"W{layer}", network.shape(layer), "state", offset)
        offset += add(f"b{layer}", network.shape(layer)[1:], "state", offset)
    scratch = rule.declaration.scratch(network)
    arena = arrange(scratch)
    for item in scratch:
        add(item.name, item.shape, "scratch", arena.offsets[item.name] * WORD)
    return tuple(found), arena


def _kernel_names(spec: Spec, rule: rules.Rule) -> tuple[str, ...]:
    network = spec.network
    names = [
        INPUT_KERNELS[spec.inputs.dtype],
        "f32_dense_forward",
        "f32_all_finite",
        OUTPUT_KERNELS[network.output],
        "f32_uniform",
        "u32_digest",
    ]
    if network.depth > 1 and network.activation != "identity":
        names += [f"f32_{network.activation}", f"f32_{network.activation}_grad"]
    names += rule.declaration.kernels(network, rule.parameters)
    return tuple(sorted(names))


def _bill(
    tensors: tuple[Tensor, ...],
    consts: tuple[Const, ...],
    arena: Arena,
    line: Line,
    target: Target,
    resident: Resident | None,
) -> tuple[Item, ...]:
    rows = [Item(t.name, t.words * WORD, "state") for t in tensors if t.writable]
    rows += [Item(c.name, c.words * WORD, "const") for c in consts]
    if resident is not None:
        rows.append(Item("resident samples", len(resident.samples), "const"))
        rows.append(Item("resident labels", len(resident.labels), "const"))
    rows += [
        Item("scratch arena", arena.words * WORD, "scratch"),
        Item("receive ring", line.ring, "link"),
        Item("frame buffers", 2 * line.frame, "link"),
        Item("kept replies", line.window * (line.reply + 24), "link"),
    ]
    if target.memory:
        rows.append(Item("stack", target.memory.stack, "stack"))
    return tuple(rows)


def _refuse_over_budget(made: Plan, budget: int | None) -> None:
    limits = [(budget, "the budget")]
    if made.target.memory:
        limits.append((made.target.memory.usable, f"target {made.target.name}"))
    known = [(limit, whose) for limit, whose in limits if limit is not None]
    if not known:
        return
    limit, whose = min(known)
    if made.ram <= limit:
        return
    largest = sorted(
        (item for item in made.bill if item.kind != "const"),
        key=lambda item: -item.bytes,
    )[:3]
    raise OverBudget(
        f"network {made.spec.network} with rule {made.rule.name} needs "
        f"{made.ram:,} bytes of RAM, but {whose} has {limit:,}",
        "largest: " + ", ".join(f"{i.name} {i.bytes:,} bytes" for i in largest),
        "make layers narrower, or put fewer samples in a frame",
    )


def _refuse_oversized_image(made: Plan) -> None:
    """Constants lie in the target's RAM too, beside all that `ram` counts."""
    memory, resident = made.target.memory, made.resident
    if memory is None or resident is None:
        return
    taken = len(resident.samples) + len(resident.labels)
    consts = sum(item.bytes for item in made.bill if item.kind == "const")
    room = memory.usable - CODE - made.ram - (consts - taken)
    if taken <= room:
        return
    room = max(0, room)
    fitting = room // (taken // resident.count)
    some = f"--resident {fitting} places as many, and the line carries the others"
    raise OverBudget(
        f"a resident set of {resident.count:,} samples needs {taken:,} bytes, but "
        f"target {made.target.name} has {room:,} left for it: {fitting:,} fit",
        some if fitting else "without --resident the line carries every sample",
    )


def plan(
    spec: Spec,
    target: Target,
    *,
    window: int = 4,
    samples: int = 4,
    budget: int | None = None,
    resident: Resident | None = None,
) -> Plan:
    """Plan `spec` on `target`.

    `window`: STEPs in flight (1..64); `samples`: samples in one STEP at most
    (1..255); `budget`: bytes of RAM allowed, besides the target's own;
    `resident`: samples to be placed in the image.

    Raises `OverBudget` when it does not fit, `SpecError` when the choice itself
    is impossible.
    """
    for value, what, most in (
        (window, "window", 64),
        (samples, "samples a frame", 255),
    ):
        if not 1 <= value <= most:
            raise SpecError(f"{what} is {value}: expected 1 to {most}")
    rule = rules.get(spec.rule)
    tensors, arena = _tensors(spec, rule)
    consts = rule.declaration.const(spec, rule.parameters)
    if resident is not None:
        resident.require(spec)
    line = _line(spec, window, samples, resident)
    chosen = {
        name: kernels.variant(name, target.vector is not None)
        for name in _kernel_names(spec, rule)
    }
    made = Plan(
        spec, rule, target, tensors, consts, arena, line, chosen,
        _bill(tensors, consts, arena, line, target, resident), resident,
    )  # fmt: skip
    _refuse_over_budget(made, budget)
    _refuse_oversized_image(made)
    return made
