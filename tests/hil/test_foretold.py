"""The demo of what comes when, the answers that its devices keep, and the picture of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil import demo as demos
from hil.claims import when
from hil.demo import Outcome
from hil.demo.arm import Arm
from hil.errors import UsageError
from hil.learning.progress import Progress
from hil.records.record import METRICS
from hil.reports import foretold, runs
from hil.reports.runs import Task

pytestmark = pytest.mark.usefixtures("host_cc")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Outcome:
    """The demo that ships, with two trials of each world, one of each stimulus."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(when, "TRIALS", 2)
        out = tmp_path_factory.mktemp("when")
        return demos.run(
            demos.find("when"), {"target": "host", "seed": 20}, out, Progress()
        )


def test_every_answer_is_kept_and_is_a_probability(outcome: Outcome) -> None:
    for name, record in outcome.arms.items():
        arm = Arm(name, record.to_json())
        told = np.concatenate([arm.answers(task) for task in arm.tasks])
        assert told.shape == (record.compared, 3) == (record.steps, 3)
        assert told.min() >= 0 and told.max() <= 1
        lines = (record.folder / METRICS).read_text().splitlines()
        assert json.loads(lines[-1])["outputs"] == pytest.approx(
            np.log(told[-1] / (1 - told[-1])).tolist(), abs=1e-3
        )
    assert set(outcome.metrics) == set(outcome.demo.metrics)


def test_an_arm_that_keeps_no_answers_says_how_it_would(
    outcome: Outcome, tmp_path: Path
) -> None:
    document = {**outcome.arms["line"].to_json(), "folder": str(tmp_path)}
    (tmp_path / METRICS).write_text('{"task": 0, "loss": 1.0}\n')
    with pytest.raises(
        UsageError, match="'line' has kept no answers: expected answers"
    ):
        Arm("line", document).answers("first")


def test_answers_are_drawn_around_what_they_foretell(outcome: Outcome) -> None:
    label = np.zeros(200, int)
    label[60:65] = label[120:125] = 2
    answers = np.zeros((200, 3))
    answers[60, 2], answers[120, 2] = 1, 0.5
    mean, there, times = foretold.around(label, answers, Task("all", 0, 200), 2)
    assert (times, mean[foretold.BEFORE], mean.sum()) == (2, 0.75, 0.75)
    assert np.flatnonzero(there).tolist() == list(range(30, 35))
    assert foretold.around(label, answers, Task("late", 100, 200), 2)[2] == 0
    told = runs.load([outcome.folder]).runs
    pictures = [picture for run in told for picture in foretold.of_run(run)]
    assert [picture.name for picture in pictures] == ["foretold-1", "foretold-2"]
    assert all(picture.svg() for picture in pictures)
    votes = replace(told[0], document={**told[0].document, "format": "spikes"})
    assert not list(foretold.of_run(votes)), "votes are no probabilities"
    (bare,) = runs.load([outcome.arms["line"].folder]).runs
    bare.steps.label[:] = 0
    assert not list(foretold.of_run(bare)), "nothing ever comes"
