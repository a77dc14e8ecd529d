"""Labels and targets as people have them, made into what a step learns from: classes
0, 1, ... as int64 [n], or numbers as float32 [n, m].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hil.data.arrays import MENDS, Arrays, Header, mended
from hil.errors import DataError

MOST = 65535
"""The largest class that travels."""
SHOWN = 10
"""Classes of a map that are told."""
LONGEST = 24
"""Characters that are told of the name of a class."""
FEW_TEXTS = 20
"""With this many different texts or more, they may be too many to be classes."""


@dataclass(frozen=True)
class Answers:
    """Parts of labels [n], or of targets [n, m]; names of the classes where they were
    numbered here; and a sentence for each thing that was made of them."""

    parts: tuple[np.ndarray, ...]
    labels: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


def require(given: Arrays, names: tuple[str, ...], counts: Sequence[int]) -> None:
    """Raise `DataError` unless these arrays, training and test if there is one, are
    labels or targets of so many samples: of what their headers say, before memory is
    taken."""
    for name, count in zip(names, counts, strict=True):
        _require_answers(given, name, count)
    _require_alike(given, names)


def read(given: Arrays, names: tuple[str, ...]) -> Answers:
    """The labels or targets of these arrays. Raises `DataError`."""
    parts = [given[name] for name in names]
    if parts[0].ndim == 2 and _one_hot(parts):
        return _hot(names[0], parts)
    if parts[0].dtype.kind == "f":
        return _targets(given, names, parts)
    found = _texts if parts[0].dtype.kind == "U" else _integers
    if parts[0].ndim == 1:
        return found(given, names, parts)
    made = found(given, names, [_column(given, names[0], part) for part in parts])
    return replace(
        made, said=(f"{names[0]} is one column: a label a sample", *made.said)
    )


def of(
    y: np.ndarray, labels: Sequence[str], outputs: int, what: str = "y"
) -> np.ndarray:
    """Labels [n] that came later, as classes: those named by `labels`, or numbers below
    `outputs`. One-hot rows are taken too. Raises `DataError` for any other."""
    y = as_texts(y)
    if y.ndim == 2 and _one_hot([y]):
        y, labels = y.argmax(axis=1), ()
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1 or y.dtype.kind not in "biufU":
        raise DataError(
            f"{what} is {y.dtype} {list(y.shape)}: expected a label a sample"
        )
    classes = {name: place for place, name in enumerate(labels)}
    values, places = np.unique(y, return_inverse=True)
    made = []
    for value in values.tolist():
        known = classes.get(str(value)) if labels else _number(value, outputs)
        if known is None:
            raise DataError(
                f"{what} has label {short(value)}: expected one of "
                + (told(labels) if labels else f"0 to {outputs - 1}")
            )
        made.append(known)
    return np.array(made, np.int64)[places]


def as_texts(y: np.ndarray) -> np.ndarray:
    """An array of Python's texts, as pandas has them, as one that numpy knows."""
    if y.dtype.kind == "O" and all(isinstance(value, str) for value in y.flat):
        return y.astype(str)
    return y


def told(labels: Sequence[str]) -> str:
    """The classes and their numbers, for people."""
    shown = [f"{short(name)} -> {place}" for place, name in enumerate(labels[:SHOWN])]
    more = len(labels) - len(shown)
    return ", ".join(shown) + (f", and {more:,} more" if more > 0 else "")


def short(name: object) -> str:
    """The name of a class, at most so long."""
    text = str(name)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _number(value: Any, outputs: int) -> int | None:
    whole = not isinstance(value, str) and float(value).is_integer()
    return int(value) if whole and 0 <= value < outputs else None


def _require_answers(given: Arrays, name: str, samples: int) -> None:
    said = given.header(name)
    right = said.ndim in (1, 2) and said.shape[0] == samples and 0 not in said.shape
    if right and said.dtype.kind in "biufU":
        return
    raise _unlike(given, name, samples, *_mended(name, said, samples))


def _mended(name: str, said: Header, samples: int) -> tuple[str, ...]:
    if said.dtype.kind in MENDS:
        return mended(name, said.dtype)
    if said.ndim in (1, 2) and said.shape[0] != samples:
        return (f"n = min(len(x), len({name})); x, {name} = x[:n], {name}[:n]",)
    return ()


def _unlike(given: Arrays, name: str, samples: int, *hints: str) -> DataError:
    said = given.header(name)
    numbers = f"{samples} numbers, or rows of them (targets)"
    expected = (
        numbers
        if said.dtype.kind == "f"
        else f"{samples} integers (labels), or {numbers}"
    )
    return DataError(f"{given.origin}: {name} is {said}, expected {expected}", *hints)


