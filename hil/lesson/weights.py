"""Weights as .npz files, --init and --save, and what --init takes besides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from codegen.formats import F32, FORMATS
from codegen.planning.planned import Plan
from codegen.spec import Spec
from hil.data import arrays
from hil.data.arrays import Archive
from hil.errors import DataError
from hil.lesson import foreign, model_head

STATE_FORMATS = (F32, *(format for format in FORMATS.values() if format != F32))
"""What elements of a state may be, the usual one first."""


def read(path: str) -> dict[str, np.ndarray]:
    """The tensors that an .npz holds, float32 or of the integers that a state may have.
    Raises `DataError` for other arrays, and where it cannot be read."""
    with arrays.opened(Path(path), "weights file") as found:
        return {name: _tensor(path, found, name, None, None) for name in found}


def load(
    path: str,
    expected: Mapping[str, tuple[int, ...]],
    dtypes: Mapping[str, str] | None = None,
) -> dict[str, np.ndarray]:
    """Tensors of these names, shapes and types (by default float32) from an .npz.

    Raises `DataError` when it holds others, or values that are not finite.
    """
    with arrays.opened(Path(path), "weights file") as found:
        if set(found) != set(expected):
            raise DataError(
                f"weights file {path!r} holds {', '.join(sorted(found)) or 'nothing'}: "
                f"expected {', '.join(expected)}"
            )
        state = {
            name: _tensor(path, found, name, shape, (dtypes or {}).get(name, "<f4"))
            for name, shape in expected.items()
        }
    for name, tensor in state.items():
        if not np.isfinite(tensor).all():
            raise DataError(f"weights file {path!r}: {name} holds non-finite values")
    return state


def initial(
    path: str,
    spec: Spec,
    expected: Mapping[str, tuple[int, ...]],
    dtypes: Mapping[str, str],
) -> dict[str, np.ndarray]:
    """Tensors of these names, shapes and types from a file of ours, or from one that
    another program trained; `model_head.NAME` names the model's own. Raises
    `DataError`."""
    if path == model_head.NAME:
        return model_head.load(spec)
    if foreign.is_one(path):
        return foreign.load(path, spec)
    return load(path, expected, dtypes)


def _tensor(
    path: str,
    found: Archive,
    name: str,
    shape: tuple[int, ...] | None,
    dtype: str | None,
) -> np.ndarray:
    """The tensor of this name, shape and type (None: any that a state may have), read
    when its header is right."""
    header = found.header(name)
    known = [np.dtype(dtype)] if dtype else [np.dtype(f.dtype) for f in STATE_FORMATS]
    if header.dtype not in known or shape not in (None, header.shape):
        wanted = "" if shape is None else f" {list(shape)}"
        raise DataError(
            f"weights file {path!r}: {name} is {header}, expected {known[0].name}{wanted}"
        )
    return found[name]


def load_for(path: str, plan: Plan) -> dict[str, np.ndarray]:
    """The state that a network of `plan` starts from. Raises `DataError` when the file
    is of another network, or holds what learning would not keep to."""
    state = initial(
        path,
        plan.spec,
        {tensor.name: tensor.shape for tensor in plan.state},
        {tensor.name: tensor.format.dtype for tensor in plan.state},
    )
    require_within(f"weights file {path!r}", state, plan)
    return state


def require_within(origin: str, state: Mapping[str, np.ndarray], plan: Plan) -> None:
    """Raise `DataError` for a number beyond the limits that learning keeps it to."""
    for tensor in (one for one in plan.state if one.name in state):
        if tensor.held is not None:
            _require_limits(origin, tensor.name, state[tensor.name], tensor.held)
        elif tensor.limits is not None:
            least, most = (np.float32(end) for end in tensor.limits)
            _require_limits(origin, tensor.name, state[tensor.name], (least, most))
        elif plan.spec.clip.weights is not None and tensor.name != "tau":
            _require_clipped(
                origin, tensor.name, state[tensor.name], plan.spec.clip.weights
            )


def _require_limits(
    origin: str, name: str, values: np.ndarray, limits: tuple[Any, Any]
) -> None:
    least, most = limits
    wrong = values[~((least <= values) & (values <= most))]
    if wrong.size:
        first, least, most = (_told(number) for number in (wrong[0], least, most))
        raise DataError(
            f"{origin}: {name} has an element of {first}: expected {least} to {most}",
            "learning keeps it within these limits, and nothing is known of what lies beyond",
        )


def _told(number: Any) -> str:
    """A whole number whole, another to six digits."""
    return str(number) if isinstance(number, int | np.integer) else f"{number:.6g}"


def _require_clipped(origin: str, name: str, values: np.ndarray, limit: float) -> None:
    most = float(np.abs(values).max())
    if most > np.float32(limit):
        raise DataError(
            f"{origin}: {name} has a magnitude of {most:.6g}, but "
            f"clip_weights is {limit:g}",
            "weights start within the limit that they are kept to",
        )


def save(path: str, state: Mapping[str, np.ndarray]) -> Path:
    """Write tensors to exactly `path`. Raises `StorageError`."""
    return arrays.write(Path(path), state, device=True)
