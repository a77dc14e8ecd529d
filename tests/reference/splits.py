"""How hard the digits' one split is, by a program that shares nothing with ours.

    python tests/reference/splits.py [--splits N]

A float64 perceptron of a few lines, batch 1, with the settings of docs/rules.md
(20 epochs, eta times 0.95 an epoch, tanh, sigmoid outputs), on the split of
docs/data.md and on N random ones of the same sizes. What the device reaches must
be what this reaches on the same split; docs/rules.md has the table.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable

import numpy as np
from sklearn.datasets import load_digits

from codegen import streams
from codegen.reference.random import u32

TRAIN, EPOCHS, DECAY = 1437, 20, 0.95
Tensors = list[np.ndarray]
Update = Callable[[Tensors, Tensors, np.ndarray, int, float], None]


def fixed() -> np.ndarray:
    """The order of docs/data.md: the first 1437 train."""
    return np.argsort(u32(0x5EED, streams.SPLIT, 0, 1797), kind="stable")


def forward(w: Tensors, b: Tensors, x: np.ndarray) -> Tensors:
    """The activations below each layer, and the outputs' pre-activations."""
    h = [x]
    for w_l, b_l in zip(w[:-1], b[:-1], strict=True):
        h.append(np.tanh(h[-1] @ w_l + b_l))
    return [*h, h[-1] @ w[-1] + b[-1]]


def error(a: np.ndarray, label: int) -> np.ndarray:
    """Of sigmoid outputs under cross-entropy."""
    e = 1 / (1 + np.exp(-a))
    e[label] -= 1
    return e


def backward(layers: int) -> Update:
    """Backpropagation into the top `layers`; what is below stays as it is."""

    def update(w: Tensors, b: Tensors, x: np.ndarray, label: int, eta: float) -> None:
        *h, a = forward(w, b, x)
        d = error(a, label)
        for layer in range(len(w))[: -layers - 1 : -1]:
            below = (w[layer] @ d) * (1 - h[layer] ** 2)
            w[layer] -= eta * np.outer(h[layer], d)
            b[layer] -= eta * d
            d = below

    return update


def along(k: int) -> Update:
    """Forward gradients: k directions of +-1 in all weights (Baydin et al. 2022)."""
    rng = np.random.default_rng(0)

    def update(w: Tensors, b: Tensors, x: np.ndarray, label: int, eta: float) -> None:
        *h, a = forward(w, b, x)
        e, moves = error(a, label), []
        for _ in range(k):
            v, u = ([rng.choice((-1.0, 1.0), t.shape) for t in ts] for ts in (w, b))
            dh = np.zeros_like(x)
            for layer, (w_l, v_l, u_l) in enumerate(zip(w, v, u, strict=True)):
                da = dh @ w_l + h[layer] @ v_l + u_l
                if layer + 1 < len(w):
                    dh = da * (1 - h[layer + 1] ** 2)
            moves.append((eta * float(e @ da) / k, v, u))
        for step, v, u in moves:
            for tensor, direction in zip([*w, *b], [*v, *u], strict=True):
                tensor -= step * direction

    return update


CASES: dict[str, tuple[tuple[int, ...], float, Update]] = {
    "linear, 64-10": ((64, 10), 0.03, backward(1)),
    "read-out, 64-64-10": ((64, 64, 10), 0.03, backward(1)),
    "read-out, 64-128-64-10": ((64, 128, 64, 10), 0.03, backward(1)),
    "bp, 64-64-10": ((64, 64, 10), 0.03, backward(2)),
    "fg-weight, K = 1, 64-128-64-10": ((64, 128, 64, 10), 0.0002, along(1)),
    "fg-weight, K = 4, 64-128-64-10": ((64, 128, 64, 10), 0.0005, along(4)),
}
"""Layers, learning rate, and what is done with a sample."""


def accuracy(
    layers: tuple[int, ...], start: float, update: Update, order: np.ndarray, seed: int
) -> float:
    """Test accuracy (0..1) after `EPOCHS`, of weights that begin by `seed`."""
    x, y = load_digits(return_X_y=True)
    x, rng = x / 16, np.random.default_rng(seed)
    train, test = order[:TRAIN], order[TRAIN:]
    shapes = list(itertools.pairwise(layers))
    w = [rng.uniform(-1, 1, shape) * np.sqrt(6 / sum(shape)) for shape in shapes]
    b = [np.zeros(n) for n in layers[1:]]
    for epoch in range(EPOCHS):
        for i in rng.permutation(train):
            update(w, b, x[i], int(y[i]), start * DECAY**epoch)
    return float(np.mean(forward(w, b, x[test])[-1].argmax(1) == y[test]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--splits", type=int, default=10, metavar="N")
    n = parser.parse_args().splits
    others = [np.random.default_rng(s).permutation(1797) for s in range(n)]
    print(
        f"| float64, batch 1 | this split, 5 seeds, mean +- std | {n} random splits, mean +- std |"
    )
    print("|---|---|---|")
    for name, case in CASES.items():
        here = [accuracy(*case, fixed(), seed) for seed in range(1, 6)]
        there = [accuracy(*case, order, 1) for order in others]
        print(
            f"| {name} | {100 * np.mean(here):.2f} +- {100 * np.std(here, ddof=1):.2f} "
            f"| {100 * np.mean(there):.2f} +- {100 * np.std(there, ddof=1):.2f} |"
        )


if __name__ == "__main__":
    main()
