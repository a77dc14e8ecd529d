"""What a program is composed with: the network's tensors by their customary names.

A `Composer` makes each tensor once, and knows how each layer is to be computed.
Fronts, layers, goals, updates and rules take one, and give operations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codegen import streams
from codegen.formats import F32, U32, Format, pointer
from codegen.spec import Network, Spec
from codegen.tensors import Fill, Tensor, Uniform, Values


@dataclass(frozen=True)
class Way:
    """How one layer is computed: `way` is one of `codegen.layers.dense.WAYS`;
    `density` is the share of its inputs that are not zero."""

    way: str = "dense"
    density: float = 1.0


class Composer:
    """Tensors for one `spec`, whose layers 1..L go these `ways`, on a machine whose
    pointers have `xlen` bits. `parameters` are the rule's."""

    def __init__(
        self,
        spec: Spec,
        parameters: Mapping[str, str | float],
        ways: Sequence[Way] = (),
        xlen: int = 64,
    ) -> None:
        self.spec = spec
        self.parameters = parameters
        self.ways = tuple(ways) or (Way(),) * spec.network.depth
        self._pointer = pointer(xlen)
        self._made: dict[str, Tensor] = {}

    @property
    def network(self) -> Network:
        """What is composed for."""
        return self.spec.network

    @property
    def depth(self) -> int:
        """Number of weight layers, L."""
        return self.network.depth

    @property
    def hidden(self) -> range:
        """The layers below the output's, from the input on."""
        return range(1, self.depth)

    def way(self, layer: int) -> str:
        """How layer 1..L is computed."""
        return self.ways[layer - 1].way

    def density(self, layer: int) -> float:
        """Share of a layer's inputs that are not zero."""
        return self.ways[layer - 1].density

    # tensors of any program

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        role: str = "scratch",
        *,
        format: Format = F32,
        initial: Uniform | Fill | Values = Fill(),  # noqa: B008
        inner: bool = False,
        limits: tuple[float, float] | None = None,
    ) -> Tensor:
        """The tensor of that name: as it was first asked for."""
        made = Tensor(name, shape, format, role, initial, inner, limits=limits)
        return self._made.setdefault(name, made)

    def learned(
        self,
        name: str,
        shape: tuple[int, ...],
        initial: Uniform | Fill = Fill(),  # noqa: B008
        limits: tuple[float, float] | None = None,
    ) -> Tensor:
        """What learning changes, and keeps within `limits` where it has its own."""
        return self.tensor(name, shape, "learned", initial=initial, limits=limits)

    def inner(self, name: str, shape: tuple[int, ...], format: Format = F32) -> Tensor:
        """Scratch that means nothing outside the device."""
        return self.tensor(name, shape, format=format, inner=True)

    def kept(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Scratch that is there to be read when a step is over."""
        made = Tensor(name, shape, kept=True)
        return self._made.setdefault(name, made)

    # the network's

    @property
    def sample(self) -> Tensor:
        """The sample, as it travels."""
        spec = self.spec
        shape = (spec.sample_elements,)
        return self.tensor("sample", shape, "input", format=spec.inputs.format)

    def input(self, layer: int) -> Tensor:
        """What layer 1..L has as input: x, h1, h2, ..."""
        name = "x" if layer == 1 else f"h{layer - 1}"
        return self.tensor(name, (self.network.layers[layer - 1],))

    def result(self, layer: int) -> Tensor:
        """What it gives: h1, h2, ..., and the output layer p."""
        name = "p" if layer == self.depth else f"h{layer}"
        return self.tensor(name, (self.network.layers[layer],))

    @property
    def outputs(self) -> Tensor:
        """p: first pre-activations of the output layer, then outputs."""
        return self.result(self.depth)

    @property
    def error(self) -> Tensor:
        """e = p - t."""
        return self.delta(self.depth)

    def delta(self, layer: int) -> Tensor:
        """d1, d2, ..., and the error e; of a fused layer it waits with its update."""
        name = "e" if layer == self.depth else f"d{layer}"
        role = "pending" if self.way(layer) == "fused" else "scratch"
        return self.tensor(name, (self.network.layers[layer],), role)

    def weights(self, layer: int) -> Tensor:
        """W1, W2, ..., [n_in, n_out]."""
        limit = initial_limit(self.network, layer)
        first = Uniform(streams.weights(layer), limit)
        return self.learned(f"W{layer}", self.network.shape(layer), first)

    def biases(self, layer: int) -> Tensor:
        """b1, b2, ..., [n_out]."""
        return self.learned(f"b{layer}", self.network.shape(layer)[1:])

    def thresholds(self) -> Tensor:
        """tau, one a layer behind a gate."""
        first = Fill(self.spec.gate.threshold)
        return self.learned("tau", (len(self.spec.gated),), first)

    def rows(self, layer: int) -> Tensor:
        """Pointers to a layer's rows whose inputs are not zero."""
        return self.inner(f"rows{layer}", self.network.shape(layer)[:1], self._pointer)

    def values(self, layer: int) -> Tensor:
        """Those inputs."""
        return self.inner(f"values{layer}", self.network.shape(layer)[:1])

    def rates(self, layer: int) -> Tensor:
        """s = -(eta x), of a fused layer's update that waits."""
        return self.tensor(f"s{layer}", self.network.shape(layer)[:1], "pending")

    def words(self, name: str, count: int) -> Tensor:
        """Random words that are made while they are needed."""
        return self.inner(name, (count,), U32)


def initial_limit(network: Network, layer: int) -> float:
    """Bound of a layer's uniform initial weights, to be rounded to binary32
    (Glorot and Bengio 2010; He et al. 2015 for relu; docs/rules.md)."""
    n_in, n_out = network.shape(layer)
    hidden_relu = network.activation == "relu" and layer < network.depth
    return math.sqrt(6 / n_in) if hidden_relu else math.sqrt(6 / (n_in + n_out))
