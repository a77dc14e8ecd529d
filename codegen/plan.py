"""The plan: which kernels, which bytes, and whether it all fits.

A plan is made before anything is rendered or compiled; a plan that does not
fit is refused here (DESIGN section 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from codegen import bill as bills
from codegen import goals, kernels, protocol, rules, ways
from codegen.arena import Arena, arrange, survivors
from codegen.checkpoint import Slots, slots
from codegen.composer import Composer, Way
from codegen.cost import Shape
from codegen.errors import SpecError
from codegen.formats import need_fma
from codegen.program import Life, Op, Program, lives, ops
from codegen.resident import PLACE, Resident
from codegen.spec import Spec
from codegen.tensors import WORD, Tensor
from targets import Target, require_fma

BESIDE_THE_STEP = ("f32_uniform", "u32_digest")
"""Kernels that a network needs, and its learning steps do not."""
SMALLEST_PAYLOAD = 256
LARGEST_PAYLOAD = 65535
MOST_REHEARSED = 65535
"""Slots of a rehearsal buffer, at most: a u16 names one."""
UNKNOWN_VLENS = (128, 256, 512, 1024)
"""What a length-agnostic plan is made for: the best over all of these."""


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


class Linked(Protocol):
    """What there is to know of any image that answers on the line."""

    @property
    def target(self) -> Target:
        """What it is for."""

    @property
    def line(self) -> Line:
        """How long frames are, and how many may be in flight."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What the link can name."""


@dataclass(frozen=True)
class LinkPlan:
    """An image without a network: it answers HELLO, ECHO, PING and LEAVE. All that a
    target without float32 does, and what the runtime takes on any."""

    target: Target
    line: Line
    tensors: tuple[Tensor, ...] = ()

    @cached_property
    def bill(self) -> tuple[bills.Item, ...]:
        """The memory bill, row by row."""
        return bills.rows_alone(self.target, self.line)

    @property
    def ram(self) -> int:
        """Bytes of RAM, as the linker will count them."""
        return bills.ram(self.bill)


@dataclass(frozen=True)
class Choice:
    """Decisions that override the estimates: the way of layers by number, and
    the variants of kernels by layer and name."""

    ways: Mapping[int, str] = field(default_factory=dict)
    variants: Mapping[tuple[int, str], kernels.Variant] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A kernel that the step calls for one layer (0: for the network as a
    whole), the shape it is called with, and the variant that was chosen. `part`
    of the layer it is called in, where that is not the layer's own."""

    layer: int
    shape: Shape
    variant: kernels.Variant
    part: str = ""

    @property
    def key(self) -> str:
        """What names it within its layer: "kernel", or "part/kernel"."""
        kernel = self.variant.kernel.name
        return f"{self.part}/{kernel}" if self.part else kernel


