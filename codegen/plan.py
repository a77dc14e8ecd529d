"""The plan: which kernels, which bytes, and whether it all fits.

A plan is made before anything is rendered or compiled; a plan that does not
fit is refused here (DESIGN section 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from codegen import bill as bills
from codegen import kernels, protocol, rules, streams, ways
from codegen.checkpoint import Slots, slots
from codegen.cost import Shape
from codegen.errors import SpecError
from codegen.memory import WORD, Arena, Const, Scratch, State, Timeline, arrange
from codegen.resident import PLACE, Resident
from codegen.spec import Network, Spec
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
    runs on any: `layers` says how each layer is computed, `calls` by which
    kernels. `tensors` are those the link can name: `scratch` has others.
    `states` say what the state holds at first. `rehearsal` samples have room in
    the device's rehearsal buffer. `budget`: bytes of RAM allowed, besides the
    target's own. `debug` images check themselves.
    """

    spec: Spec
    rule: rules.Rule
    target: Target
    vlen: int | None
    layers: tuple[ways.Layer, ...]
    calls: tuple[Call, ...]
    tensors: tuple[Tensor, ...]
    scratch: tuple[Scratch, ...]
    states: tuple[State, ...]
    consts: tuple[Const, ...]
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
        idle = {
            (layer.number, kernel)
            for layer in self.layers
            for kernel in ways.idle(layer.way, layer.shape)
        }
        return tuple(
            call
            for call in self.calls
            if (call.layer, call.key) not in idle
            and call.variant.kernel.name not in BESIDE_THE_STEP
        )

    @property
    def converts(self) -> bool:
        """Whether samples become a dense vector x."""
        return ways.converts(self.spec, self.layer(1).way)

    @property
    def pending(self) -> tuple[Tensor, ...]:
        """What a fused layer keeps from one step to the next."""
        return tuple(t for t in self.tensors if t.kind == "pending")

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
        return tuple(t for t in self.tensors if t.kind == "state")

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
        scratch = self.rule.declaration.scratch(self.spec.network, self.rule.parameters)
        return sum(item.words * WORD for item in scratch if item.tape)

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
    sample = 2 + spec.sample_bytes
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


def _delta(network_depth: int, layer: int) -> str:
    """Name of a layer's delta: the output's is the error."""
    return "e" if layer == network_depth else f"d{layer}"


def _scratch(
    spec: Spec, rule: rules.Rule, layers: tuple[ways.Layer, ...], xlen: int
) -> tuple[tuple[Scratch, ...], tuple[Scratch, ...]]:
    """The scratch of a step, and what outlives it pending: a listed layer keeps
    its list instead of a dense input, a fused one s and its delta."""
    network = spec.network
    time = Timeline(network)
    found = {s.name: s for s in rule.declaration.scratch(network, rule.parameters)}
    pending = []
    if not ways.converts(spec, layers[0].way):
        del found["x"]
    for layer in layers:
        n = layer.number
        passing = rule.declaration.in_passing and n < network.depth
        updated = time.passing(n) if passing else time.update
        if layer.lists:
            born = time.forward(n) if layer.listed else updated
            alive = born, updated if layer.learns else born
            found |= {s.name: s for s in _list(n, layer.shape.n_in, xlen, *alive)}
        if layer.gated and spec.gate.masked:
            most = Scratch(f"m{n}", (layer.shape.n_out,), updated, updated, inner=True)
            found[most.name] = most
        if layer.fused:
            pending.append(Scratch(f"s{n}", (layer.shape.n_in,), 0, time.update))
            pending.append(found.pop(_delta(network.depth, n)))
    return tuple(found.values()), tuple(pending)


def _list(
    n: int, n_in: int, xlen: int, born: int, dies: int
) -> tuple[Scratch, Scratch]:
    """The list of layer n: pointers to rows, and values."""
    pointer = xlen // (8 * WORD)
    rows = Scratch(
        f"rows{n}", (n_in * pointer,), born, dies, align=pointer, inner=True,
        c_type="float *",
    )  # fmt: skip
    return rows, Scratch(f"values{n}", (n_in,), born, dies, inner=True)


def initial_limit(network: Network, layer: int) -> float:
    """Bound of a layer's uniform initial weights, to be rounded to binary32
    (Glorot and Bengio 2010; He et al. 2015 for relu; docs/rules.md)."""
    n_in, n_out = network.shape(layer)
    hidden_relu = network.activation == "relu" and layer < network.depth
    return math.sqrt(6 / n_in) if hidden_relu else math.sqrt(6 / (n_in + n_out))


def _consts(spec: Spec, rule: rules.Rule) -> tuple[Const, ...]:
    """What the rule fixes, and the constants that standardise features."""
    found, window = rule.declaration.const(spec, rule.parameters), spec.inputs.window
    if window is None:
        return found
    return (*found, Const("window", (2, window.features), window.constants))


