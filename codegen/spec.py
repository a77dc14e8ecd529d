"""What is to be learned, and by which rule: the value every other part of
codegen starts from.

A `Spec` holds nothing about machines. Together with a `targets.Target` it
makes a plan (`codegen.plan`), and alone it makes the numpy reference
(`codegen.reference`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from codegen.errors import SpecError

ACTIVATIONS = ("tanh", "sigmoid", "relu", "identity")
OUTPUTS = ("sigmoid", "softmax", "identity")
INPUT_TYPES = {"u8": 1, "i16": 2, "f32": 4}
"""Element types of a sample on the line, and their sizes in bytes."""


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
        _one_of(self.activation, "activation", ACTIVATIONS)
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
    """How a sample travels: `x = fl(v / scale)`, one rounded division."""

    dtype: str = "u8"
    scale: float = 16.0

    def __post_init__(self) -> None:
        _one_of(self.dtype, "input type", tuple(INPUT_TYPES))
        if not 0 < self.scale < 3e38:
            raise SpecError(f"input scale {self.scale!r} is not a positive number")

    @property
    def size(self) -> int:
        """Bytes of one element on the line."""
        return INPUT_TYPES[self.dtype]


@dataclass(frozen=True)
class RuleChoice:
    """A learning rule by name, with the parameters that differ from its
    defaults; `codegen.rules.get` checks both."""

    name: str = "dfa"
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """Network, rule, inputs and seed: all that fixes the bits of learning."""

    network: Network
    rule: RuleChoice = RuleChoice()
    inputs: Inputs = Inputs()
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32:
            raise SpecError(f"seed {self.seed} is not in 0..4294967295")