def _require_alike(given: Arrays, names: tuple[str, ...]) -> None:
    first = given.header(names[0])
    for name in names[1:]:
        said = given.header(name)
        kinds = [
            "biu" if h.dtype.kind in "biu" else h.dtype.kind for h in (said, first)
        ]
        if kinds[0] != kinds[1] or said.shape[1:] != first.shape[1:]:
            raise DataError(
                f"{given.origin}: {name} is {said}, but {names[0]} is {first}; expected "
                "the same type and width"
            )


def _one_hot(parts: Sequence[np.ndarray]) -> bool:
    """Whether each row is zeros and a single one."""
    return all(
        part.shape[1] > 1
        and part.dtype.kind in "biuf"
        and bool(((part == 0) | (part == 1)).all())
        and bool((np.count_nonzero(part, axis=1) == 1).all())
        for part in parts
    )


def _hot(name: str, parts: Sequence[np.ndarray]) -> Answers:
    last = parts[0].shape[1] - 1
    made = tuple(part.argmax(axis=1).astype(np.int64) for part in parts)
    return Answers(made, (), (f"{name} is one-hot: {last + 1} classes, 0 to {last}",))


def _column(given: Arrays, name: str, part: np.ndarray) -> np.ndarray:
    if part.shape[1] == 1:
        return part[:, 0]
    numbers = f"{name} = {name}.astype(np.float32) learns its rows as numbers"
    one = f"{name} = {name}[:, 0] takes the first of them"
    raise _unlike(given, name, len(part), one if part.dtype.kind == "U" else numbers)


def _integers(
    given: Arrays, names: tuple[str, ...], parts: list[np.ndarray]
) -> Answers:
    """Those from 0 are classes as they are; others are numbered in ascending order."""
    low, high = min(part.min() for part in parts), max(part.max() for part in parts)
    if parts[0].dtype.kind == "b":
        made = tuple(part.astype(np.int64) for part in parts)
        return Answers(
            made, ("False", "True"), (f"{names[0]} is bool: False -> 0, True -> 1",)
        )
    if low == 0 and high <= MOST:
        return Answers(tuple(part.astype(np.int64) for part in parts))
    if low < -MOST or high > MOST:
        raise DataError(
            f"{given.origin}: {names[0]} has labels {low} to {high}, expected 0 to {MOST}",
            f"{names[0]} = np.unique({names[0]}, return_inverse=True)[1] if they are classes",
            f"{names[0]} = {names[0]}.astype(np.float32) if they are numbers to learn",
        )
    return _numbered(names[0], parts, f"has labels {low} to {high}")


def _texts(given: Arrays, names: tuple[str, ...], parts: list[np.ndarray]) -> Answers:
    for name, part in zip(names, parts, strict=True):
        missing = np.flatnonzero(np.char.strip(part) == "")
        if missing.size:
            raise DataError(
                f"{given.origin}: {name} has no label in row {missing[0]}: expected a text",
                f'ok = {name} != ""; x, {name} = x[ok], {name}[ok]',
            )
    made = _numbered(names[0], parts, "is text")
    many, samples = len(made.labels), sum(map(len, parts))
    if many > FEW_TEXTS and 2 * many > samples:
        raise DataError(
            f"{given.origin}: {names[0]} has {many:,} different texts in {samples:,} "
            f"samples, {short(made.labels[0])!r} among them: expected classes",
            f"{names[0]} = {names[0]}.astype(np.float32) if they are numbers to learn",
        )
    return made


def _numbered(name: str, parts: list[np.ndarray], why: str) -> Answers:
    """Classes by ascending value of all parts."""
    values = np.unique(np.concatenate([np.unique(part) for part in parts]))
    made = tuple(np.searchsorted(values, part).astype(np.int64) for part in parts)
    labels = tuple(map(str, values.tolist()))
    classes = "1 class" if len(labels) == 1 else f"{len(labels):,} classes"
    return Answers(made, labels, (f"{name} {why}: {classes}, {told(labels)}",))


def _targets(given: Arrays, names: tuple[str, ...], parts: list[np.ndarray]) -> Answers:
    """One number or a row of them a sample, as float32 [n, m]."""
    made = []
    for name, part in zip(names, parts, strict=True):
        rows = part.reshape(len(part), -1)
        with np.errstate(over="ignore"):
            made.append(rows.astype(np.float32))
        wrong = np.argwhere(~np.isfinite(made[-1]))
        if wrong.size:
            row, column = wrong[0].tolist()
            raise DataError(
                f"{given.origin}: {name} holds {rows[row, column]} in row {row}, column "
                f"{column}: expected finite binary32 numbers",
                f"ok = np.isfinite({name}).reshape(len({name}), -1).all(axis=1); "
                f"x, {name} = x[ok], {name}[ok]",
            )
    said: tuple[str, ...] = ()
    if parts[0].ndim == 1 and all((part == np.rint(part)).all() for part in parts):
        line = f"{names[0]} = {names[0]}.astype(int)"
        said = (
            f"{names[0]} is {parts[0].dtype}: learned as numbers ({line}: as classes)",
        )
    return Answers(tuple(made), (), said)
