"""Digits, each once, and who spikes when the first one is presented."""

from __future__ import annotations

from collections.abc import Mapping

from hil.data import datasets
from hil.demo import Arm, Part, Stream


def streams(seed: int) -> dict[str, Stream]:
    """The training part in the order of an epoch; the test part tests."""
    data = datasets.load("digits")
    order = datasets.order(seed, 0, len(data.train_x))
    tests = data.test_x, data.test_y
    part = Part("digits", data.train_x[order], data.train_y[order], tests)
    return {"digits": Stream([part], scale=data.inputs.scale)}


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """Accuracies of test digits, and in how many ticks any cell spikes."""
    learning, still = (
        arms[name].test("digits", after="digits") for name in ("learning", "still")
    )
    return {
        "before": arms["learning"].test("digits"),
        "learning": learning,
        "still": still,
        "gain_points": learning - still,
        **{f"spiking_{when}": _spiking(arms, when) for when in ("before", "after")},
    }


def _spiking(arms: Mapping[str, Arm], when: str) -> float:
    """Share of the first digit's ticks in which a cell spikes."""
    kept = arms["learning"].cycles(when)
    cells = len(kept["moved"])  # the raster has this number where none does
    return float((kept["raster"] < cells).mean())


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    return (
        f"cells that learn by STDP bring {metrics['learning']:.1%} of the test digits, random "
        f"ones {metrics['still']:.1%}, and it was {metrics['before']:.1%} before anything was "
        f"learned; a cell spikes in {metrics['spiking_before']:.0%} of the first digit's ticks "
        f"before learning and in {metrics['spiking_after']:.0%} after it"
    )
