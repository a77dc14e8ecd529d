"""What is to be learned, and by which rule: the value every other part of
codegen starts from.

A `Spec` holds nothing about machines. Together with a `targets.Target` it
makes a plan (`codegen.planning.plan`), and alone it makes the numpy reference
(`codegen.reference`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from codegen.errors import SpecError
from codegen.formats import FORMATS, Format
from codegen.front import Front
from codegen.frozen import Frozen
from codegen.numbers import NUMBERS, Numbers
from codegen.raster import TYPES, Raster, require_format
from codegen.scaler import LARGEST_OF_INTEGERS, Scaler
from codegen.window import Window

ACTIVATIONS = ("tanh", "sigmoid", "relu", "identity")
HARD_TANH = "hard-tanh"
"""Clipped lines: an activation of the integer formats."""
OUTPUTS = ("sigmoid", "softmax", "identity")
GOALS = ("label", "vector", "sample")
UPDATES = ("rank-1", "momentum")
GATES = ("none", "element", "row", "block")
COUNTERS = ("instructions", "cycles")
INPUT_TYPES = ("u8", "i16", "f32", *TYPES)
"""Formats of a sample's elements; the last are of spikes in time."""


def _one_of(value: str, what: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SpecError(f"unknown {what} {value!r}: expected one of {', '.join(known)}")


@dataclass(frozen=True)
class Network:
    """A multi-layer perceptron.

    `layers` are the widths from input to output, e.g. (64, 128, 64, 10).
    `activation` is phi of every hidden layer; `output` names the output
    non-linearity together with its loss, chosen so that the error is
    e = p - t in all three: "sigmoid" (binary cross-entropy), "softmax"
    (cross-entropy), "identity" (half the squared error).

    Raises `SpecError` when it is no such network.
    """

    layers: tuple[int, ...]
    activation: str = "tanh"
    output: str = "sigmoid"

    def __post_init__(self) -> None:
        if len(self.layers) < 2:
            raise SpecError(
                f"network {self} has no layer: expected at least two widths, "
                "such as 64-10"
            )
        for width in self.layers:
            if not 1 <= width <= 65535:
                raise SpecError(
                    f"network {self} has a layer of width {width}: expected 1 to 65535"
                )
        _one_of(self.activation, "activation", (*ACTIVATIONS, HARD_TANH))
        _one_of(self.output, "output", OUTPUTS)

    def __str__(self) -> str:
        return "-".join(str(width) for width in self.layers)

    @property
    def n_in(self) -> int:
        """Width of the input."""
        return self.layers[0]

    @property
    def n_out(self) -> int:
        """Width of the output."""
        return self.layers[-1]

    @property
    def depth(self) -> int:
        """Number of weight layers, L; they are numbered 1..L."""
        return len(self.layers) - 1

    def shape(self, layer: int) -> tuple[int, int]:
        """(n_in, n_out) of weight layer 1..L: how W lies in memory."""
        return self.layers[layer - 1], self.layers[layer]


@dataclass(frozen=True)
class Inputs:
    """How a sample travels: `x = fl(v / scale)`, one rounded division. A `scaler`
    has an offset and a divisor for each element instead, of a `window` of i16 the
    device computes features, and another `front` makes of a sample what it declares;
    with any of them, `scale` is 1. A `frozen` front is given v / scale."""

    dtype: str = "u8"
    scale: float = 16.0
    window: Window | None = None
    scaler: Scaler | None = None
    front: Front | None = None
    frozen: Frozen | None = None

    def __post_init__(self) -> None:
        _one_of(self.dtype, "input type", INPUT_TYPES)
        if self.frozen is not None and (self.window or self.scaler or self.front):
            raise SpecError(
                "a frozen model and another front: expected one of them, for each makes "
                "what the network sees",
                "data without window, offset and divisor give a model its readings as they "
                "are, as in `hil demo personal-front`",
            )
        if not 0 < self.scale < 3e38:
            raise SpecError(f"input scale {self.scale!r} is not a positive number")
        if self.window is not None and (self.dtype, self.scale) != ("i16", 1.0):
            raise SpecError(
                f"a window of {self.dtype} divided by {self.scale:g}: expected i16 and "
                "scale 1, its features are standardised by constants of their own"
            )
        if self.scaler is not None:
            self._require_scaler(self.scaler)
        require_format(self.raster, self.format)
        if self.front is not None:
            self._require_alone(self.front)
            if self.front.integer and self.format.floating:
                raise SpecError(
                    f"front {self.front.made_by} with samples of {self.dtype}: expected "
                    "integers, for it computes with nothing else"
                )

    def _require_scaler(self, scaler: Scaler) -> None:
        if self.window is not None:
            raise SpecError(
                "a window and a scaler: expected one of them, for a window's features "
                "are standardised by constants of their own"
            )
        if self.scale != 1.0:
            raise SpecError(f"a scaler and scale {self.scale:g}: expected scale 1")
        if self.format.floating:
            return
        scaler.require_within(LARGEST_OF_INTEGERS)

    def _require_alone(self, front: Front) -> None:
        if self.window is not None or self.scaler is not None or self.scale != 1.0:
            raise SpecError(
                f"front {front.made_by} with a window, a scaler or scale {self.scale:g}: "
                "expected it alone, for it has constants of its own"
            )

    def __str__(self) -> str:
        if self.raster is not None:
            return str(self.raster)
        window = "" if self.window is None else f" windows of {self.window}"
        scaled = "" if self.scaler is None else "scaled "
        front = "" if self.front is None else f" samples by {self.front}"
        frozen = "" if self.frozen is None else " samples behind a front"
        return f"{scaled}{self.dtype}{window}{front}{frozen}"

    @property
    def declared(self) -> Front | None:
        """What makes the network's input, where that is more than a division."""
        return self.window or self.scaler or self.front or self.frozen

    @property
    def raster(self) -> Raster | None:
        """The spikes that a sample is, where it is none of numbers."""
        return self.front if isinstance(self.front, Raster) else None

    @property
    def what(self) -> str:
        """The samples and what becomes of them, for people."""
        if self.window is not None:
            return f"{self} by features"
        if self.front is not None or self.frozen is not None:
            return str(self)
        return f"{self} samples" + ("" if self.scaler else f" / {self.scale:g}")

    @property
    def format(self) -> Format:
        """What an element is."""
        return FORMATS[self.dtype]

    @property
    def size(self) -> int:
        """Bytes of one element on the line."""
        return self.format.bits // 8

    @property
    def fixed(self) -> bool:
        """Whether constants of the image fix how many elements a sample has."""
        return self.declared is not None

    @property
    def integer(self) -> bool:
        """Whether what the network sees is an integer divided: then layer 1 may
        list the sample's elements as they come."""
        return self.dtype != "f32" and self.declared is None

    @property
    def finite(self) -> bool:
        """Whether what the network sees is finite, whatever a sample holds."""
        if self.frozen is not None:
            return not self.frozen.floating
        return self.dtype != "f32"

    @property
    def floatless(self) -> bool:
        """Whether integers come to the network without a float on the way."""
        if self.frozen is not None:
            whole = self.frozen.integer and not self.frozen.wide
            return self.dtype != "f32" and whole
        if self.scaler is not None:
            return self.dtype != "f32"
        return self.integer or (self.declared is not None and self.declared.integer)


@dataclass(frozen=True)
class RuleChoice:
    """A learning rule by name, with the parameters that differ from its
    defaults; `codegen.rules.get` checks both."""

    name: str = "dfa"
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Gate:
    """Which updates are left out (docs/gates.md).

    `kind`: what is tested against a layer's threshold tau: each "element" of an
    update, each "block" of 8 in a row, each "row" (an input), or nothing.
    `threshold`: tau at first. A controller moves it: so that a share `active` of
    a layer's rows, or elements, is changed, or so that a step takes `budget`
    instructions or cycles of `counter`; with neither tau stays.
    `error`: no update at all while every |e| is smaller; 0 for no such gate.
    """

    kind: str = "none"
    threshold: float = 1e-4
    active: float | None = None
    error: float = 0.0
    counter: str = "instructions"
    budget: int | None = None

    def __post_init__(self) -> None:
        _one_of(self.kind, "gate", GATES)
        _one_of(self.counter, "counter", COUNTERS)
        if not 0 < self.threshold <= 1e3:
            raise SpecError(f"threshold {self.threshold!r} is not in 0..1000")
        if self.active is not None and not 0.05 <= self.active <= 1:
            raise SpecError(
                f"active fraction {self.active!r} is not in 0.05..1",
                "0.25 lets a quarter of the updates through",
            )
        if not 0 <= self.error < 3e38:
            raise SpecError(f"error gate {self.error!r} is no threshold of |e|")
        if self.budget is not None and not 1 <= self.budget < 2**32:
            raise SpecError(
                f"budget of {self.budget} {self.counter} a step: expected 1 to {2**32 - 1}"
            )
        controlled = self.active is not None or self.budget is not None
        if self.kind == "none" and controlled:
            raise SpecError(
                "an active fraction or a budget of a step without a gate that could "
                "hold it: expected gate element, row or block",
            )
        if self.active is not None and self.budget is not None:
            raise SpecError(
                f"active fraction {self.active} and a budget of {self.budget} "
                f"{self.counter}: one controller holds one of them"
            )

    @property
    def rows(self) -> bool:
        """Whether parts of an update are left out by a threshold."""
        return self.kind != "none"

    @property
    def masked(self) -> bool:
        """Whether parts of a row are left out."""
        return self.kind in ("element", "block")

    @property
    def block(self) -> int:
        """Elements that are let through or left out together, in one row."""
        return 8 if self.kind == "block" else 1


@dataclass(frozen=True)
class Clip:
    """Limits that the arithmetic enforces: |W|, |b| <= weights after every
    update, |e| <= error before it is used; None for no limit."""

    weights: float | None = None
    error: float | None = None

    def __post_init__(self) -> None:
        for what, limit in (("weights", self.weights), ("error", self.error)):
            if limit is not None and not 1e-30 < limit < 1e30:
                raise SpecError(f"clip_{what} {limit!r} is not a positive number")


@dataclass(frozen=True)
class UpdateChoice:
    """What is done with a layer's input and its delta: "rank-1", or with "momentum",
    a share of each weight's last change that goes on."""

    name: str = "rank-1"
    momentum: float = 0.0

    def __post_init__(self) -> None:
        _one_of(self.name, "update", UPDATES)
        least = 0 if self.name == "rank-1" else 1e-6
        if not least <= self.momentum < 1 or (self.momentum and self.name == "rank-1"):
            raise SpecError(
                f"momentum {self.momentum!r} of update {self.name!r}: expected a number "
                "from 0 to 1, without 1, and update momentum",
                "0.9 is usual",
            )


@dataclass(frozen=True)
class Spec:
    """Network, rule, inputs and seed, gates, limits and goal: all that fixes the
    bits of learning.

    `goal`: what outputs are held against, a class "label", a "vector" of as many
    numbers, or the "sample" itself as the network sees it (an autoencoder).
    `format`: how its numbers are stored, one of `codegen.numbers.NUMBERS`.
    """

    network: Network
    rule: RuleChoice = RuleChoice()
    inputs: Inputs = Inputs()
    seed: int = 1
    gate: Gate = Gate()
    clip: Clip = Clip()
    goal: str = "label"
    update: UpdateChoice = UpdateChoice()
    format: str = "f32"

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32:
            raise SpecError(f"seed {self.seed} is not in 0..4294967295")
        _one_of(self.goal, "goal", GOALS)
        _one_of(self.format, "format", tuple(NUMBERS))
        self._require_goal()
        declared = self.inputs.declared
        if declared is not None and declared.features != self.network.n_in:
            raise SpecError(
                f"network {self.network} takes {self.network.n_in} inputs, but "
                f"{declared.gives}"
            )

    def _require_goal(self) -> None:
        """Raise `SpecError` for a goal that the network cannot be held against."""
        network = self.network
        if self.goal != "label" and network.output == "softmax":
            raise SpecError(
                f"goal {self.goal!r} with softmax outputs, which tell classes apart",
                "identity outputs learn any numbers, sigmoid outputs those in 0..1",
            )
        if self.goal == "sample" and network.n_in != network.n_out:
            raise SpecError(
                f"goal 'sample' with network {network}: expected as many outputs as "
                f"inputs, {network.n_in}"
            )

    @property
    def numbers(self) -> Numbers:
        """What its weights, activations, errors and sums are."""
        return NUMBERS[self.format]

    @property
    def sample_elements(self) -> int:
        """Elements of a sample as it travels."""
        declared = self.inputs.declared
        return self.network.n_in if declared is None else declared.elements

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample as it travels."""
        return self.sample_elements * self.inputs.size

    @property
    def gated(self) -> frozenset[int]:
        """Layers behind a gate of rows: the hidden ones. The output layer has few
        weights and needs them all (docs/gates.md); alone, it is gated."""
        if not self.gate.rows:
            return frozenset()
        return frozenset(range(1, max(2, self.network.depth)))
