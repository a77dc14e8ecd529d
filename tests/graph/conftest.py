"""Models of the large data, by name."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from codegen.graph import reading
from codegen.graph.description import Graph

PLACE = Path(os.environ.get("HIL_DATA") or ".") / "tflite"
HOSTILE = PLACE / "negative"


@cache
def places() -> dict[str, Path]:
    """Paths of the models that run, by name."""
    found = PLACE.glob("*/*.tflite")
    return {one.stem: one for one in sorted(found) if one.parent != HOSTILE}


@cache
def graph(name: str) -> Graph:
    """A model that was read."""
    return reading.read(places()[name].read_bytes())


@pytest.fixture(scope="session", autouse=True)
def models(hil_data: Path) -> None:
    """Tests of this folder need the large data."""
