"""What is normal differs from place to place: strange is what is not normal here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hil.data import datasets
from hil.demo import Arm, Part, Stream
from hil.records.continual import separation

FACTORY, HERE = (0, 1, 2, 3), (4, 5, 6)
"""Digits that are normal where a device is made, and where it stands. All others are
strange in both places."""
LAST = 0.3
"""Share of what is normal here that comes last, mixed with what is strange."""


def streams(seed: int) -> dict[str, Stream]:
    """The factory's normal, then normal here, then normal and strange mixed."""
    data = datasets.load("digits")
    order = datasets.order(seed, 0, len(data.train_x))
    x, y = data.train_x[order], data.train_y[order]
    here = np.flatnonzero(np.isin(y, HERE))
    strange = np.flatnonzero(~np.isin(y, FACTORY + HERE))
    first, last = np.split(here, [round((1 - LAST) * len(here))])
    mixed = np.sort(np.concatenate([last, strange[: len(last)]]))
    made = np.isin(y, FACTORY)
    parts = [
        Part("factory", x[made], y[made], _test(data, FACTORY)),
        Part("here", x[first], y[first], _test(data, HERE)),
        Part("strange", x[mixed], y[mixed]),
    ]
    return {"digits": Stream(parts, scale=data.inputs.scale)}


def _test(
    data: datasets.Dataset, digits: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    some = np.isin(data.test_y, digits)
    return data.test_x[some], data.test_y[some]


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """The score of a sample is the device's reconstruction loss, before it learns."""
    last = streams["digits"].parts[-1]
    strange = ~np.isin(last.y, HERE)
    found: dict[str, float | None] = {}
    for name, arm in arms.items():
        losses = np.array(arm.losses("strange"))
        found[f"auc_{name}"] = separation(
            losses[strange].tolist(), losses[~strange].tolist()
        )
        found[f"normal_{name}_loss"] = float(losses[~strange].mean())
        found[f"strange_{name}_loss"] = float(losses[strange].mean())
    found["margin_points"] = (found["auc_learning"] or 0) - (found["auc_frozen"] or 0)
    return found


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    return (
        f"by its reconstruction loss the learning device tells strange from normal with "
        f"an ROC AUC of {metrics['auc_learning']:.3f}, the frozen one, for which normal "
        f"is what it was in the factory, with {metrics['auc_frozen']:.3f}"
    )
