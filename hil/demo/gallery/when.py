"""Stimuli, and outcomes that follow them late and not always."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from hil.claims import when
from hil.demo import Arm, Part, Stream


def streams(seed: int) -> dict[str, Stream]:
    """Moments for cells, and the same as the taps of a delay line; each world a part."""
    found, steps = when.trials(seed)
    x, y = when.events(found, steps)
    changed = next(trial.at for trial in found if trial.world is when.WORLDS[1])
    ends, labels = (changed, steps), when.classes(y)
    return {
        "moments": _stream(x, labels, ends),
        "taps": _stream(when.taps(x), labels, ends),
    }


def _stream(x: np.ndarray, y: np.ndarray, ends: tuple[int, ...]) -> Stream:
    """A test would be answered from the last moment there is: one sample stands for it."""
    test, begins = (x[:1], y[:1]), (0, *ends)
    return Stream(
        [
            Part(world.name, x[first:end], y[first:end], test)
            for world, first, end in zip(when.WORLDS, begins, ends, strict=False)
        ]
    )


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """What is said of each outcome before it begins, and one step after it has begun."""
    found, _ = when.trials(arms["cells"].record["seed"])
    told = {
        name: np.concatenate([arm.answers(world.name) for world in when.WORLDS])[:, 1:]
        for name, arm in arms.items()
    }
    made: dict[str, float | None] = {}
    for world, stimulus in product(when.WORLDS, (0, 1)):
        about = f"{world.name}_{'ab'[stimulus]}"
        for name, answers in told.items():
            said, share = when.foretold(found, answers, world, stimulus)
            made |= {f"{about}_share": share, f"{about}_{name}": said}
    return made | {f"begun_{name}": _begun(found, said) for name, said in told.items()}


def _begun(found: list[when.Trial], answers: np.ndarray) -> float:
    """The mean answer in the second step of outcomes that came."""
    at = [
        (trial.at + trial.world.delays[trial.stimulus] - when.WIDE + 1, trial.stimulus)
        for trial in found
        if trial.came
    ]
    return float(np.mean([answers[place] for place in at]))


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    return (
        f"within {when.TRIALS} trials of a changed world the delay line foretells A's outcome with "
        f"{metrics['changed_a_line']:.0%} (it came in {metrics['changed_a_share']:.0%}) and B's with "
        f"{metrics['changed_b_line']:.0%} ({metrics['changed_b_share']:.0%}); the cells foretell nothing "
        f"({metrics['changed_a_cells']:.0%} and {metrics['changed_b_cells']:.0%}), and one step after an outcome "
        f"has begun they repeat it ({metrics['begun_cells']:.0%})"
    )
