"""Classes that a device meets later are learned, and the first ones are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hil
from hil.data import datasets

OLD = 8
"""Classes that come first; the digits 8 and 9 come later."""


@pytest.mark.usefixtures("host_cc")
@pytest.mark.parametrize("rule", ["ncm", "slda"])
def test_two_new_classes_take_little_from_the_others(tmp_path: Path, rule: str) -> None:
    digits = datasets.load("digits")
    x, y = digits.train_x[:160], digits.train_y[:160]
    later = {new: y >= OLD if new else y < OLD for new in (False, True)}
    tests = {new: (digits.test_y >= OLD) == new for new in later}
    scores: dict[bool, list[float]] = {False: [], True: []}
    with hil.open(
        target="host", rule=rule, network="64-10", dtype="uint8", scale=16,
        out=str(tmp_path),
    ) as device:  # fmt: skip
        for came in later.values():
            device.partial_fit(x[came], y[came])
            for new, those in tests.items():
                told = device.predict(digits.test_x[those])
                scores[new].append(float(np.mean(told == digits.test_y[those])))
    assert scores[True][0] == 0 and scores[True][1] > 0.8
    assert scores[False][1] > scores[False][0] - 0.05
