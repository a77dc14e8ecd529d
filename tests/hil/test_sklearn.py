"""Estimators that learn on a device, in scikit-learn's hands."""

from __future__ import annotations

import gc
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hil.sklearn import DeviceClassifier, DeviceRegressor
from tests.hil.conftest import DIGITS

pytestmark = pytest.mark.usefixtures("host_cc")

X, Y = DIGITS.train_x[:150] / 16, np.array([f"digit {y}" for y in DIGITS.train_y[:150]])


def test_a_pipeline_is_cross_validated(folder: Path) -> None:
    learner = DeviceClassifier(hidden=(), rule="bp", epochs=4, out=str(folder))
    scores = cross_val_score(make_pipeline(StandardScaler(), learner), X, Y, cv=2)
    assert scores.min() > 0.6
    gc.collect()
    told = [json.loads(path.read_text()) for path in folder.glob("*/run.json")]
    assert [(one["result"], one["learned"]) for one in told] == [("pass", 300)] * 2


def test_what_was_pickled_predicts_on_a_device_of_its_own(folder: Path) -> None:
    learner = DeviceClassifier(hidden=(8,), epochs=1, out=str(folder)).fit(X, Y)
    again = pickle.loads(pickle.dumps(learner))
    assert np.array_equal(again.predict(X[:9]), learner.predict(X[:9]))
    assert np.allclose(again.predict_proba(X[:9]).sum(axis=1), 1)
    assert set(learner.predict(X)) <= set(Y)


def test_batches_come_one_after_another(folder: Path) -> None:
    learner = DeviceClassifier(hidden=(8,), epochs=1, out=str(folder))
    with pytest.raises(ValueError, match="classes must be passed"):
        learner.partial_fit(X[:9], Y[:9])
    learner.partial_fit(X[:50], Y[:50], classes=np.unique(Y)).partial_fit(
        X[50:], Y[50:]
    )
    assert learner.record_.learned == 150
    with pytest.raises(ValueError, match="'digit 11', which is not in classes"):
        learner.partial_fit(X[:1], ["digit 11"])


def test_numbers_are_learned(folder: Path) -> None:
    y = np.stack([X[:, 20], X[:, 30] - 1], axis=1)
    learner = DeviceRegressor(hidden=(), rule="bp", lr=0.01, out=str(folder))
    assert learner.fit(X, y).score(X, y) > 0.6
    one = DeviceRegressor(hidden=(), rule="bp", out=str(folder))
    assert one.partial_fit(X, y[:, 0]).predict(X[:3]).shape == (3,)


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.full
@pytest.mark.usefixtures("_elsewhere")
@parametrize_with_checks(
    [
        DeviceClassifier(hidden=(8,), rule="bp", epochs=20),
        DeviceRegressor(hidden=(8,), rule="bp", epochs=20, lr=0.01),
    ]
)
def test_it_keeps_scikit_learns_rules(
    estimator: Any, check: Callable[[Any], None]
) -> None:
    check(estimator)
