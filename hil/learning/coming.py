"""A sample that comes piece by piece, as a sensor has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from codegen.raster import Events
from hil.data import taken
from hil.errors import UsageError
from hil.learning import intake
from hil.lesson.lesson import Lesson


class Coming:
    """What has come of a sample: numbers, ticks of spikes, or events."""

    def __init__(self, lesson: Lesson) -> None:
        self._inputs = lesson.spec.inputs
        raster = self._inputs.raster
        if raster is None:
            self._unit, self._most, width = "numbers", lesson.spec.sample_elements, 1
        elif isinstance(raster, Events):
            self._unit, self._most, width = "events", raster.capacity, 2
        else:
            self._unit, self._most, width = "ticks", raster.ticks, raster.inputs
        self._pieces = np.empty((0, width), np.uint8)

    @property
    def left(self) -> int:
        """Numbers, ticks or events that may still come."""
        return self._most - len(self._pieces)

    def add(self, piece: Any) -> bytes:
        """Take a piece of any shape behind those that are there; gives all of them as they
        travel. What does not fit raises `UsageError` or `DataError`, and is not taken."""
        values, width = intake.array("feed()", piece), self._pieces.shape[1]
        numbers = values.dtype.kind in "biuf"
        if not numbers or not values.size or values.size % width:
            raise UsageError(
                f"feed() has {values.dtype} {list(values.shape)}: expected {self._unit}"
                + (f", {width} elements each" if width > 1 else "")
            )
        rows = values.reshape(-1, width)
        if len(rows) > self.left:
            raise UsageError(
                f"feed() has {len(rows)} {self._unit}, and {self.left} of the "
                f"{self._most} of a sample are left to come",
                "learn() learns from a sample that is whole; feed(..., anew=True) gives up "
                "what has come and begins another",
            )
        pieces = np.concatenate([self._pieces, rows]) if len(self._pieces) else rows
        travels = taken.begun(pieces, self._inputs, "piece").tobytes()
        self._pieces = pieces
        return travels

    def sample(self) -> np.ndarray:
        """The sample. Raises `UsageError` while it is not whole; a list of events is, with
        as few as have come."""
        there = len(self._pieces)
        if there == self._most or (there and self._unit == "events"):
            return self._pieces
        raise UsageError(
            f"learn() comes after {there} of the {self._most} {self._unit} of a sample: "
            "expected all of them",
            "feed() sends them",
        )
