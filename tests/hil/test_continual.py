"""Measures of continual learning, against cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.records import continual

R = [[0.9, 0.2, 0.1], [0.6, 0.8, 0.3], [0.5, 0.7, 0.95]]


def test_the_matrix_gives_average_accuracy_and_transfers() -> None:
    assert continual.average_accuracy(R) == pytest.approx((0.5 + 0.7 + 0.95) / 3)
    assert continual.backward_transfer(R) == pytest.approx((-0.4 - 0.1) / 2)
    assert continual.forward_transfer(R, [0.1, 0.1, 0.1]) == pytest.approx(
        (0.1 + 0.2) / 2
    )


def test_forgetting_is_from_the_best_there_was() -> None:
    risen = [[0.5, None], [0.9, 0.2], [0.6, 0.3]]
    assert continual.forgetting(R) == pytest.approx((0.4 + 0.1) / 2)
    assert continual.forgetting([*risen]) == pytest.approx((0.9 - 0.6 + 0.2 - 0.3) / 2)
    known_before = [[0.9, 0.8], [0.7, 0.5], [0.6, 0.4]]
    assert continual.forgetting(known_before) == pytest.approx((0.3 + 0.4) / 2)


def test_a_task_without_tests_counts_for_nothing() -> None:
    rows = [[0.9, 0.2, None], [0.6, 0.8, None], [0.7, 0.7, None]]
    assert continual.average_accuracy(rows) == pytest.approx(0.7)
    assert continual.backward_transfer(rows) == pytest.approx((-0.2 - 0.1) / 2)
    assert continual.forward_transfer(rows, [0.1, 0.1, None]) == pytest.approx(0.1)


def test_one_task_has_no_transfer() -> None:
    assert continual.backward_transfer([[0.9]]) is None
    assert continual.forward_transfer([[0.9]], [0.1]) is None
    assert continual.forgetting([[0.9]]) is None
    assert continual.average_accuracy([]) is None


def test_the_window_forgets_what_has_left_it() -> None:
    sliding = continual.Sliding(4)
    assert sliding.accuracy is None
    seen = []
    for right in (True, True, False, True, False, False):
        sliding.add(right)
        seen.append(sliding.accuracy)
    assert seen == [1, 1, 2 / 3, 3 / 4, 2 / 4, 1 / 4]


def test_fading_weighs_the_latest_most() -> None:
    fading = continual.Fading(0.5)
    for right in (True, False, True):
        fading.add(right)
    assert fading.accuracy == pytest.approx((1 + 0.25) / (1 + 0.5 + 0.25))


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_window_and_fading_are_what_their_sums_say(rights: list[bool]) -> None:
    sliding, fading = continual.Sliding(), continual.Fading()
    for right in rights:
        sliding.add(right)
        fading.add(right)
    latest = rights[-continual.WINDOW :]
    assert sliding.accuracy == sum(latest) / len(latest)
    weights = continual.FADING ** np.arange(len(rights))[::-1]
    assert fading.accuracy == pytest.approx((weights @ rights) / weights.sum())


def recovery(rights: list[bool], drift: int, end: int, window: int) -> int | None:
    """Steps to recover from a drift before step `drift`, in a task that ends then."""
    sliding = continual.Sliding(window)
    for right in rights[:drift]:
        sliding.add(right)
    found = continual.Recovery(sliding.right, window)
    for right in rights[drift:end]:
        found.add(right)
    return found.steps


def test_recovery_counts_from_the_drift_to_a_whole_good_window() -> None:
    before, worse = [True] * 4, [False] * 3
    right = before + worse + [True] * 6
    # windows of 4 after the drift: FFFT, FFTT, FTTT, TTTT at its 7th sample
    assert recovery(right, 4, len(right), window=4) == 7
    assert recovery(right, 4, 10, window=4) is None, "not before that task ends"
    assert recovery(right, 3, len(right), window=4) is None, "nothing to recover"


def test_a_device_that_never_fell_has_recovered_after_one_window() -> None:
    assert recovery([True] * 10, 5, 10, window=3) == 3


def test_calibration_error_weighs_bins_by_their_samples() -> None:
    confidence = [0.95, 0.95, 0.95, 0.95, 0.15, 0.15]
    right = [True, True, True, False, False, True]
    by_hand = (abs(3 - 3.8) + abs(1 - 0.3)) / 6
    assert continual.calibration_error(confidence, right, 10) == pytest.approx(by_hand)
    assert continual.calibration_error([1.0, 0.0], [True, False]) == 0
    assert continual.calibration_error([1.5], [True]) is None
    assert continual.calibration_error([], []) is None
