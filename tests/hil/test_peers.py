"""Programs are listed beside ours when they learn the same, and not when they do less."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from hil import Experiment
from hil.cli import main
from hil.errors import Divergence, UsageError
from hil.lesson.lesson import Lesson
from hil.measuring.peers import bench, counting, programs
from hil.measuring.peers.bench import lesson_for
from hil.measuring.peers.programs import Made, Weights

SMALL = {"network": (64, 6, 10), "steps": 40}


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    return lesson_for(Experiment().override(SMALL))


def test_ours_plain_c_numpy_and_scikit_learn_end_with_the_same_weights(
    host_cc: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "FLAGS", bench.FLAGS[:1])
    monkeypatch.setattr(bench, "ROUNDS", 1)
    monkeypatch.setitem(bench.MODULES, "PyTorch", "no_such_module")
    given = ["bench", "peers", "--network", "64-6-10", "--steps", "40", "--json", "-"]
    assert main(given) == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    found = {one["name"]: one for one in document["peers"]}
    assert list(found) == ["hil", "plain C", "numpy", "scikit-learn", "PyTorch"]
    for name in ("hil", "plain C", "numpy", "scikit-learn"):
        assert found[name]["rate"] > 0 and found[name]["off"] <= document["tolerance"]
    assert found["hil"]["off"] == 0
    assert found["PyTorch"]["rate"] is None
    assert "| PyTorch |" in told.err and "not installed" in told.err


def lazy(weights: Weights, scale: np.float32, eta: np.float32) -> Made:
    """Learns only the last layer."""
    kept = [each.copy() for each in weights[:2]]
    whole = [each.copy() for each in weights]
    learn, left, settings = programs.with_numpy(whole, scale, eta)
    return learn, lambda: [*kept, *left()[2:]], settings


def test_a_program_that_does_less_work_is_not_listed(lesson: Lesson) -> None:
    x, y = lesson.samples(range(lesson.steps))
    assert y is not None
    learner = bench.Learner(lesson.spec)
    start = [tensor.copy() for tensor in learner.state.values()]
    for step in range(lesson.steps):
        learner.step(*lesson.sample(step), lesson.eta(step))
    judge = bench._Judge(start, list(learner.state.values()))
    for made, honest in ((programs.with_numpy, True), (lazy, False)):
        scale = np.float32(lesson.spec.inputs.scale)
        learn, left, _ = made([each.copy() for each in start], scale, lesson.eta(0))
        learn(x, y.astype(np.int64))
        if honest:
            assert judge.off("numpy", left()) < bench.TOLERANCE
            continue
        with pytest.raises(Divergence, match="lazy ends"):
            judge.off("lazy", left())


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"scaler": "standard"}, "comes with a scaler, or as windows"),
        ({"steps": 3000}, "more than an epoch"),
    ],
)
def test_steps_that_the_others_have_no_words_for_are_refused(
    keys: dict[str, object], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        lesson_for(Experiment().override({**SMALL, **keys}))


def test_what_is_counted_is_what_more_steps_take_more() -> None:
    def run(steps: int, before: object) -> str:
        return f"==1== I   refs:      {5000 + 70 * steps:,}\n"

    assert counting.instructions(run, 30) in (70.0, None)  # None: without valgrind
    assert counting.instructions(lambda *_: "killed", 30) is None


def test_a_program_that_cannot_be_run_is_not_counted_and_ends_a_measurement(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "LIMIT", 0.01)

    def run(steps: int, before: Sequence[str]) -> str:
        return bench._ran("numpy", lesson, [], steps, 1, before)[1]

    assert counting.instructions(run, 30) is None
    with pytest.raises(Divergence, match="numpy has not ended within"):
        run(30, ())