@dataclass(frozen=True)
class Plan:
    """What will be built for one spec on one target.

    `vlen` is the VLEN in bits that the code is specialised for, None when it
    runs on any: `layers` says how each layer is computed, `program` what is done,
    `calls` by which kernels. `tensors` are those the link can name: `scratch` has
    others. `rehearsal` samples have room in
    the device's rehearsal buffer. `budget`: bytes of RAM allowed, besides the
    target's own. `debug` images check themselves.
    """

    spec: Spec
    rule: rules.Rule
    target: Target
    vlen: int | None
    layers: tuple[ways.Layer, ...]
    program: Program
    calls: tuple[Call, ...]
    tensors: tuple[Tensor, ...]
    arena: Arena
    line: Line
    resident: Resident | None = None
    rehearsal: int = 0
    budget: int | None = None
    debug: bool = False

    @property
    def vlens(self) -> tuple[int, ...]:
        """The VLENs that estimates are made for, empty without vectors."""
        return _vlens(self.target, self.vlen)

    def layer(self, number: int) -> ways.Layer:
        """Layer 1..L as it will be computed."""
        return self.layers[number - 1]

    def call(self, key: str, layer: int = 0) -> kernels.Variant:
        """The variant of the call `key` of a layer; raises `KeyError`."""
        for call in self.calls:
            if (call.layer, call.key) == (layer, key):
                return call.variant
        raise KeyError((key, layer))

    @property
    def step(self) -> tuple[Call, ...]:
        """The calls that an ordinary step comes to, each once."""
        come_to = {(o.layer, o.key) for o in ops(self.program.step, usual=True)}
        return tuple(c for c in self.calls if (c.layer, c.key) in come_to)

    def variant(self, one: Op) -> kernels.Variant:
        """What is called for an operation of the program."""
        return self.call(one.key, one.layer)

    @property
    def pending(self) -> tuple[Tensor, ...]:
        """What a step leaves for the next one to do."""
        return tuple(t for t in self.tensors if t.role == "pending")

    @property
    def scratch(self) -> tuple[Tensor, ...]:
        """What lies in the arena."""
        return self.program.tensors("scratch")

    @property
    def consts(self) -> tuple[Tensor, ...]:
        """What lies in the image."""
        return tuple(sorted(self.program.tensors("const"), key=lambda t: t.name))

    @property
    def readable(self) -> tuple[Tensor, ...]:
        """What the link can read when a step is over."""
        return tuple(t for t in self.tensors if not t.passed)

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name; raises `KeyError`."""
        for tensor in self.tensors:
            if tensor.name == name:
                return tensor
        raise KeyError(name)

    @property
    def signals(self) -> int:
        """Words of a step's result that tell what its controller saw."""
        return 1 if self.spec.gate.budget is not None else 0

    @property
    def state(self) -> tuple[Tensor, ...]:
        """Every tensor a step changes, in declared order."""
        return tuple(t for t in self.tensors if t.state)

    @property
    def slots(self) -> Slots:
        """How the target's flash is cut for checkpoints of the state."""
        return slots(self.target.flash, WORD * sum(t.words for t in self.state))

    @cached_property
    def bill(self) -> tuple[bills.Item, ...]:
        """The memory bill, row by row."""
        return bills.rows(self)

    @property
    def tape(self) -> int:
        """Bytes of scratch that hold activations past the forward pass, for
        the sake of learning."""
        return sum(tensor.words * WORD for tensor in self.program.tape())

    @property
    def ram(self) -> int:
        """Bytes of RAM, as the linker will count them."""
        return bills.ram(self.bill)


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()


