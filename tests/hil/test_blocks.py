"""What is done for some steps at once is what was done for each by itself."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import hil
from codegen import protocol
from codegen.protocol import StepFlag
from codegen.reference import Learner
from hil import Experiment
from hil.device import replies
from hil.device.device import travel
from hil.device.replies import Asked
from hil.key_values import InMemory
from hil.learning.metrics import Metrics
from hil.learning.telling import Learned
from hil.lesson.building import plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import SAMPLES, SAMPLES_ALONE, prepare

LESSONS: dict[str, Mapping[str, object]] = {
    "digits": {"epochs": 3, "lr": 0.03, "lr_decay": 0.9},
    "frozen": {"epochs": 2, "freeze": 1000},
    "rehearsing": {"epochs": 2, "rehearsal": 40, "rehearse": 2},
    "vectors": {"data": "friedman", "steps": 400},
    "autoencoder": {"goal": "sample", "network": "64-8-64", "steps": 400},
}


@pytest.fixture(scope="module")
def lessons() -> dict[str, Lesson]:
    made = {name: Experiment(target="host").override(k) for name, k in LESSONS.items()}
    return {name: prepare(experiment) for name, experiment in made.items()}


def alone(lesson: Lesson, step: int) -> bytes:
    """A sample as it travels, from what a step by itself is told."""
    sample, target = lesson.sample(step)
    if target is None:
        return sample.tobytes()
    if isinstance(target, int):
        return struct.pack("<H", target) + sample.tobytes()
    return struct.pack(f"<{target.size}f", *target) + sample.tobytes()


@pytest.mark.parametrize("name", LESSONS)
@settings(max_examples=40)
@drawn(data=st.data())
def test_steps_together_are_told_what_each_is_told(
    lessons: dict[str, Lesson], name: str, data: st.DataObject
) -> None:
    lesson = lessons[name]
    first = data.draw(st.integers(0, lesson.steps - 1) | st.integers(1430, 1440))
    first = min(first, lesson.steps - 1)
    steps = range(
        first, data.draw(st.integers(first + 1, min(first + 40, lesson.steps)))
    )
    apart = b"".join(alone(lesson, step) for step in steps)
    equal = travel(*lesson.samples(steps)) == apart  # their difference is for nobody
    assert equal
    assert lesson.labels(steps) == [lesson.label(step) for step in steps]
    assert lesson.etas(steps) == [float(lesson.eta(step)) for step in steps]


@settings(max_examples=60)
@drawn(
    samples=st.sampled_from(["u1", "<i2", "<f4"]).flatmap(
        lambda kind: arrays.arrays(
            kind, st.tuples(st.integers(1, 9), st.integers(1, 9))
        )
    ),
    labels=st.lists(st.integers(0, 65535), min_size=9, max_size=9),
)
def test_samples_travel_one_after_another_each_behind_its_label(
    samples: np.ndarray, labels: list[int]
) -> None:
    given = np.array(labels[: len(samples)], "<u2")
    rows = zip(given, samples, strict=True)
    apart = b"".join(struct.pack("<H", label) + x.tobytes() for label, x in rows)
    assert travel(samples, given) == apart
    assert travel(samples, None) == samples.tobytes()


PLAN = plan_for(prepare(Experiment(target="host", network=(64, 3, 10), steps=9)))


@settings(max_examples=60)
@drawn(
    words=arrays.arrays("<u4", st.tuples(st.integers(1, 9), st.just(12))),
    digested=st.booleans(),
)
def test_results_together_are_the_results_one_by_one(
    words: np.ndarray, digested: bool
) -> None:
    flags, count = StepFlag.DIGEST if digested else StepFlag(0), len(words)
    asked = Asked(protocol.STEP, {"step": 7, "count": count, "flags": flags})
    assert protocol.STEP.reply is not None
    payload = protocol.STEP.reply.pack(7, flags, count, 0, tail=words.tobytes())
    told = replies.step_results(asked, payload, PLAN)
    assert [each.step for each in told] == list(range(7, 7 + count))
    for each, row in zip(told, words, strict=True):
        digest = each.digest if digested else int(row[1])
        again = each.loss.tobytes() + struct.pack("<I", digest) + each.outputs.tobytes()
        assert again == row.tobytes()
        assert (each.digest is not None) == digested


def test_lines_written_together_are_those_written_one_by_one(tmp_path: Path) -> None:
    dice = np.random.default_rng(1)
    done = [
        Learned(
            step, step // 30, float(dice.random()), int(dice.integers(3)),
            int(dice.integers(3)), float(dice.random()), 0.1, None, None, 1, 0,
        )
        for step in range(90)
    ]  # fmt: skip
    for name, size in (("one", 1), ("some", 7), ("all", 90)):
        with Metrics(tmp_path / name) as metrics:
            for first in range(0, len(done), size):
                metrics.add_all(done[first : first + size])
    one, some, all_ = ((tmp_path / n).read_bytes() for n in ("one", "some", "all"))
    assert one == some == all_ and one.count(b"\n") == 90


@pytest.mark.parametrize(
    "keys, wanted",
    [
        ({}, SAMPLES),
        ({"compare": "none"}, SAMPLES_ALONE),
        ({"prefix": 9}, SAMPLES_ALONE),
        ({"compare": "none", "target": "qemu-rv64gcv"}, SAMPLES),
        ({"compare": "none", "ram": 300_000}, SAMPLES),
        ({"compare": "none", "samples_per_frame": 3}, 3),
    ],
)
def test_frames_are_long_where_a_native_process_learns_alone(
    keys: Mapping[str, object], wanted: int
) -> None:
    lesson = prepare(Experiment(target="host", steps=99).override(keys))
    assert lesson.samples_a_frame == wanted


def test_a_long_frame_holds_as_many_samples_as_have_room() -> None:
    x = np.random.default_rng(1).integers(0, 255, (8, 1000)).astype(np.uint8)
    data = InMemory({"x": x, "y": np.arange(8) % 2})
    lesson = prepare(Experiment(target="host", data=data, compare="none", steps=8))
    assert lesson.samples_a_frame == 16  # of 1,002 bytes each


@pytest.mark.parametrize("compare", ["every", "none"])
def test_what_is_told_of_each_step_is_what_the_reference_says_of_it(
    host_cc: str, tmp_path: Path, compare: str
) -> None:
    given = Experiment(target="host", network=(64, 5, 10), steps=45, test=0)
    lesson = prepare(given.override({"compare": compare}))
    told = hil.run(lesson.experiment, out=tmp_path).history()
    learner = Learner(lesson.spec)
    for step in range(lesson.steps):
        result = learner.step(*lesson.sample(step), lesson.eta(step))
        assert told["step"][step] == step
        assert told["label"][step] == lesson.label(step)
        assert told["predicted"][step] == result.p.argmax()
        assert told["confidence"][step] == result.p.max()
        assert told["loss"][step] == result.loss
