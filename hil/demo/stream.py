"""What a demo's device meets: samples in time order, task by task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hil.data import tasks, windows
from hil.data.tasks import Task
from hil.demo.page import kind
from hil.errors import UsageError, did_you_mean
from hil.experiment import shown

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Part:
    """One task: samples x [n, features] with labels y [n] in the order in which they
    come, and what its accuracy is tested with (None: it is not). The last ones may have
    no samples."""

    name: str
    x: np.ndarray
    y: np.ndarray
    test: Pair | None = None

    def __post_init__(self) -> None:
        """Whatever numpy makes arrays of will do. Raises `UsageError`."""
        object.__setattr__(self, "x", self._array("x", self.x))
        object.__setattr__(self, "y", self._array("y", self.y))
        if self.test is None:
            return
        if not isinstance(self.test, (tuple, list)) or len(self.test) != 2:
            raise UsageError(
                f"part {self.name!r}: test is {kind(self.test)}: expected a pair "
                "(x_test, y_test), or None"
            )
        x, y = self.test
        pair = self._array("x of test", x), self._array("y of test", y)
        object.__setattr__(self, "test", pair)

    @classmethod
    def tested(cls, name: str, x: np.ndarray, y: np.ndarray, every: int) -> Part:
        """A part that sets every `every`-th sample apart for its tests, where it is
        never learned. Raises `UsageError` for fewer samples than that, or another
        number of labels."""
        if not 1 < every <= len(x) or len(x) != len(y):
            raise UsageError(
                f"part {name!r}: every is {every}, and there are {len(x):,} samples and "
                f"{len(y):,} labels: expected 2 at least, and as many of both"
            )
        kept = np.arange(len(x)) % every == every - 1
        return cls(name, x[~kept], y[~kept], (x[kept], y[kept]))

    def _array(self, what: str, given: Any) -> np.ndarray:
        array = np.asarray(given)
        if not array.ndim:
            raise UsageError(
                f"part {self.name!r}: {what} is {kind(given)}: expected an array"
            )
        return array


@dataclass(frozen=True, eq=False)
class Stream:
    """Parts one after another, all of the same features and type. `scale` is what
    the device divides a sample by (None: what its type says); `extra` are further
    arrays of a data file (docs/data.md); `front` is a model's file, through which the
    samples go on the device (docs/import.md)."""

    parts: Sequence[Part]
    scale: float | None = None
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)
    front: str | Path | None = None

    def arrays(self, origin: str) -> dict[str, np.ndarray]:
        """As the arrays of a data file. Tests that are the same arrays are there once.
        Raises `UsageError`, whose sentence `origin` begins."""
        self._require(origin)
        found: list[Task] = []
        tests: list[Pair] = []
        places: dict[tuple[int, int], tuple[int, int]] = {}
        end = tested = 0
        for part in self.parts:
            end, first = end + len(part.x), tested
            if part.test is not None:
                key = id(part.test[0]), id(part.test[1])
                if key not in places:
                    tested += len(part.test[0])
                    places[key] = (first, tested)
                    tests.append(part.test)
                found.append(Task(part.name, end, *places[key]))
            else:
                found.append(Task(part.name, end, first, first))
        scale = {} if self.scale is None else {"scale": np.float32(self.scale)}
        return {
            "x": np.concatenate([part.x for part in self.parts]),
            "y": np.concatenate([part.y for part in self.parts]),
            "x_test": np.concatenate([x for x, _ in tests]),
            "y_test": np.concatenate([y for _, y in tests]),
            **tasks.arrays(found),
            **scale,
            **self.extra,
        }

    def _require(self, origin: str) -> None:
        """Raise `UsageError` unless it is as it should be; what samples and labels may
        be is for `hil.data` to say."""
        parts = self.parts
        if not isinstance(parts, Sequence) or not parts:
            raise UsageError(
                f"{origin} has parts of {kind(parts)}: expected a list of them"
            )
        for part in parts:
            if not isinstance(part, Part):
                raise UsageError(
                    f"{origin} has a part that is {kind(part)}: expected a Part"
                )
        if not any(part.test is not None and len(part.test[0]) for part in parts):
            names = ", ".join(str(part.name) for part in parts)
            raise UsageError(
                f"{origin}: a stream has no tests ({names}): expected a part with some",
                "Part(name, x, y, (x_test, y_test))",
            )
        _require_names(origin, [part.name for part in parts])
        _require_order(origin, parts)
        first = next(_arrays(origin, parts))[1:]
        for what, x, y in _arrays(origin, parts):
            _require_alike(what, x, y, *first)
        for name in self.extra:
            if name not in windows.ARRAYS:
                raise UsageError(
                    f"{origin} has an extra array {name!r}: expected one of "
                    + ", ".join(windows.ARRAYS),
                    *did_you_mean(name, windows.ARRAYS),
                )


def _require_names(origin: str, names: Sequence[Any]) -> None:
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise UsageError(
                f"{origin} has a part named {shown(name)}: expected a text"
            )
        if name in names[:place]:
            raise UsageError(
                f"{origin} has two parts {name!r}: expected names that differ"
            )


def _require_order(origin: str, parts: Sequence[Part]) -> None:
    """Raise `UsageError` for a part without samples before one with some."""
    filled = [bool(len(part.x)) for part in parts]
    if filled[0] and filled == sorted(filled, reverse=True):
        return
    raise UsageError(
        f"{origin}: part {parts[filled.index(False)].name!r} has no samples: expected some "
        "in the first part, and in each that comes before another with some"
    )


def _arrays(
    origin: str, parts: Sequence[Part]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each pair of samples and labels, and what people call it."""
    for part in parts:
        what = f"{origin}, part {part.name!r}"
        yield what, part.x, part.y
        if part.test is not None:
            yield f"the tests of {what}", *part.test


def _require_alike(
    what: str, x: np.ndarray, y: np.ndarray, first_x: np.ndarray, first_y: np.ndarray
) -> None:
    """Raise `UsageError` unless there is a label a sample, and they are shaped like the
    first part's, and of its types."""
    if len(x) != len(y):
        raise UsageError(
            f"{what}: there are {len(x):,} samples and {len(y):,} labels: expected a label "
            "a sample"
        )
    alike = x.dtype == first_x.dtype, y.dtype.kind == first_y.dtype.kind
    for name, one, first, same in zip(
        "xy", (x, y), (first_x, first_y), alike, strict=True
    ):
        if one.shape[1:] != first.shape[1:] or not same:
            raise UsageError(
                f"{what}: {name} is {_form(one)}, but that of the first part is "
                f"{_form(first)}: expected the same type and width",
                f"{name}.astype(np.{first.dtype}) where only the type differs",
            )


def _form(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)}"