def _encoded(body: int) -> int:
    """Longest COBS form of `body` bytes, with both delimiters."""
    return body + -(-body // 254) + 2


def _line(spec: Spec, window: int, samples: int, resident: Resident | None) -> Line:
    assert protocol.STEP.request and protocol.STEP.reply
    assert protocol.STEP_RESIDENT.request and protocol.STEP_RESIDENT.reply
    sample = goals.goal(spec).bytes(spec) + spec.sample_bytes
    result = 8 + WORD * (spec.network.n_out + (spec.gate.budget is not None))
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
    return _sized(window, samples, longest, reply)


def _sized(window: int, samples: int, payload: int, reply: int) -> Line:
    """The line for payloads, and replies that are kept, of so many bytes."""
    payload += -payload % 4
    body = protocol.HEADER.size + payload + protocol.CRC_BYTES
    return Line(
        window, samples, payload, reply + -reply % 4,
        _power_of_two(window * _encoded(body)),
    )  # fmt: skip


def link_plan(target: Target, window: int = 4) -> LinkPlan:
    """Plan an image without a network, with the shortest frames, `window` of which
    may be in flight."""
    return LinkPlan(target, _sized(window, 0, SMALLEST_PAYLOAD, 0))


def _state(composer: Composer, program: Program) -> tuple[Tensor, ...]:
    """Weights and biases, what the rule adds, the gates' thresholds; then what a step
    changes and nobody calls a weight."""
    found = []
    for n in range(1, composer.depth + 1):
        found += [composer.weights(n), composer.biases(n)]
    named = program.tensors("learned")
    found += [t for t in named if t not in found and t.name != "tau"]
    if composer.spec.gate.rows:
        found.append(composer.thresholds())
    return (*found, *program.tensors("dynamic"))


def _placed(
    program: Program,
    state: tuple[Tensor, ...],
    timeline: Mapping[Tensor, Life],
    arena: Arena,
) -> tuple[Tensor, ...]:
    """The tensors that the link can name: the state, then the scratch that the last
    step has left to be read, then what is pending, then scratch that can only be
    named as a fault's culprit."""
    scratch = [t for t in program.tensors("scratch") if not t.inner]
    left = survivors(timeline, arena)
    offsets = {name: start * WORD for name, start in arena.offsets.items()}
    for tensors in (state, program.tensors("pending")):
        start = 0
        for tensor in tensors:
            offsets[tensor.name] = start
            start += tensor.words * WORD
    found = (
        *state,
        *(t for t in scratch if t in left),
        *program.tensors("pending"),
        *(replace(t, passed=True) for t in scratch if t not in left),
    )
    return tuple(
        replace(t, index=n, offset=offsets[t.name]) for n, t in enumerate(found)
    )  # fmt: skip


def _calls(
    composer: Composer,
    program: Program,
    vlens: tuple[int, ...],
    told: Mapping[tuple[int, str], kernels.Variant],
) -> tuple[Call, ...]:
    """Every kernel that is called, layer by layer, and its best variant."""
    network = composer.network
    most = max(math.prod(network.shape(n)) for n in range(1, network.depth + 1))
    wanted: dict[tuple[int, str], tuple[Shape, str]] = {
        (0, name): (Shape(1, most), "") for name in BESIDE_THE_STEP
    }
    if composer.spec.clip.weights is not None:  # of what is drawn at first
        wanted[0, "f32_clip"] = Shape(1, network.n_out), ""
    for one in program.ops():
        made = wanted.setdefault((one.layer, one.key), (one.shape, one.purpose))
        assert made[0] == one.shape, f"{one.key} of layer {one.layer} has two shapes"

    def call(n: int, key: str, shape: Shape, part: str) -> Call:
        name = key.rpartition("/")[2]
        variant = told.get((n, key)) or kernels.best(name, vlens, shape)
        return Call(n, shape, variant, part)

    return tuple(call(n, key, *what) for (n, key), what in wanted.items())


def _vlens(target: Target, vlen: int | None) -> tuple[int, ...]:
    """What the kernels are chosen for."""
    if target.vector is None:
        return ()
    return UNKNOWN_VLENS if vlen is None else (vlen,)


def plan(
    spec: Spec,
    target: Target,
    *,
    vlen: int | None = None,
    schedule: str = "auto",
    density: float = 1.0,
    choice: Choice | None = None,
    window: int = 4,
    samples: int = 4,
    budget: int | None = None,
    resident: Resident | None = None,
    rehearsal: int = 0,
    debug: bool = False,
) -> Plan:
    """Plan `spec` on `target`.

    `vlen`: specialise for machines of at least this VLEN (bits), None for code
    that is as good as it can be on any; `schedule`: one of `ways.SCHEDULES`;
    `density`: share of the samples' elements that are not zero, 0..1; `choice`:
    what was measured and decided before, which overrides the estimates;
    `window`: STEPs in flight (1..64); `samples`: samples in one STEP at most
    (1..255); `budget`: bytes of RAM allowed, besides the target's own, for which
    the stack's reserve is made smaller if need be;
    `resident`: samples to be placed in the image; `rehearsal`: samples that the
    device can keep, to learn from them again (0..65535); `debug`: kernels check
    what they are called with, and nothing in the arena survives a step.

    Raises `OverBudget` when it does not fit, `SpecError` when the choice itself
    is impossible, `DescriptorError` for a target without float32.
    """
    for value, what, least, most in (
        (window, "window", 1, 64),
        (samples, "samples a frame", 1, 255),
        (rehearsal, "rehearsal", 0, MOST_REHEARSED),
    ):
        if not least <= value <= most:
            raise SpecError(f"{what} is {value}: expected {least} to {most}")
    rule = rules.get(spec.rule)
    rules.require_gates(rule, spec)
    choice = choice or Choice()
    vlen = None if target.vector is None else vlen
    vlens = _vlens(target, vlen)
    layers = ways.choose(spec, rule, vlens, schedule, density, choice.ways)
    chosen = [Way(layer.way, layer.shape.density) for layer in layers]
    composer = Composer(spec, rule.parameters, chosen, target.xlen)
    program = rule.declaration.program(composer)
    if need_fma(program.formats):
        require_fma(target)
    timeline = program.lives()
    arena = arrange(timeline, lives(program.look, program.results))
    tensors = _placed(program, _state(composer, program), timeline, arena)
    if resident is not None:
        resident.require(spec)
    line = _line(spec, window, samples, resident)
    made = Plan(
        spec, rule, target, vlen, layers, program,
        _calls(composer, program, vlens, choice.variants),
        tensors, arena, line, resident, rehearsal, budget, debug,
    )  # fmt: skip
    made = bills.fitted(made)
    bills.refuse_oversized_image(made)
    return made
