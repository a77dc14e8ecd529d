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

    Input conversion, one moment a layer forward, the output, one a hidden
    layer backward (from the top), and the update. Every delta exists before
    any weight changes (DESIGN 4.3), so there is one update moment.
    """

    network: Network

    input: int = 0

    def forward(self, layer: int) -> int:
        """Moment of layer 1..L forward."""
        return layer

    @property
    def output(self) -> int:
        """Moment of outputs, loss and error."""
        return self.network.depth + 1

    def delta(self, layer: int) -> int:
        """Moment at which hidden layer L-1..1 gets its delta."""
        return self.output + self.network.depth - layer

    @property
    def update(self) -> int:
        """Moment at which every weight changes."""
        return self.output + self.network.depth


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
class Arena:
    """Where each scratch tensor lies (in words), and how many there are."""

    offsets: dict[str, int]
    words: int


def inference_scratch(network: Network) -> tuple[Scratch, ...]:
    """What inference alone needs: an activation dies one layer later."""
    time = Timeline(network)
    tensors = [Scratch("x", (network.n_in,), time.input, time.forward(1))]
    for layer in range(1, network.depth):
        born = time.forward(layer)
        tensors.append(Scratch(f"h{layer}", (network.layers[layer],), born, born + 1))
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
    error = Scratch("e", (network.n_out,), time.output, time.update)
    deltas = tuple(
        Scratch(f"d{layer}", (network.layers[layer],), time.delta(layer), time.update)
        for layer in range(1, network.depth)
    )
    return (*kept, error, *deltas)


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
