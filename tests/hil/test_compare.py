"""Comparison: any bit counts, and the first difference is the one reported."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.reference import Result
from hil.device.replies import StepResult
from hil.learning.compare import (
    Expected,
    compare,
    difference,
    digest_difference,
    fold,
    same,
    ulp_distance,
)

BITS = st.integers(0, 0xFFFFFFFF)


def bits(value: float) -> int:
    return int(np.float32(value).view(np.uint32))


@given(BITS)
def test_the_next_number_is_one_ulp_away(pattern: int) -> None:
    value = np.uint32(pattern).view(np.float32)
    if not np.isfinite(value):
        return
    above = np.nextafter(value, np.float32(np.inf))
    expected = 2 if value == 0 and np.signbit(value) else 1  # nextafter(-0) skips +0
    assert ulp_distance(pattern, bits(above)) == expected


@given(BITS, BITS)
def test_distance_is_symmetric_and_zero_only_for_equal_bits(a: int, b: int) -> None:
    there, back = ulp_distance(a, b), ulp_distance(b, a)
    assert there == back
    if there is not None:
        assert (there == 0) == (a == b)


def test_the_first_difference_has_its_place_in_every_dimension() -> None:
    ours = np.arange(12, dtype=np.float32).reshape(3, 4)
    theirs = ours.copy()
    theirs[2, 1] = np.nextafter(theirs[2, 1], np.float32(100))
    theirs[2, 3] = 7
    found = difference(5, "W1", theirs, ours)
    assert found is not None
    assert (found.step, found.tensor, found.index, found.ulp) == (5, "W1", (2, 1), 1)
    assert found.reference_bits == bits(9.0)


def test_zeros_of_two_signs_differ() -> None:
    found = difference(0, "d1", np.float32([-0.0]), np.float32([0.0]))
    assert found is not None and found.ulp == 1


def test_equal_nans_are_equal_and_unequal_ones_are_not() -> None:
    nan = np.uint32([0x7FC00000]).view(np.float32)
    other = np.uint32([0x7FC00001]).view(np.float32)
    assert difference(0, "p", nan, nan.copy()) is None
    found = difference(0, "p", other, nan)
    assert found is not None and found.ulp is None
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["device"] == "nan"


def told(step: int = 3, loss: float = 0.5, digest: int | None = 7) -> StepResult:
    return StepResult(step, np.float32(loss), np.float32([0.25, 0.75]), digest)


EXPECTED = Expected(3, Result(np.float32([0.25, 0.75]), np.float32(0.5)), 7, label=1)


@pytest.mark.parametrize(
    ("device", "tensor"),
    [
        (told(), None),
        (told(digest=None), "digest"),
        (told(loss=0.5000001), "loss"),
        (told(digest=8), "digest"),
    ],
)
def test_outputs_loss_and_digest_are_compared(
    device: StepResult, tensor: str | None
) -> None:
    found = compare(device, [EXPECTED])
    assert (found and found.tensor) == tensor


@pytest.mark.parametrize("earlier", [0.5, 0.5000001])
def test_a_step_that_is_only_folded_is_compared_too(earlier: float) -> None:
    first = replace(EXPECTED, step=2, digest=None)
    both = told()._replace(steps=2, right=2, fold=fold([first, EXPECTED]))
    result = replace(first.result, loss=np.float32(earlier))
    found = compare(both, [replace(first, result=result), EXPECTED])
    assert (found and found.tensor) == (None if earlier == 0.5 else "fold")


@pytest.mark.parametrize(
    ("bits", "shown"), [(1, "1.401298464324817e-45"), (0x80000001, "-1.4"), (0, "0.0")]
)
def test_a_subnormal_number_is_shown_as_a_number(bits: int, shown: str) -> None:
    value = np.uint32([bits]).view(np.float32)
    other = np.uint32([0x00400000]).view(np.float32)
    found = difference(1, "W1", value, other)
    assert found is not None and f"device {shown}" in str(found)
    assert "reference 5.877471754111438e-39" in str(found)


@pytest.mark.parametrize(
    ("said", "tensor"), [({"fold": None}, "fold"), ({"right": 1}, "right")]
)
def test_of_many_steps_the_fold_and_what_was_right_are_expected(
    said: dict[str, object], tensor: str
) -> None:
    first = replace(EXPECTED, step=2, digest=None)
    both = told()._replace(steps=2, right=2, fold=fold([first, EXPECTED]))
    found = compare(both._replace(**said), [first, EXPECTED])
    assert found is not None and found.tensor == tensor


@pytest.mark.parametrize(
    "other",
    [
        {"loss": np.float32(0.5000001)},
        {"outputs": np.float32([0.75, 0.25])},
        {"digest": 8},
        {"digest": None},
        {"steps": 2},
        {"fold": 5},
        {"right": 0},
        {"signal": 9},
    ],
    ids=str,
)
def test_a_step_that_is_told_twice_is_the_same_in_every_part(
    other: dict[str, object],
) -> None:
    one = told()._replace(right=1, fold=4)
    assert same(one, one._replace(outputs=one.outputs.copy()))
    assert not same(one, one._replace(**other))


def test_a_digest_difference_shows_both_as_hex() -> None:
    found = digest_difference(1, 0xAB, 0xCD, "final")
    assert found is not None
    document = found.to_json()
    assert (document["device"], document["reference"]) == ("000000ab", "000000cd")
    assert document["ulp"] is None and "000000ab" in str(found)
