"""A model's file, which nobody vouches for."""

from __future__ import annotations

from pathlib import Path

from codegen.graph import reading
from codegen.graph.description import Graph
from hil.errors import DataError, ModelError


def data(path: str) -> bytes:
    """The bytes of a .tflite file, and no more of them than a model may have. Raises
    `DataError` where there is none."""
    try:
        with Path(path).open("rb") as file:
            return file.read(reading.MOST + 1)
    except OSError as error:
        raise DataError(
            f"model {path!r} cannot be read: {error.strerror}",
            "a converter to TensorFlow Lite writes such a file",
        ) from error


def load(path: str) -> Graph:
    """The graph of a .tflite file. Raises `DataError` where there is none, `ModelError`
    where it is damaged."""
    return graph(path, data(path))


def graph(path: str, found: bytes) -> Graph:
    """The graph of the bytes that were `found` there. Raises `ModelError` where they are
    damaged."""
    try:
        return reading.read(found)
    except ModelError as error:
        raise ModelError(
            f"model {path!r}: {error}",
            "what is expected of a file: docs/import.md",
        ) from error
