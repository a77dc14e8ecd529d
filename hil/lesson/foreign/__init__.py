"""Weights that other programs trained, as initial weights: `--init` of their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hil.data import arrays
from hil.data.arrays import Archive
from hil.errors import DataError
from hil.lesson.foreign import dense

if TYPE_CHECKING:
    import numpy as np

    from codegen.spec import Spec

SUFFIXES = (".skops", ".joblib", ".pkl", ".pickle", ".pt", ".pth", ".onnx")
MOST = 1 << 29
"""Bytes of a file at most that is read as a whole."""


def is_one(path: str) -> bool:
    """Whether a file is another program's, by its name."""
    return Path(path).suffix.lower() in SUFFIXES


def load(path: str, spec: Spec) -> dict[str, np.ndarray]:
    """The state that a network of `spec` starts from. Raises `DataError` where the
    file is damaged, of another network, or holds what is no dense layer."""
    return dense.state(_read(Path(path)), spec)


def _read(path: Path) -> dense.Dense:
    from hil.lesson.foreign import onnx, sklearn, torch

    archived: dict[str, tuple[Callable[[str, Archive], dense.Dense], str]] = {
        ".skops": (sklearn.from_skops, sklearn.MEND),
        ".pt": (torch.from_state_dict, torch.MEND),
        ".pth": (torch.from_state_dict, torch.MEND),
    }
    what, suffix = "weights file", path.suffix.lower()
    origin = f"{what} {str(path)!r}"
    if suffix in archived:
        read_archive, mend = archived[suffix]
        with arrays.opened(path, what, mend) as found:
            return read_archive(origin, found)
    data = _bytes(path, origin)
    read = onnx.from_onnx if suffix == ".onnx" else sklearn.from_pickle
    return read(origin, data)


def _bytes(path: Path, origin: str) -> bytes:
    if not path.is_file():
        raise DataError(f"there is no {origin}, or it is no file")
    try:
        with path.open("rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise DataError(f"{origin} cannot be read: {error.strerror}") from error
    if len(data) > MOST:
        raise DataError(f"{origin} has more than {MOST:,} bytes")
    return data
