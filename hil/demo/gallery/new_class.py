"""Digits 0 to 7, then 8 and 9, then all ten."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hil.data import datasets
from hil.demo import Arm, Part, Stream

OLD = 8
"""Classes that the device meets first."""
REST = 0.2
"""Share of the samples that come at the end, all ten classes mixed."""


def streams(seed: int) -> dict[str, Stream]:
    """Every sample of the training part, once."""
    data = datasets.load("digits")
    order = datasets.order(seed, 0, len(data.train_x))
    last = round(REST * len(order))
    first, mixed = order[:-last], order[-last:]
    old = data.train_y[first] < OLD
    tests = data.test_y < OLD
    parts = [
        _part("eight", data, first[old], tests),
        _part("two", data, first[~old], ~tests),
        _part("ten", data, mixed, np.ones_like(tests)),
    ]
    return {"digits": Stream(parts, scale=data.inputs.scale)}


def _part(
    name: str, data: datasets.Dataset, come: np.ndarray, tests: np.ndarray
) -> Part:
    test = data.test_x[tests], data.test_y[tests]
    return Part(name, data.train_x[come], data.train_y[come], test)


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """Accuracies are of test digits that neither device ever learned."""
    plain, rehearsal = arms["plain"], arms["rehearsal"]
    after_plain = plain.test("eight", after="two")
    after_rehearsal = rehearsal.test("eight", after="two")
    return {
        "eight_before": plain.test("eight", after="eight"),
        "new_plain": plain.test("two", after="two"),
        "new_rehearsal": rehearsal.test("two", after="two"),
        "eight_after_plain": after_plain,
        "eight_after_rehearsal": after_rehearsal,
        "ten_plain": plain.test("ten", after="ten"),
        "ten_rehearsal": rehearsal.test("ten", after="ten"),
        "kept_points": after_rehearsal - after_plain,
    }


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    return (
        f"the two new classes were learned to {metrics['new_plain']:.1%} without and to "
        f"{metrics['new_rehearsal']:.1%} with rehearsal; of the first eight the device "
        f"still knew {metrics['eight_after_plain']:.1%} without and "
        f"{metrics['eight_after_rehearsal']:.1%} with it"
    )
