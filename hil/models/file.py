"""A model's file, which nobody vouches for."""

from __future__ import annotations

from pathlib import Path

from codegen.graph import reading
from codegen.graph.description import Graph
from hil.errors import DataError, ModelError


def load(path: str) -> Graph:
    """The graph of a .tflite file, of which no more is read than a model may have.
    Raises `DataError` where there is none, `ModelError` where it is damaged."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(reading.MOST + 1)
    except OSError as error:
        raise DataError(
            f"model {path!r} cannot be read: {error.strerror}",
            "expected is a file that a converter to TensorFlow Lite wrote",
        ) from error
    try:
        return reading.read(data)
    except ModelError as error:
        raise ModelError(
            f"model {path!r}: {error}",
            "what is expected of a file: docs/import.md",
        ) from error
