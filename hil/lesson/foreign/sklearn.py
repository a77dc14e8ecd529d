"""An MLPClassifier or MLPRegressor of scikit-learn, as skops, joblib or pickle wrote it.

Neither package is asked: a skops file is an archive of arrays with a description in
JSON, and pickles are read by `inert`, which executes nothing. scikit-learn's weights
`coefs_` lie as ours do, [inputs, outputs].
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from hil.data.arrays import Archive, reason
from hil.data.labels import short
from hil.errors import DataError
from hil.lesson.foreign import inert
from hil.lesson.foreign.dense import Dense, Layer, dense
from hil.lesson.foreign.room import Room

MODULE = "sklearn.neural_network._multilayer_perceptron"
KNOWN = tuple(f"{MODULE}.{name}" for name in ("MLPClassifier", "MLPRegressor"))
SCHEMA = "schema.json"
LONGEST = 16 << 20
"""Bytes of a description at most."""
ATTRIBUTES = {"coefs_": list, "intercepts_": list, "activation": str, "out_activation_": str}  # fmt: skip
NAMES = {"logistic": "sigmoid"}
"""What scikit-learn calls otherwise."""
HINT = (
    "of a pipeline, save the last step; what comes before it, a scaler for instance, "
    "is not in these weights (docs/import.md)"
)
MEND = "skops.io.dump(model, path) writes one"
PACKED = {b"\x78": "zlib", b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7z": "xz", b"\x5d\0\0": "lzma",
          b"\x04\x22\x4d\x18": "lz4"}  # fmt: skip
"""How a file begins that joblib has packed."""


def from_pickle(origin: str, data: bytes) -> Dense:
    """The layers in a file that joblib or pickle wrote. Raises `DataError`."""
    for begins, name in PACKED.items():
        if data.startswith(begins):
            raise DataError(
                f"{origin} is packed by {name}: expected a file that is not",
                "joblib.dump(model, path, compress=0) writes one",
            )
    try:
        held = inert.read(data, Room(origin, len(data)))
    except ValueError as error:
        raise DataError(
            f"{origin} cannot be read as a pickle: {reason(error)}"
        ) from error
    _require_known(origin, getattr(held, "name", type(held).__name__))
    return _dense(origin, held.state, lambda item: getattr(item, "array", None))


def from_skops(origin: str, found: Archive) -> Dense:
    """The layers in a file that skops wrote. Raises `DataError`."""
    try:
        held = json.loads(found.content(SCHEMA, LONGEST))
        _require_known(origin, f"{held['__module__']}.{held['__class__']}")
        stored = {
            name: _value(item) for name, item in held["content"]["content"].items()
        }
        room = Room(origin)
        return _dense(origin, stored, lambda item: _stored(found, item, room))
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise DataError(
            f"{origin} has no such {SCHEMA} as skops writes ({type(error).__name__})",
            MEND,
        ) from error


def _value(item: Mapping[str, Any]) -> Any:
    """A text, a number or a list of a description; of anything else the description."""
    if item["__loader__"] == "JsonNode":
        return json.loads(item["content"])
    return item["content"] if item["__loader__"] == "ListNode" else item


def _stored(found: Archive, item: Any, room: Room) -> np.ndarray | None:
    if item["__loader__"] != "NdArrayNode" or item["type"] != "numpy":
        return None
    name = item["file"].removesuffix(".npy")
    header = found.header(name)
    room.take(header.size * header.dtype.itemsize)
    return found[name]


def _require_known(origin: str, name: str) -> None:
    if name not in KNOWN:
        raise DataError(
            f"{origin} holds a {short(name.rpartition('.')[2])}: expected an MLPClassifier or an "
            "MLPRegressor of scikit-learn",
            HINT,
        )


def _dense(origin: str, stored: Any, read: Any) -> Dense:
    """The layers of an estimator's attributes."""
    found = stored if isinstance(stored, dict) else {}
    if any(type(found.get(name)) is not kind for name, kind in ATTRIBUTES.items()):
        raise DataError(
            f"{origin} holds an estimator without weights",
            "fit the estimator, then save it",
        )
    weights, biases = found["coefs_"], found["intercepts_"]
    if len(weights) != len(biases):
        raise DataError(
            f"{origin} holds {len(weights)} coefs_ and {len(biases)} intercepts_: "
            "expected as many"
        )
    layers = [
        Layer(f"coefs_[{n}]", _array(origin, read(w)), _array(origin, read(b)))
        for n, (w, b) in enumerate(zip(weights, biases, strict=True))
    ]
    activation, output = (
        NAMES.get(name, name)
        for name in (found["activation"], found["out_activation_"])
    )
    return dense(origin, layers, activation, output)


def _array(origin: str, found: np.ndarray | None) -> np.ndarray:
    if found is None:
        raise DataError(f"{origin}: coefs_ or intercepts_ hold what is no array")
    return found
