"""What a program is composed with: the network's tensors by their customary names.

A `Composer` makes each tensor once, and knows how each layer is to be computed.
Fronts, layers, goals, updates and rules take one, and give operations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codegen import streams
from codegen.errors import BuildError
from codegen.formats import F32, U32, Format, pointer
from codegen.numbers import Numbers
from codegen.spec import Network, Spec
from codegen.tables import ONE, POINT
from codegen.tensors import Drawn, Fill, Tensor, Uniform, Values, Words


@dataclass(frozen=True)
class Way:
    """How one layer is computed: `way` is one of `codegen.layers.dense.WAYS`;
    `density` is the share of its inputs that are not zero."""

    way: str = "dense"
    density: float = 1.0


class Composer:
    """Tensors for one `spec`, whose layers 1..L go these `ways`, on a machine whose
    pointers have `xlen` bits. `parameters` are the rule's. `drawn_once`: random words
    that are the same in every step are kept between steps, not made anew in each.
    `vlen`: bits of a vector register that constants are laid out for, 0 without."""

    def __init__(
        self,
        spec: Spec,
        parameters: Mapping[str, str | float],
        ways: Sequence[Way] = (),
        xlen: int = 64,
        drawn_once: bool = False,
        vlen: int = 0,
    ) -> None:
        self.spec = spec
        self.drawn_once = drawn_once
        self.vlen = vlen
        self.xlen = xlen
        self.parameters = parameters
        self.ways = tuple(ways) or (Way(),) * spec.network.depth
        self._pointer = pointer(xlen)
        self._made: dict[str, Tensor] = {}
        self._points: dict[Tensor, int] = {}

    @property
    def network(self) -> Network:
        """What is composed for."""
        return self.spec.network

    @property
    def numbers(self) -> Numbers:
        """What it computes with."""
        return self.spec.numbers

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
        initial: Uniform | Drawn | Fill | Values | Words = Fill(),  # noqa: B008
        inner: bool = False,
        limits: tuple[float, float] | None = None,
        kept: bool = False,
    ) -> Tensor:
        """The tensor of that name, as whoever asked for it first has described it.
        Raises `BuildError` where a later caller asks for another shape or format."""
        made = Tensor(
            name, shape, format, role, initial, inner, limits=limits, kept=kept
        )
        found = self._made.setdefault(name, made)
        if (found.shape, found.format) != (shape, format):
            raise BuildError(
                f"tensor {name!r} is {format.name} {list(shape)} and {found.format.name} "
                f"{list(found.shape)}: expected a name for each of the two"
            )
        return found

    def learned(
        self,
        name: str,
        shape: tuple[int, ...],
        initial: Uniform | Fill = Fill(),  # noqa: B008
        limits: tuple[float, float] | None = None,
    ) -> Tensor:
        """What learning changes, and keeps within `limits` where it has its own."""
        weight = self.numbers.weight
        if self.numbers.integer and isinstance(initial, Uniform):
            limits = self._integer_limits(shape, initial.limit)
        return self.tensor(
            name, shape, "learned", format=weight, initial=initial, limits=limits
        )

    def signal(
        self, name: str, shape: tuple[int, ...], role: str = "scratch"
    ) -> Tensor:
        """Activations, errors, deltas, targets."""
        return self.tensor(name, shape, role, format=self.numbers.value)

    def _integer_limits(
        self, shape: tuple[int, ...], limit: float
    ) -> tuple[float, float]:
        n_in, n_out = shape
        most = self.numbers.most((n_in, n_out), limit, self.spec.clip.weights)
        return -most, most

    def inner(self, name: str, shape: tuple[int, ...], format: Format = F32) -> Tensor:
        """Scratch that means nothing outside the device."""
        return self.tensor(name, shape, format=format, inner=True)

    def kept(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Scratch that is there to be read when a step is over."""
        return self.tensor(name, shape, kept=True)

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
        return self.signal(name, (self.network.layers[layer - 1],))

    def result(self, layer: int) -> Tensor:
        """What it gives: h1, h2, ..., and the output layer p."""
        shape = (self.network.layers[layer],)
        if layer == self.depth:  # told as floats, whatever they are computed in
            return self.tensor("p", shape, kept=self.numbers.integer)
        return self.signal(f"h{layer}", shape)

    def sums(self, layer: int) -> Tensor:
        """Its pre-activations: where its result comes to lie, unless sums are of
        another type."""
        if not self.numbers.integer:
            return self.result(layer)
        return self.totals(f"a{layer}", self.weights(layer))

    def totals(self, name: str, w: Tensor) -> Tensor:
        """Sums of products with the weights w."""
        found = self.tensor(name, w.shape[1:], format=self.numbers.total)
        if self.numbers.integer:
            self._points[found] = self.fraction(w) + POINT
        return found

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
        return self.signal(name, (self.network.layers[layer],), role)

    def weights(self, layer: int, limits: tuple[float, float] | None = None) -> Tensor:
        """W1, W2, ..., [n_in, n_out]; a rule that holds them itself asks first, with
        `limits`."""
        limit = initial_limit(self.network, layer)
        first = Uniform(streams.weights(layer), limit)
        return self.learned(f"W{layer}", self.network.shape(layer), first, limits)

    def biases(self, layer: int, limits: tuple[float, float] | None = None) -> Tensor:
        """b1, b2, ..., [n_out], within `limits` or those of the layer's weights."""
        shape = self.network.shape(layer)[1:]
        limits = limits or self.weights(layer).limits
        return self.learned(f"b{layer}", shape, limits=limits)

    def level(self, threshold: float) -> float | int:
        """What a magnitude must reach, as activations and errors are stored."""
        return math.ceil(ONE * threshold) if self.numbers.integer else threshold

    def point(self, w: Tensor) -> dict[str, Any]:
        """Of integer weights: bits below their point, and their largest magnitude."""
        assert isinstance(w.initial, Uniform)
        assert w.limits is not None
        return {"fraction": self.fraction(w), "most": int(w.limits[1])}

    def fraction(self, w: Tensor) -> int:
        """Bits below the point of integer weights."""
        assert isinstance(w.initial, Uniform)
        return self.numbers.fraction(w.initial.limit)

    def point_of(self, total: Tensor) -> int:
        """The same of sums."""
        return self._points[total]

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

    def drawn(self, name: str, count: int, stream: int, first: int) -> Tensor:
        """Random words of a stream that are there from the seed on."""
        initial = Words(stream, first)
        return self.tensor(
            name, (count,), "drawn", format=U32, initial=initial, inner=True
        )


def initial_limit(network: Network, layer: int) -> float:
    """Bound of a layer's uniform initial weights, to be rounded to binary32
    (Glorot and Bengio 2010; He et al. 2015 for relu; docs/rules.md)."""
    n_in, n_out = network.shape(layer)
    hidden_relu = network.activation == "relu" and layer < network.depth
    return math.sqrt(6 / n_in) if hidden_relu else math.sqrt(6 / (n_in + n_out))
