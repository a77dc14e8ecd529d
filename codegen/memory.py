"""Memory of one image: tensors, their lifetimes, and the arena they share.

DESIGN section 6. Three classes: const (flash), state (what a step changes) and
scratch (what does not outlive a step). Scratch lives in one arena; two tensors
share bytes when their lifetimes do not meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod

from codegen.spec import Network

WORD = 4
"""Bytes of a tensor element: everything on the device is 32 bits wide."""


@dataclass(frozen=True)
class Timeline:
    """The moments of a step, as lifetimes count them.

    Input conversion; a layer's forward, and after each the moment at which a
    rule that learns in passing may change it; the output; a second way forward
    for tangents; one moment a hidden layer for its delta (from the top); and
    the update. Unless a rule learns in passing every delta exists before any
    weight changes (DESIGN 4.3), so there is one update moment.
    """

    network: Network

    input: int = 0

    def forward(self, layer: int) -> int:
        """Moment of layer 1..L forward."""
        return 2 * layer - 1

    def passing(self, layer: int) -> int:
        """Moment right after it: a layer that learns in passing changes here."""
        return 2 * layer

    @property
    def output(self) -> int:
        """Moment of outputs, loss and error."""
        return 2 * self.network.depth + 1

    def tangent(self, layer: int) -> int:
        """Moment at which a tangent passes layer 1..L, after the output."""
        return self.output + layer

    def delta(self, layer: int) -> int:
        """Moment at which hidden layer L-1..1 gets its delta."""
        return self.output + 2 * self.network.depth - layer

    @property
    def update(self) -> int:
        """Moment at which every weight changes."""
        return self.output + 2 * self.network.depth


@dataclass(frozen=True)
class Scratch:
    """A tensor that lives from moment `born` to moment `dies`, both included.

    `tape` marks an activation kept past the forward pass for the sake of
    learning: what the memory bill calls the tape. `align` is in words; `inner`
    marks what means nothing outside the device, such as a list of pointers;
    `c_type` is what its elements are in C, if no float.
    """

    name: str
    shape: tuple[int, ...]
    born: int
    dies: int
    tape: bool = False
    align: int = 1
    inner: bool = False
    c_type: str = "float"

    @property
    def words(self) -> int:
        """Elements."""
        return prod(self.shape)


@dataclass(frozen=True)
class Const:
    """A tensor in the image: `values()` are its elements, flat, binary32."""

    name: str
    shape: tuple[int, ...]
    values: Callable[[], Iterable[float]]

    @property
    def words(self) -> int:
        """Elements."""
        return prod(self.shape)


@dataclass(frozen=True)
class State:
    """A tensor that steps change. At first it holds uniform numbers in [-limit,
    limit), number k of `stream` for element k, or `fill` where `limit` is 0."""

    name: str
    shape: tuple[int, ...]
    stream: int = 0
    limit: float = 0.0
    fill: float = 0.0

    @property
    def words(self) -> int:
        """Elements."""
        return prod(self.shape)


@dataclass(frozen=True)
class Arena:
    """Where each scratch tensor lies (in words), and how many there are."""

    offsets: dict[str, int]
    words: int


def inference_scratch(network: Network) -> tuple[Scratch, ...]:
    """What inference alone needs: an activation dies one layer later."""
    time = Timeline(network)
    tensors = [Scratch("x", (network.n_in,), time.input, time.forward(1))]
    for layer in range(1, network.depth):
        alive = time.forward(layer), time.forward(layer + 1)
        tensors.append(Scratch(f"h{layer}", (network.layers[layer],), *alive))
    tensors.append(
        Scratch("p", (network.n_out,), time.forward(network.depth), time.output)
    )
    return tuple(tensors)


def taped_scratch(network: Network) -> tuple[Scratch, ...]:
    """Inference's tensors kept to the update, the error, and all deltas: what
    a rule needs that updates every layer from its input and its delta."""
    time = Timeline(network)
    kept = tuple(
        Scratch(s.name, s.shape, s.born, time.update, tape=s.name.startswith("h"))
        for s in inference_scratch(network)
    )
    deltas = tuple(
        Scratch(f"d{layer}", (network.layers[layer],), time.delta(layer), time.update)
        for layer in range(1, network.depth)
    )
    return (*kept, error_scratch(network), *deltas)


def error_scratch(network: Network) -> Scratch:
    """The error, from the outputs to the update of the output layer."""
    time = Timeline(network)
    return Scratch("e", (network.n_out,), time.output, time.update)


def passing_scratch(network: Network) -> tuple[Scratch, ...]:
    """What a rule needs that updates each layer in passing: an activation lives
    until the next layer has learned from it, a delta within its layer's turn."""
    time = Timeline(network)
    first = time.passing(1) if network.depth > 1 else time.update
    found = [Scratch("x", (network.n_in,), time.input, first)]
    for layer in range(1, network.depth):
        width, turn = (network.layers[layer],), time.passing(layer)
        last = time.passing(layer + 1) if layer + 1 < network.depth else time.update
        found.append(Scratch(f"h{layer}", width, time.forward(layer), last))
        found.append(Scratch(f"d{layer}", width, turn, turn))
    found.append(
        Scratch("p", (network.n_out,), time.forward(network.depth), time.update)
    )
    return (*found, error_scratch(network))


def arrange(tensors: Iterable[Scratch]) -> Arena:
    """Give each tensor the lowest offset that is free during its whole life,
    the largest first. Same input, same arena."""
    placed: list[tuple[Scratch, int]] = []
    ordered = list(tensors)
    for tensor in sorted(ordered, key=lambda t: -t.words):
        offset = 0
        for other, start in sorted(placed, key=lambda item: item[1]):
            together = tensor.born <= other.dies and other.born <= tensor.dies
            if (
                together
                and start < offset + tensor.words
                and offset < start + other.words
            ):
                offset = start + other.words
                offset += -offset % tensor.align
        placed.append((tensor, offset))
    found = {tensor.name: offset for tensor, offset in placed}
    return Arena(
        {t.name: found[t.name] for t in ordered},
        max((offset + t.words for t, offset in placed), default=0),
    )
