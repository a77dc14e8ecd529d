"""Heads without a gradient, against scikit-learn's, and classes that come one by one."""

from __future__ import annotations

import math
from contextlib import nullcontext

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import NearestCentroid

from codegen import rules
from codegen.class_heads import UNSEEN
from codegen.errors import SpecError
from codegen.reference import Learner
from codegen.spec import Clip, Inputs, Network, RuleChoice, Spec

TRAIN = 1200
SOME = 160
"""Samples of a head whose step takes numpy long."""


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    return x.astype(np.uint8), y


def learner(n_out: int = 10, rule: str = "ncm", clip: Clip = Clip()) -> Learner:  # noqa: B008
    network = Network((64, n_out), output="softmax")
    return Learner(Spec(network, RuleChoice(rule), Inputs("u8", 16.0), clip=clip))


def taught(x: np.ndarray, y: np.ndarray, rule: str = "ncm") -> Learner:
    made = learner(rule=rule)
    for sample, label in zip(x, y, strict=True):
        made.step(sample, int(label), 1.0)
    return made


def answers(made: Learner, x: np.ndarray) -> np.ndarray:
    return np.array([made.infer(sample).argmax() for sample in x])


def test_it_answers_as_scikit_learns_nearest_centroid(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    made = taught(x[:TRAIN], y[:TRAIN])
    theirs = NearestCentroid().fit(x[:TRAIN] / 16, y[:TRAIN])
    np.testing.assert_allclose(made.state["W1"].T, theirs.centroids_, atol=1e-5)
    assert np.array_equal(answers(made, x[TRAIN:]), theirs.predict(x[TRAIN:] / 16))


@pytest.fixture(scope="module")
def discriminant(digits: tuple[np.ndarray, np.ndarray]) -> Learner:
    """After a few samples."""
    x, y = digits
    return taught(x[:SOME], y[:SOME], "slda")


def test_it_answers_as_scikit_learns_linear_discriminant_analysis(
    digits: tuple[np.ndarray, np.ndarray], discriminant: Learner
) -> None:
    """Of all samples at once, with the same shrinkage, the priors taken off again."""
    x, y = digits
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.01)
    theirs.fit(x[:SOME] / 16, y[:SOME])
    w, b = discriminant.state["W1"].T, discriminant.state["b1"]
    offset = theirs.intercept_ - np.log(theirs.priors_)
    np.testing.assert_allclose(w, theirs.coef_, atol=2e-3 * np.abs(theirs.coef_).max())
    np.testing.assert_allclose(b, offset, rtol=2e-3)
    scores = x[TRAIN:] / 16 @ theirs.coef_.T + offset
    agree = answers(discriminant, x[TRAIN:]) == scores.argmax(axis=1)
    assert agree.mean() > 0.995


def test_a_covariance_is_that_of_numpy(
    digits: tuple[np.ndarray, np.ndarray], discriminant: Learner
) -> None:
    x, y = digits[0][:SOME] / 16, digits[1][:SOME]
    apart = x - np.stack([x[y == c].mean(axis=0) for c in range(10)])[y]
    there = (apart.T @ apart / SOME)[np.tril_indices(64)]
    np.testing.assert_allclose(discriminant.state["cov"], there, atol=1e-6)


def test_it_learns_digits_better_than_means_alone(
    digits: tuple[np.ndarray, np.ndarray], discriminant: Learner
) -> None:
    x, y = digits
    few = taught(x[:SOME], y[:SOME])
    right = [np.mean(answers(m, x[TRAIN:]) == y[TRAIN:]) for m in (few, discriminant)]
    assert right[1] > right[0] + 0.02


def test_classes_that_come_one_by_one_are_learned_as_if_they_came_mixed(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    """A step of one class leaves the others as they are, to the bit."""
    x, y = digits
    one_by_one = np.argsort(y[:TRAIN], kind="stable")
    sorted_, mixed = taught(x[one_by_one], y[one_by_one]), taught(x[:TRAIN], y[:TRAIN])
    assert sorted_.digest() == mixed.digest()


def test_a_class_without_samples_is_never_the_answer(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    few = y[:TRAIN] < 3
    made = taught(x[:TRAIN][few], y[:TRAIN][few])
    assert set(answers(made, x[TRAIN:])) == {0, 1, 2}
    assert made.infer(x[0])[3:].max() < 1e-37


def test_the_first_sample_of_a_class_costs_what_guessing_costs(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = digits
    made = learner()
    first = made.step(x[0], int(y[0]), 1.0)
    assert first.loss == np.float32(math.log(10))
    assert made.step(x[0], int(y[0]), 1.0).loss == 0


def test_more_features_than_a_step_has_time_for_are_refused() -> None:
    for features, words in ((1024, ""), (1025, "learns from 1,025 numbers here")):
        network = Network((features, 2), output="softmax")
        spec = Spec(network, RuleChoice("slda"), Inputs("f32", 1))
        refused = pytest.raises(SpecError, match=words) if words else nullcontext()
        with refused:
            rules.require(rules.get(spec.rule), spec)


def test_means_stay_within_the_limit_of_weights() -> None:
    made = learner(2, clip=Clip(weights=0.5))
    made.step(np.full(64, 255, np.uint8), 1, 1.0)
    assert set(made.state["W1"][:, 1]) == {np.float32(0.5)}
    assert made.state["b1"].tolist() == [np.float32(UNSEEN), -8.0]


def test_a_mean_too_large_for_its_square_is_no_answer() -> None:
    spec = Spec(Network((1, 2), output="softmax"), RuleChoice("ncm"), Inputs("f32", 1))
    made = Learner(spec)
    made.step(np.array([3e30], np.float32), 1, 1.0)
    assert made.state["b1"][1] == np.float32(UNSEEN)


def test_a_count_of_2_24_stays() -> None:
    made = learner(2)
    made.state["counts"][:] = 2**24
    made.step(np.full(64, 16, np.uint8), 1, 1.0)
    assert made.state["counts"].tolist() == [2**24, 2**24]
    assert made.state["W1"][0, 1] == np.float32(2**-24)
