"""How hard the digits' one split is, by a program that shares nothing with ours.

    python tests/reference/splits.py [--splits N]

A float64 perceptron of a few lines, batch 1, with the settings of docs/rules.md
(eta 0.03, times 0.95 an epoch, 20 epochs, tanh, sigmoid outputs), on the split of
docs/data.md and on N random ones of the same sizes. What the device reaches must
be what this reaches on the same split; docs/rules.md has the table.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np
from sklearn.datasets import load_digits

from codegen import streams
from codegen.reference.random import u32

TRAIN, EPOCHS, ETA, DECAY = 1437, 20, 0.03, 0.95
CASES = {
    "linear, 64-10": ((64, 10), False),
    "read-out, 64-64-10": ((64, 64, 10), True),
    "bp, 64-64-10": ((64, 64, 10), False),
}


def fixed() -> np.ndarray:
    """The order of docs/data.md: the first 1437 train."""
    return np.argsort(u32(0x5EED, streams.SPLIT, 0, 1797), kind="stable")


def accuracy(
    layers: tuple[int, ...], order: np.ndarray, seed: int, top_only: bool
) -> float:
    """Test accuracy (0..1) after `EPOCHS`; `top_only`: hidden layers stay random."""
    x, y = load_digits(return_X_y=True)
    x, rng = x / 16, np.random.default_rng(seed)
    train, test = order[:TRAIN], order[TRAIN:]
    shapes = list(itertools.pairwise(layers))
    w = [rng.uniform(-1, 1, shape) * np.sqrt(6 / sum(shape)) for shape in shapes]
    b = [np.zeros(n) for n in layers[1:]]
    for epoch in range(EPOCHS):
        eta = ETA * DECAY**epoch
        for i in rng.permutation(train):
            h = [x[i]]
            for w_l, b_l in zip(w[:-1], b[:-1], strict=True):
                h.append(np.tanh(h[-1] @ w_l + b_l))
            d = 1 / (1 + np.exp(-(h[-1] @ w[-1] + b[-1])))
            d[y[i]] -= 1
            for layer in range(len(w) - 1, -1, -1):
                below = (w[layer] @ d) * (1 - h[layer] ** 2)
                w[layer] -= eta * np.outer(h[layer], d)
                b[layer] -= eta * d
                d = below
                if top_only:
                    break
    h = x[test]
    for w_l, b_l in zip(w[:-1], b[:-1], strict=True):
        h = np.tanh(h @ w_l + b_l)
    return float(np.mean((h @ w[-1] + b[-1]).argmax(1) == y[test]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--splits", type=int, default=10, metavar="N")
    n = parser.parse_args().splits
    others = [np.random.default_rng(s).permutation(1797) for s in range(n)]
    print(
        f"| float64, batch 1 | this split, 5 seeds | {n} random splits, mean +- std |"
    )
    print("|---|---|---|")
    for name, (layers, top_only) in CASES.items():
        here = [accuracy(layers, fixed(), seed, top_only) for seed in range(1, 6)]
        there = [accuracy(layers, order, 1, top_only) for order in others]
        print(
            f"| {name} | {100 * np.mean(here):.2f} "
            f"| {100 * np.mean(there):.2f} +- {100 * np.std(there, ddof=1):.2f} |"
        )


if __name__ == "__main__":
    main()
