"""Digits, and what the cycles of the first one's step were."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hil.data import datasets
from hil.demo import Arm, Part, Stream

LEARNED, TESTED = 600, 100
FIRST = 3
"""The digit that comes first, whose step is looked at."""


def streams(seed: int) -> dict[str, Stream]:
    """Some of the training part; tests that no device learns."""
    data = datasets.load("digits")
    drawn = datasets.order(seed, 0, len(data.train_x))[:LEARNED]
    other = data.train_y[drawn] != FIRST
    first = drawn[np.argsort(other, kind="stable")[:1]]
    first = np.concatenate([first, drawn[drawn != first]])
    tests = data.test_x[:TESTED], data.test_y[:TESTED]
    part = Part("digits", data.train_x[first], data.train_y[first], tests)
    return {"digits": Stream([part], scale=data.inputs.scale)}


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """Accuracies of test digits; of the first digit's step what kinase's cycles tell."""
    found: dict[str, float | None] = {
        name: arm.test("digits", after="digits") for name, arm in arms.items()
    }
    for when in ("before", "after"):
        kept = arms["kinase"].cycles(when)
        right = int(kept["target"].argmax())
        fast, slow = (kept[f"trace_{name}2"][-1, right] for name in ("cap", "cad"))
        shown = len(kept["trace_cap2"]) // 4  # the plus phase, a quarter of the cycles
        found[f"answer_{when}"] = float(kept["trace2"][-shown - 1, right])
        found[f"calcium_{when}_points"] = float(fast - slow)
    return found


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    before, after = (
        100 * (metrics[f"calcium_{when}_points"] or 0) for when in ("before", "after")
    )
    return (
        f"the outcome of the first digit moves CaP - CaD of the right output by {before:+.1f} "
        f"points before learning and by {after:+.1f} after it; tests: "
        f"{metrics['kinase']:.1%} by kinase, {metrics['generec']:.1%} by generec, "
        f"{metrics['eqprop']:.1%} by eqprop"
    )
