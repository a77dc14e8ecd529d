"""Weights as .npz files: --init and --save."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from codegen.spec import Clip
from hil.errors import DataError, UsageError


def read(path: str) -> dict[str, np.ndarray]:
    """Whatever arrays an .npz holds. Raises `DataError` when it cannot be read."""
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("it is one array, no .npz")
        with file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise DataError(f"there is no weights file {path!r}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"weights file {path!r} cannot be read: {error}") from error


def load(path: str, expected: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """float32 tensors of these names and shapes from an .npz.

    Raises `DataError` when it holds others, or values that are not finite.
    """
    found = read(path)
    if set(found) != set(expected):
        raise DataError(
            f"weights file {path!r} holds {', '.join(sorted(found)) or 'nothing'}: "
            f"expected {', '.join(expected)}"
        )
    for name, shape in expected.items():
        tensor = found[name]
        if tensor.shape != shape or tensor.dtype != np.float32:
            raise DataError(
                f"weights file {path!r}: {name} is {tensor.dtype} {list(tensor.shape)}, "
                f"expected float32 {list(shape)}"
            )
        if not np.isfinite(tensor).all():
            raise DataError(f"weights file {path!r}: {name} holds non-finite values")
    return {name: np.ascontiguousarray(found[name]) for name in expected}


def require_within(path: str, state: Mapping[str, np.ndarray], clip: Clip) -> None:
    """Raise `DataError` for a weight beyond the limit that learning keeps to."""
    for name, tensor in state.items() if clip.weights is not None else ():
        most = float(np.abs(tensor).max())
        if name != "tau" and most > np.float32(clip.weights):
            raise DataError(
                f"weights file {path!r}: {name} has a magnitude of {most:.6g}, but "
                f"clip_weights is {clip.weights:g}",
                "weights start within the limit that they are kept to",
            )


def save(path: str, state: Mapping[str, np.ndarray]) -> Path:
    """Write tensors to exactly `path`."""
    target = Path(path)
    arrays: Any = dict(state)
    try:
        with target.open("wb") as file:
            np.savez(file, **arrays)
    except OSError as error:
        raise UsageError(
            f"weights cannot be saved to {path!r}: {error.strerror}"
        ) from error
    return target
