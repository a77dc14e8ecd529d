"""Digits at 0 degrees, at 45, and at 0 again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hil.data import datasets
from hil.demo import Arm, Part, Stream

DEGREES = 45.0
TURNED, BACK = 1437, 400
"""Digits that come turned, and upright again."""


def streams(seed: int) -> dict[str, Stream]:
    """Every sample of the training part upright, then some of it again."""
    data = datasets.load("digits")
    x, y = data.train_x, data.train_y
    upright = (data.test_x, data.test_y)
    turned = (rotated(data.test_x), data.test_y)
    first, second, third = (
        datasets.order(seed, epoch, len(x))[:count]
        for epoch, count in enumerate((len(x), TURNED, BACK))
    )
    parts = [
        Part("upright", x[first], y[first], upright),
        Part("turned", rotated(x[second]), y[second], turned),
        Part("back", x[third], y[third]),
    ]
    return {"digits": Stream(parts, scale=data.inputs.scale)}


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """Accuracies are of test digits that neither device ever learned."""
    learning, frozen = arms["learning"], arms["frozen"]
    before = learning.test("upright", after="upright")
    adapted = learning.test("turned", after="turned")
    failing = frozen.test("turned", after="turned")
    by_then = learning.test("upright", after="turned")
    return {
        "before_drift": before,
        "after_drift_frozen": failing,
        "after_drift_learning": adapted,
        "upright_after_drift": by_then,
        "back_again_learning": learning.test("upright", after="back"),
        "recovery_steps": learning.recovery("turned"),
        "margin_points": adapted - failing,
        "forgotten_points": before - by_then,
    }


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    return (
        f"after the turn the learning device is at {metrics['after_drift_learning']:.1%} "
        f"and the frozen one at {metrics['after_drift_frozen']:.1%}; of upright digits "
        f"learning cost {100 * (metrics['forgotten_points'] or 0):.1f} points, and when "
        f"they came back it was at {metrics['back_again_learning']:.1%}"
    )


def rotated(x: np.ndarray, degrees: float = DEGREES) -> np.ndarray:
    """Images [n, 64] of 8x8 turned about their middle, bilinear, rounded."""
    angle, side = np.deg2rad(degrees), 8
    row, column = np.mgrid[:side, :side] - (side - 1) / 2
    from_row = np.cos(angle) * row + np.sin(angle) * column + (side - 1) / 2
    from_column = np.cos(angle) * column - np.sin(angle) * row + (side - 1) / 2
    top, left = np.floor(from_row).astype(int), np.floor(from_column).astype(int)
    images = np.pad(x.reshape(-1, side, side).astype(float), ((0, 0), (1, 2), (1, 2)))
    out = np.zeros((len(x), side, side))
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (1 - abs(from_row - top - down)) * (
            1 - abs(from_column - left - across)
        )
        at_row = np.clip(top + down, -1, side) + 1
        at_column = np.clip(left + across, -1, side) + 1
        out += weight * images[:, at_row, at_column]
    return np.rint(out).astype(x.dtype).reshape(len(x), -1)
