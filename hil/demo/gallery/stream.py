"""ELEC2: 45,312 half hours of the New South Wales market (Harries 1999)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hil.data import files
from hil.demo import Arm, Part, Stream

URL = (
    "https://raw.githubusercontent.com/scikit-multiflow/streaming-datasets/"
    "279075ba8affbf4179648560562b4582b1199463/elec.csv"
)
SHA256 = "cdf901433885f29eca6911f70c0eeafb50d90596c879c30c5b99f5a2e8e734ff"
TESTED = 500
"""Half hours at the end that are tested, and not learned."""
LEVEL = 0.005
"""A lead that is smaller is none: another seed may turn it round."""


def streams(seed: int) -> dict[str, Stream]:
    """What there is to see of each half hour, from 0..1 to -1..1."""
    path = files.located("elec2", "elec.csv", URL, SHA256)
    table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.float32)
    x, y = 2 * table[:, :-1] - 1, table[:, -1].astype(np.int64)
    last = np.concatenate([[0], y[:-1]])
    known = np.column_stack([x, 2 * last - 1]).astype(np.float32)
    return {"features": _stream(x, y), "last-label": _stream(known, y)}


def _stream(x: np.ndarray, y: np.ndarray) -> Stream:
    end = len(x) - TESTED
    return Stream([Part("market", x[:end], y[:end], (x[end:], y[end:]))])


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """Shares of the half hours that the devices have met."""
    met = arms["features"].record["learned"]
    y = streams["features"].parts[0].y[:met]
    naive = float(np.mean(y[1:] == y[:-1]))
    features = arms["features"].prequential("market")
    last_label = arms["last-label"].prequential("market")
    return {
        "naive": naive,
        "majority": float(max(np.mean(y), 1 - np.mean(y))),
        "features": features,
        "last_label": last_label,
        "lead_points": max(features, last_label) - naive,
    }


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    lead = metrics["lead_points"] or 0.0
    better = "beats" if lead > 0 else "does not beat"
    if abs(lead) < LEVEL:
        better = "is level with"
    return (
        f"the better device {better} the naive guess, {100 * lead:+.2f} points "
        f"to {metrics['naive']:.2%}; from the features alone it is at "
        f"{metrics['features']:.1%}"
    )
