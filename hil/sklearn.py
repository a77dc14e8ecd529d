"""Estimators of scikit-learn that learn on a device: for pipelines, cross validation
and searches, in which every step and every prediction is held against the reference.

An estimator is a thin shell around `hil.open`. Its device stays open from `fit` until
the estimator is fitted anew or is gone; then the run's record is written. One that was
pickled has its weights, and opens a device when it is asked to predict.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as missing:
    raise ImportError(
        "hil.sklearn needs scikit-learn 1.6 or newer: pip install 'hil-learning[sklearn]'"
    ) from missing

from hil.data import scalers
from hil.data.dataset import order
from hil.learning.open_device import OpenDevice
from hil.learning.opened import open as open_device


class _DeviceEstimator(BaseEstimator):
    """What both have: parameters, and a device.

    `hidden` are the widths of the hidden layers; `lr` is the rule's usual one where it
    is None; `scaler`, "standard" or "minmax", has the device scale raw samples by
    constants of those that were learned first (`offset_`, `divisor_`); `out` is where runs leave their folders; `keys` are further keys of an
    experiment, as `hil.open` takes them.
    """

    def __init__(
        self,
        *,
        target: str = "host",
        rule: str = "dfa",
        hidden: Sequence[int] = (32,),
        activation: str | None = None,
        epochs: int = 10,
        lr: float | None = None,
        scaler: str | None = None,
        seed: int = 1,
        out: str = "runs",
        keys: Mapping[str, Any] | None = None,
    ) -> None:
        self.target = target
        self.rule = rule
        self.hidden = hidden
        self.activation = activation
        self.epochs = epochs
        self.lr = lr
        self.scaler = scaler
        self.seed = seed
        self.out = out
        self.keys = keys

    def __getstate__(self) -> dict[str, Any]:
        """Without the device: no other process has it."""
        state = super().__getstate__()
        return {name: state[name] for name in state if name not in ("_device", "_ends")}

    def _keys(self) -> dict[str, Any]:
        """Keys of an experiment that are not parameters."""
        return {}

    def _learn_scaler(self, X: np.ndarray) -> None:
        """The constants of the scaler, if there is one, of the first samples."""
        if self.scaler is not None:
            found = scalers.arrays(scalers.constants(X, self.scaler))
            self.offset_, self.divisor_ = (found[name] for name in scalers.ARRAYS)

    def _scaled(self) -> dict[str, np.ndarray]:
        """The constants as `hil.open` takes them."""
        if self.scaler is None:
            return {}
        return {"offset": self.offset_, "divisor": self.divisor_}

    def _release(self) -> None:
        """Close the device that is open, if there is one; its record is written."""
        if "_device" in vars(self):
            del self._device
            self._ends()  # closes it, once

    def _open(self, outputs: int) -> OpenDevice:
        self._release()
        device = open_device(
            target=self.target,
            rule=self.rule,
            network=(self.n_features_in_, *self.hidden, outputs),
            activation=self.activation,
            lr=self.lr,
            seed=self.seed,
            out=self.out,
            **{**self._scaled(), **self._keys(), **(self.keys or {})},
        )
        self._device = device
        self._ends = weakref.finalize(self, device.close)
        return device

    def _taught(self, device: OpenDevice, X: np.ndarray, y: np.ndarray) -> None:
        """Learn samples once; `weights_` and `record_` are those after it."""
        device.partial_fit(X, y)
        self.weights_ = device.weights()
        self.record_ = device.record

    def _fitted(self, X: np.ndarray, y: np.ndarray, outputs: int) -> None:
        """Learn samples `epochs` times, in the orders that a run has."""
        self._learn_scaler(X)
        device = self._open(outputs)
        orders = (order(self.seed, epoch, len(X)) for epoch in range(self.epochs))
        places = np.concatenate(list(orders))
        self._taught(device, X[places], y[places])

    def _outputs(self, X: Any) -> tuple[OpenDevice, np.ndarray]:
        """The device, and samples for it."""
        check_is_fitted(self, "weights_")
        X = validate_data(self, X, reset=False, dtype=np.float32)
        if "_device" not in vars(self):
            outputs = len(self.weights_[f"b{len(self.hidden) + 1}"])
            self._open(outputs).set_weights(self.weights_)
        return self._device, X


class DeviceClassifier(ClassifierMixin, _DeviceEstimator):
    """A network that learns classes on a device (`classes_`, in ascending order)."""

    def fit(self, X: Any, y: Any) -> DeviceClassifier:
        """Learn samples [n, features] and their labels [n] anew, `epochs` times.
        Raises `ValueError` for what is no such data, and what a run raises."""
        X, y = self._checked(X, y, reset=True)
        self.classes_, places = np.unique(y, return_inverse=True)
        self._require_classes()
        self._fitted(X, places, len(self.classes_))
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> DeviceClassifier:
        """Learn samples once more; the first call has to say which `classes` there will
        be."""
        first = not hasattr(self, "weights_")
        X, y = self._checked(X, y, reset=first)
        if first:
            if classes is None:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit"
                )
            self.classes_ = np.unique(classes)
            self._require_classes()
            self._learn_scaler(X)
            self._open(len(self.classes_))
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y has {unknown[0]!r}, which is not in classes")
        device, X = (self._device, X) if first else self._outputs(X)
        self._taught(device, X, np.searchsorted(self.classes_, y))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The class [n] of each sample, inferred on the device."""
        device, X = self._outputs(X)
        return np.asarray(self.classes_[device.infer(X).argmax(axis=1)])

    def predict_proba(self, X: Any) -> np.ndarray:
        """How sure it is of each class [n, classes] (`OpenDevice.predict_proba`)."""
        device, X = self._outputs(X)
        return device.predict_proba(X)

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, reset=reset, dtype=np.float32)
        check_classification_targets(y)
        return X, y

    def _require_classes(self) -> None:
        if len(self.classes_) < 2:
            raise ValueError("y has one class only: there is nothing to tell apart")


class DeviceRegressor(RegressorMixin, _DeviceEstimator):
    """A network that learns numbers on a device, with identity outputs."""

    def __sklearn_tags__(self) -> Any:
        """It learns several numbers at once, too."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _keys(self) -> dict[str, Any]:
        return {"goal": "vector", "output": "identity"}

    def fit(self, X: Any, y: Any) -> DeviceRegressor:
        """Learn samples [n, features] and targets [n] or [n, outputs] anew, `epochs`
        times. Raises `ValueError` for what is no such data, and what a run raises."""
        X, y = self._checked(X, y, reset=True)
        self._single = y.ndim == 1
        self._fitted(X, y, 1 if self._single else y.shape[1])
        return self

    def partial_fit(self, X: Any, y: Any) -> DeviceRegressor:
        """Learn samples once more."""
        first = not hasattr(self, "weights_")
        X, y = self._checked(X, y, reset=first)
        if first:
            self._single = y.ndim == 1
            self._learn_scaler(X)
            self._open(1 if self._single else y.shape[1])
        device, X = (self._device, X) if first else self._outputs(X)
        self._taught(device, X, y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The outputs [n], or [n, outputs], inferred on the device, as float64."""
        device, X = self._outputs(X)
        outputs = device.infer(X).astype(np.float64)
        return outputs[:, 0] if self._single else outputs

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(
            self, X, y, reset=reset, dtype=np.float32, multi_output=True, y_numeric=True
        )
        return X, y.astype(np.float32)
