"""A synapse whose two sides fire at one rate, then at another: it grows where the rate
rises, shrinks where it falls, and stays where it does not change (Jang et al. 2026).

Four synapses at once, from one sender to four units. Each unit's answer is the calcium of
the first rate, its outcome that of the second; the rule is the one that learns digits.
Calcium is 8 s r of the two sides' traces (O'Reilly 2026, arXiv 2606.08720), which at a
steady rate are 8 spikes a ms: so it is given in units in which 50 Hz are 0.8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hil.claims import Row, Tried
from hil.learning.opened import open
from hil.learning.progress import Progress
from hil.lesson import weights
from hil.records.record import CYCLES

TITLE = "a synapse learns from how its rate changes: 25 to 50 Hz up, 50 to 25 Hz down"
SOURCE = "Jang et al. 2026; O'Reilly 2026, arXiv 2606.08720"

PROTOCOLS = {"25-50": (25, 50), "50-25": (50, 25), "25-25": (25, 25), "50-50": (50, 50)}
"""Hz in the first 100 ms and in the second."""
UNIT = 1.6
"""Calcium of a unit whose activity is 1."""
FLAT = 0.25
"""Of what 25-50 gives: so much at most is next to nothing."""
SPIKES = {"25-50": 0.28, "50-25": -0.22, "25-25": -0.05, "50-50": -0.03}
"""What a study of single spikes has found of the same synapse, for comparison."""
RULE = {
    "trace": "on", "minus": 20, "dt": 1.0, "cycles": 200, "outcome": 0.5, "tau_m": 1.0,
    "tau_p": 8.0, "tau_d": 8.0,
}  # fmt: skip
"""A cycle is a ms, so that tau is 5, 40 and 40 ms."""


def tried(keys: Mapping[str, Any], out: Path, progress: Progress) -> Tried:
    """Of a device that learns one step, whose cycles are read."""
    names = list(PROTOCOLS)
    first, second = np.array(
        [[activity(hz) for hz in PROTOCOLS[name]] for name in names], np.float32
    ).T
    with open(
        network=(1, len(names)), rule="kinase", goal="vector", parameters=RULE,
        dtype="float32", out=out, progress=progress, name="kinase-2x2", **keys,
    ) as device:  # fmt: skip
        still = np.zeros((1, len(names)), np.float32)
        device.set_weights({"W1": still, "b1": np.log(first / (1 - first))})
        device.step(np.ones(1, np.float32), second)
    kept = weights.read(str(device.record.folder / CYCLES))
    fast, slow = (kept[f"before_trace_{name}1"][-1] for name in ("cap", "cad"))
    gave = dict(zip(names, (UNIT * (fast - slow)).tolist(), strict=True))
    return Tried(tuple(rows(gave)), notes(), device.record)


def activity(hz: float) -> float:
    """Of a unit that stands for a synapse whose sides fire at so many Hz."""
    side = 8 * hz / 1000
    return 8 * side * side / UNIT


def rows(gave: Mapping[str, float]) -> list[Row]:
    """CaP - CaD of each protocol beside what was published."""
    up = gave["25-50"]
    found = [
        Row("25 Hz to 50 Hz", "grows", up, up > 0),
        Row("50 Hz to 25 Hz", "shrinks", gave["50-25"], gave["50-25"] < 0),
    ]
    return found + [
        Row(
            f"{hz} Hz to {hz} Hz", "next to nothing", gave[f"{hz}-{hz}"],
            abs(gave[f"{hz}-{hz}"]) < FLAT * math.fabs(up),
        )
        for hz in (25, 50)
    ]  # fmt: skip


def notes() -> tuple[str, ...]:
    """What the figures are, and are not."""
    spikes = ", ".join(f"{value:+.2f}" for value in SPIKES.values())
    return (
        "CaP - CaD after 200 ms, from which the weight moves; next to nothing: under a "
        "quarter of what 25 to 50 Hz gives",
        "rates, not spikes: a study of single spikes has " + spikes,
        "the integrators begin where the first rate has brought them; from zero, 50 Hz "
        "would seem to rise",
    )
