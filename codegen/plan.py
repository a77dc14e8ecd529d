"""The plan: which kernels, which bytes, and whether it all fits.

A plan is made before anything is rendered or compiled; a plan that does not
fit is refused here (DESIGN section 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from codegen import bill as bills
from codegen import kernels, protocol, rules, ways
from codegen.cost import Shape
from codegen.errors import SpecError
from codegen.memory import WORD, Arena, Const, Scratch, Timeline, arrange
from codegen.resident import PLACE, Resident
from codegen.spec import Spec
from targets import Target

OUTPUT_KERNELS = {
    "sigmoid": "f32_sigmoid_bce",
    "softmax": "f32_softmax_ce",
    "identity": "f32_identity_mse",
}
BESIDE_THE_STEP = ("f32_uniform", "u32_digest")
"""Kernels that a network needs, and its learning steps do not."""
SMALLEST_PAYLOAD = 256
LARGEST_PAYLOAD = 65535
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


@dataclass(frozen=True)
class Choice:
    """Decisions that override the estimates: the way of layers by number, and
    the variants of kernels by layer and name."""

    ways: Mapping[int, str] = field(default_factory=dict)
    variants: Mapping[tuple[int, str], kernels.Variant] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A kernel that the step calls for one layer (0: for the network as a
    whole), the shape it is called with, and the variant that was chosen."""

    layer: int
    shape: Shape
    variant: kernels.Variant


@dataclass(frozen=True)
class Plan:
    """What will be built for one spec on one target.

    `vlen` is the VLEN in bits that the code is specialised for, None when it
    runs on any: `layers` says how each layer is computed, `calls` by which
    kernels. `tensors` are those the link can name: `scratch` has others. `debug`
    images check themselves.
    """

    spec: Spec
    rule: rules.Rule
    target: Target
    vlen: int | None
    layers: tuple[ways.Layer, ...]
    calls: tuple[Call, ...]
    tensors: tuple[Tensor, ...]
    scratch: tuple[Scratch, ...]
    consts: tuple[Const, ...]
    arena: Arena
    line: Line
    resident: Resident | None = None
    debug: bool = False

    @property
    def vlens(self) -> tuple[int, ...]:
        """The VLENs that estimates are made for, empty without vectors."""
        return _vlens(self.target, self.vlen)

    def layer(self, number: int) -> ways.Layer:
        """Layer 1..L as it will be computed."""
        return self.layers[number - 1]

    def call(self, kernel: str, layer: int = 0) -> kernels.Variant:
        """The variant of `kernel` that is called for a layer; raises `KeyError`."""
        for call in self.calls:
            if (call.layer, call.variant.kernel.name) == (layer, kernel):
                return call.variant
        raise KeyError((kernel, layer))

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
            if (call.layer, call.variant.kernel.name) not in idle
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
    def state(self) -> tuple[Tensor, ...]:
        """Every tensor a step changes, in declared order."""
        return tuple(t for t in self.tensors if t.kind == "state")

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
        n, n_in = layer.number, layer.shape.n_in
        if layer.listed:
            pointer = xlen // (8 * WORD)
            alive = (time.forward(n), time.update)
            for item in (
                Scratch(
                    f"rows{n}",
                    (n_in * pointer,),
                    *alive,
                    align=pointer,
                    inner=True,
                    c_type="float *",
                ),
                Scratch(f"values{n}", (n_in,), *alive, inner=True),
            ):
                found[item.name] = item
        if layer.fused:
            pending.append(Scratch(f"s{n}", (n_in,), 0, time.update))
            pending.append(found.pop(_delta(network.depth, n)))
    return tuple(found.values()), tuple(pending)


def _tensors(
    spec: Spec, scratch: tuple[Scratch, ...], pending: tuple[Scratch, ...], arena: Arena
) -> tuple[Tensor, ...]:
    network = spec.network
    found: list[Tensor] = []

    def add(name: str, shape: tuple[int, ...], kind: str, at: int) -> int:
        found.append(Tensor(len(found), name, shape, kind, at))
        return found[-1].words * WORD

    offset = 0
    for layer in range(1, network.depth + 1):
        offset += add(f"W{layer}", network.shape(layer), "state", offset)
        offset += add(f"b{layer}", network.shape(layer)[1:], "state", offset)
    for item in scratch:
        if not item.inner:
            add(item.name, item.shape, "scratch", arena.offsets[item.name] * WORD)
    offset = 0
    for item in pending:
        offset += add(item.name, item.shape, "pending", offset)
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
        (0, OUTPUT_KERNELS[network.output]): Shape(1, network.n_out),
        (0, "f32_uniform"): Shape(1, most),
        (0, "u32_digest"): Shape(1, most),
    }
    if spec.inputs.dtype == "f32" and layers[0].number == 1:
        wanted[1, "f32_all_finite"] = Shape(1, network.n_in)
    for layer in layers:
        n = layer.number
        for name, shape in ways.calls(spec, n, layer.way, layer.shape).items():
            wanted[n, name] = shape
        if n == network.depth:
            continue
        across = Shape(1, network.layers[n])
        if network.activation == "identity":
            wanted[n, "f32_all_finite"] = across
        else:
            wanted[n, f"f32_{network.activation}"] = across
            wanted[n, f"f32_{network.activation}_grad"] = across
        for name, shape in rule.declaration.calls(network, rule.parameters, n):
            wanted[n, name] = shape
    return tuple(
        Call(n, shape, told.get((n, name)) or kernels.best(name, vlens, shape))
        for (n, name), shape in wanted.items()
    )


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
    debug: bool = False,
) -> Plan:
    """Plan `spec` on `target`.

    `vlen`: specialise for machines of at least this VLEN (bits), None for code
    that is as good as it can be on any; `schedule`: one of `ways.SCHEDULES`;
    `density`: share of the samples' elements that are not zero, 0..1; `choice`:
    what was measured and decided before, which overrides the estimates;
    `window`: STEPs in flight (1..64); `samples`: samples in one STEP at most
    (1..255); `budget`: bytes of RAM allowed, besides the target's own;
    `resident`: samples to be placed in the image; `debug`: kernels check what
    they are called with, and nothing in the arena survives a step.

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
    choice = choice or Choice()
    vlen = None if target.vector is None else vlen
    vlens = _vlens(target, vlen)
    layers = ways.choose(spec, vlens, schedule, density, choice.ways)
    scratch, pending = _scratch(spec, rule, layers, target.xlen)
    arena = arrange(scratch)
    tensors = _tensors(spec, scratch, pending, arena)
    consts = rule.declaration.const(spec, rule.parameters)
    if resident is not None:
        resident.require(spec)
    line = _line(spec, window, samples, resident)
    made = Plan(
        spec, rule, target, vlen, layers,
        _calls(spec, rule, layers, vlens, choice.variants),
        tensors, scratch, consts, arena, line, resident, debug,
    )  # fmt: skip
    bills.refuse_over_budget(made, budget)
    bills.refuse_oversized_image(made)
    return made
