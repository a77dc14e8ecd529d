"""`hil bench accuracy`: what the rules reach, proved step by step.

Each rule and seed learns on the experiment's target in lockstep with the
reference, and the first steps are learned again on a second target, which must
hold the same digest after them.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hil.errors import Divergence
from hil.experiment import Experiment
from hil.record import METRICS
from hil.session import run


@dataclass(frozen=True)
class Trained:
    """One training: `accuracy` on the test samples by inference on the device
    (0..1), `digest` of the final state, `prefix` the digest after the steps
    that the second target repeated."""

    rule: str
    seed: int
    accuracy: float
    digest: str
    prefix: str


@dataclass(frozen=True)
class Summary:
    """Mean and sample standard deviation over the seeds of one rule."""

    rule: str
    seeds: tuple[int, ...]
    mean: float
    std: float


def train(experiment: Experiment, second: str, prefix: int, out: Path) -> Trained:
    """Train once and repeat the first `prefix` steps on target `second`.

    Raises `Divergence` when device and reference, or the two targets, differ,
    and whatever a run raises.
    """
    record = run(experiment, out=out)
    if record.result != "pass" or record.accuracy["test"] is None:
        raise Divergence(
            f"rule {experiment.rule} with seed {experiment.seed} did not pass on "
            f"{record.target}: see {record.folder}"
        )
    lines = (Path(record.folder) / METRICS).read_text(encoding="utf-8").splitlines()
    here = str(json.loads(lines[prefix - 1])["digest"])
    again = run(
        experiment.override({"target": second, "steps": prefix, "test": 0}), out=out
    )
    if again.digest != here:
        raise Divergence(
            f"rule {experiment.rule} with seed {experiment.seed} has digest {here} after "
            f"{prefix} steps on {record.target}, but {again.digest} on {second}: "
            f"see {again.folder}"
        )
    assert record.digest is not None
    return Trained(
        record.rule, record.seed, record.accuracy["test"], record.digest, here
    )


def train_all(
    experiments: Iterable[Experiment], second: str, prefix: int, out: Path, jobs: int
) -> Iterator[Trained]:
    """`train` for each, `jobs` at a time, in the order given."""
    with ProcessPoolExecutor(jobs) as pool:
        futures = [pool.submit(train, one, second, prefix, out) for one in experiments]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def summarise(trained: Iterable[Trained]) -> list[Summary]:
    """A summary a rule, in the order in which the rules come."""
    found: dict[str, list[Trained]] = {}
    for one in trained:
        found.setdefault(one.rule, []).append(one)
    return [
        Summary(
            rule,
            tuple(one.seed for one in ones),
            statistics.mean(one.accuracy for one in ones),
            statistics.stdev(one.accuracy for one in ones) if len(ones) > 1 else 0.0,
        )
        for rule, ones in found.items()
    ]
