"""What a plan holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from codegen import kernels, rules
from codegen.budget import Item
from codegen.errors import SpecError
from codegen.formats import U32
from codegen.kernels.cost import Shape
from codegen.lowering import GraphProgram
from codegen.planning import bill as bills
from codegen.planning import ways
from codegen.planning.arena import Arena
from codegen.planning.checkpoint import Slots, slots
from codegen.planning.line import Line
from codegen.planning.resident import Resident
from codegen.program import Op, Program, ops
from codegen.spec import Spec
from codegen.tensors import WORD, Tensor
from targets import Target

UNKNOWN_VLENS = (128, 256, 512, 1024)
"""What a length-agnostic plan is made for: the best over all of these."""


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
    def bill(self) -> tuple[Item, ...]:
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
    target's own. `debug` images check themselves. `core`:
    whose cycles have decided, None where instructions have. `front`: what a frozen
    front does; `latent`: its features are kept to be rehearsed, not samples.
    `chunk`: samples come in parts of so many bytes at most; None: whole.
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
    core: str | None = None
    front: GraphProgram | None = None
    latent: bool = False
    chunk: int | None = None

    @property
    def subject(self) -> str:
        """What needs all this, as sentences call it."""
        return f"network {self.spec.network} with rule {self.rule.name}"

    @property
    def mends(self) -> Mapping[str, str]:
        """What makes items of a kind smaller."""
        narrower = dict.fromkeys(("state", "scratch", "pending"), "narrower layers")
        return {
            **narrower,
            "link": "shorter queues on the line (--window 1, --samples-per-frame 1)",
            "rehearsal": "fewer samples for --rehearsal",
        }

    @property
    def vlens(self) -> tuple[int, ...]:
        """The VLENs that estimates are made for, empty without vectors."""
        return vlens_of(self.target, self.vlen, self.core)

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
    def drawn(self) -> tuple[Tensor, ...]:
        """Random words that are kept between steps."""
        return self.program.tensors("drawn")

    @property
    def scratch(self) -> tuple[Tensor, ...]:
        """What lies in the arena."""
        return self.program.tensors("scratch")

    @property
    def consts(self) -> tuple[Tensor, ...]:
        """What lies in the image."""
        held = self.front.constants if self.front is not None else ()
        there = dict.fromkeys((*self.program.tensors("const"), *held))
        return tuple(sorted(there, key=lambda t: t.name))

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
    def bill(self) -> tuple[Item, ...]:
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


def beside_the_step(spec: Spec) -> tuple[str, str]:
    """Kernels that a network needs, and its learning steps do not."""
    drawn = kernels.find("uniform", spec.numbers.weight)
    return drawn.name, kernels.find("digest", U32).name


def vlens_of(
    target: Target, vlen: int | None, core: str | None = None
) -> tuple[int, ...]:
    """What the kernels are chosen for; code for any VLEN that is to be fast on a core
    is chosen for that core's. Raises `SpecError` where `core` has another VLEN."""
    if target.vector is None:
        return ()
    if core is None:
        return UNKNOWN_VLENS if vlen is None else (vlen,)
    own = kernels.core(core).vlen
    if vlen not in (None, own):
        raise SpecError(
            f"core {core!r} has vector registers of {own} bits, but the code is for "
            f"VLEN {vlen}: expected VLEN {own}"
        )
    return (own,)


def width_of(target: Target, vlen: int | None, core: str | None) -> int:
    """Bits of a vector register that constants are laid out for, right for others too;
    0 without vectors."""
    if target.vector is None:
        return 0
    if vlen is None and core is None:
        return target.vector.default
    return max(vlens_of(target, vlen, core))
