"""What is taught when: the order, the labels and the rate of every step, written once
more in plain Python. Device and reference are told the same, so neither can tell."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from hil import Experiment
from hil.data import datasets
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from tests.hil.test_datasets import permutation

TRAINED = 1437
LR, DECAY = 0.03, 0.95


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    """Three epochs of the digits."""
    return prepare(Experiment(target="host", seed=5, epochs=3, lr=LR, lr_decay=DECAY))


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_step_has_the_sample_and_the_label_of_its_place(
    lesson: Lesson, epoch: int
) -> None:
    with np.load(Path(datasets.__file__).parent / "digits.npz") as file:
        x, y = file["x"], file["y"]
    split = permutation(0x5EED, 0, len(y))[:TRAINED]
    order = permutation(5, 1000 + epoch, TRAINED)
    for place in (0, 1, 255, 256, 1023, 1024, TRAINED - 1):
        step = epoch * TRAINED + place
        sample, label = lesson.sample(step)
        np.testing.assert_array_equal(sample, x[split[order[place]]])
        assert label == lesson.label(step) == y[split[order[place]]]


@pytest.mark.parametrize("epoch", [0, 1, 2, 19])
def test_the_rate_falls_where_an_epoch_begins(lesson: Lesson, epoch: int) -> None:
    """lr decay^epoch, rounded to binary32 once; exactly, in fractions."""
    rate = np.float32(float(Fraction(LR) * Fraction(DECAY) ** epoch))
    first = epoch * TRAINED
    for step in (first, first + TRAINED // 2, first + TRAINED - 1):
        assert lesson.eta(step) == rate
    assert lesson.eta(first + TRAINED) < rate


def test_a_frozen_lesson_has_no_rate_from_its_step_on() -> None:
    frozen = prepare(Experiment(target="host", steps=20, freeze=7, lr=LR))
    assert [float(frozen.eta(step)) for step in (6, 7, 19)] == [np.float32(LR), 0, 0]


@pytest.mark.parametrize(("elements", "fitting"), [(784, 4), (27648, 2), (40000, 1)])
def test_a_frame_has_as_many_samples_as_fit(elements: int, fitting: int) -> None:
    """27,648 numbers are an image of 96 x 96 pixels."""
    data = (np.zeros((4, elements), np.uint8), np.arange(4) % 2)
    found = prepare(Experiment(data=data, network=f"{elements}-2")).experiment
    assert found.samples_per_frame == fitting