def _states(spec: Spec, rule: rules.Rule) -> tuple[State, ...]:
    """Weights and biases, what the rule adds, the gates' thresholds."""
    network = spec.network
    found: list[State] = []
    for n in range(1, network.depth + 1):
        limit = initial_limit(network, n)
        found.append(State(f"W{n}", network.shape(n), streams.weights(n), limit))
        found.append(State(f"b{n}", network.shape(n)[1:]))
    found += rule.declaration.state(network, rule.parameters)
    if spec.gate.rows:
        found.append(State("tau", (len(spec.gated),), fill=spec.gate.threshold))
    return tuple(found)


def _readable(tensor: Scratch, scratch: tuple[Scratch, ...], arena: Arena) -> bool:
    """Whether a scratch tensor still lies in the arena when its step is over."""
    start = arena.offsets[tensor.name]
    return not tensor.inner and not any(
        other.born > tensor.dies
        and arena.offsets[other.name] < start + tensor.words
        and start < arena.offsets[other.name] + other.words
        for other in scratch
    )


def _tensors(
    states: tuple[State, ...],
    scratch: tuple[Scratch, ...],
    pending: tuple[Scratch, ...],
    arena: Arena,
) -> tuple[Tensor, ...]:
    """The state, then the scratch that the last step has left to be read, then
    what is pending, then scratch that can only be named as a fault's culprit."""
    found: list[Tensor] = []

    def add(name: str, shape: tuple[int, ...], kind: str, at: int) -> int:
        found.append(Tensor(len(found), name, shape, kind, at))
        return found[-1].words * WORD

    offset = 0
    for state in states:
        offset += add(state.name, state.shape, "state", offset)
    for item in scratch:
        if _readable(item, scratch, arena):
            add(item.name, item.shape, "scratch", arena.offsets[item.name] * WORD)
    offset = 0
    for item in pending:
        offset += add(item.name, item.shape, "pending", offset)
    for item in scratch:
        if not item.inner and not _readable(item, scratch, arena):
            add(item.name, item.shape, "passed", arena.offsets[item.name] * WORD)
    return tuple(found)


def _calls(
    spec: Spec,
    rule: rules.Rule,
    layers: tuple[ways.Layer, ...],
    vlens: tuple[int, ...],
    told: Mapping[tuple[int, str], kernels.Variant],
) -> tuple[Call, ...]:
    """Every kernel of the step, layer by layer, and its best variant."""
    network = spec.network
    most = max(
        network.shape(n)[0] * network.shape(n)[1] for n in range(1, network.depth + 1)
    )
    wanted: dict[tuple[int, str], Shape] = {
        (0, ways.OUTPUT_KERNELS[network.output]): Shape(1, network.n_out),
        (0, "f32_uniform"): Shape(1, most),
        (0, "u32_digest"): Shape(1, most),
    }
    if spec.gate.budget is not None:
        wanted[0, "f32_controlled"] = Shape(1, 1)
    if spec.gate.error:
        wanted[0, "f32_max_abs"] = Shape(1, network.n_out)
    if spec.clip.error is not None or spec.clip.weights is not None:
        wanted[0, "f32_clip"] = Shape(1, network.n_out)
    if spec.inputs.dtype == "f32" and layers[0].number == 1:
        wanted[1, "f32_all_finite"] = Shape(1, network.n_in)
    for layer in layers:
        n = layer.number
        for name, shape in ways.calls(
            spec, n, layer.way, layer.shape, layer.learns
        ).items():
            wanted[n, name] = shape
        for name, shape in rule.declaration.calls(network, rule.parameters, n):
            wanted[n, name] = shape
        if n == network.depth:
            continue
        across = Shape(1, network.layers[n])
        if network.activation == "identity":
            wanted[n, "f32_all_finite"] = across
        else:
            wanted[n, f"f32_{network.activation}"] = across

    def call(n: int, key: str, shape: Shape) -> Call:
        part, _, name = key.rpartition("/")
        variant = told.get((n, key)) or kernels.best(name, vlens, shape)
        return Call(n, shape, variant, part)

    return tuple(call(n, key, shape) for (n, key), shape in wanted.items())


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
    require_fma(target)
    rule = rules.get(spec.rule)
    rules.require_gates(rule, spec)
    choice = choice or Choice()
    vlen = None if target.vector is None else vlen
    vlens = _vlens(target, vlen)
    learning = rule.declaration.updates(spec.network)
    layers = ways.choose(
        spec, vlens, learning, schedule, density, choice.ways,
        dense_input=rule.declaration.dense_input,
    )  # fmt: skip
    scratch, pending = _scratch(spec, rule, layers, target.xlen)
    arena = arrange(scratch)
    states = _states(spec, rule)
    tensors = _tensors(states, scratch, pending, arena)
    consts = _consts(spec, rule)
    if resident is not None:
        resident.require(spec)
    line = _line(spec, window, samples, resident)
    made = Plan(
        spec, rule, target, vlen, layers,
        _calls(spec, rule, layers, vlens, choice.variants),
        tensors, scratch, states, consts, arena, line, resident, rehearsal, budget, debug,
    )  # fmt: skip
    made = bills.fitted(made)
    bills.refuse_oversized_image(made)
    return made
