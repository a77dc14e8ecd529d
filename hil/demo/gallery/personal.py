"""HAPT: windows of a phone's accelerometer and gyroscope, one person after another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hil.data import datasets, hapt, windows
from hil.demo import Arm, Part, Stream

KNOWN = hapt.FIRST_USERS
"""People that the device learns from first; one of the others comes then."""
LEARNED, TESTED = 2500, 500
"""Windows of these people."""


def streams(seed: int) -> dict[str, Stream]:
    """Windows of many people, mixed; then of one, in the order of recording. Its
    first recording is learned and its second one tests."""
    data = hapt.load()
    person, first = newcomer(data, seed)
    order = np.flatnonzero(data.users <= KNOWN)
    order = order[datasets.order(seed, 0, len(order))]
    learned, held = order[:LEARNED], order[LEARNED : LEARNED + TESTED]
    declared = windows.standardised(data.windows[learned], hapt.ROWS, hapt.AXES)
    extra = windows.arrays(declared)

    def some(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return data.windows[chosen], data.labels[chosen]

    many, one = some(held), some(person & ~first)
    return {
        "others": Stream([Part("others", *some(learned), many)], extra=extra),
        "person": Stream(
            [Part("person", *some(first), one), Part("others", *some(held[:0]), many)],
            extra=extra,
        ),
    }


def newcomer(data: hapt.Hapt, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which windows [n] are of the person that comes then, and which of them of that
    person's first recording."""
    people = np.unique(data.users[data.users > KNOWN])
    person = data.users == people[(seed - 1) % len(people)]
    return person, person & (data.experiments == data.experiments[person].min())


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """Accuracies are of windows that no device ever learned."""
    adapted = {
        name: arms[name].test("person", after="person")
        for name in ("frozen", "head", "whole")
    }
    kept = {
        name: arms[name].test("others", after="person") for name in ("head", "whole")
    }
    return {
        "others": arms["others"].test("others", after="others"),
        **adapted,
        "others_after_head": kept["head"],
        "others_after_whole": kept["whole"],
        "gain_points": max(adapted["head"], adapted["whole"]) - adapted["frozen"],
    }


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    return (
        f"for the new person the device is at {metrics['frozen']:.1%} as it came, at "
        f"{metrics['head']:.1%} with its last layer adapted, and at "
        f"{metrics['whole']:.1%} with all of it"
    )
