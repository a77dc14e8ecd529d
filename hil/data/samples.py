"""Samples as people have them, made into samples as they travel: uint8, int16, float32.

A type of the line stays as it is. Any other is converted where no value changes, or,
from a wider float, where rounding to binary32 is all that changes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from codegen.spec import Inputs
from hil.data.arrays import MENDS, Arrays, Header, mended
from hil.errors import DataError

LOG = logging.getLogger("hil.data")
SCALES = {"uint8": ("u8", 255.0), "int16": ("i16", 32768.0), "float32": ("f32", 1.0)}
"""Element type of an array -> type on the line, and scale unless it says one."""
EXACT = 1 << 24
"""Integers up to this size are float32 as well."""


@dataclass(frozen=True)
class Samples:
    """Parts [n, elements] of one type, their scale unless the data say one, and a
    sentence for each thing that was made of them."""

    parts: tuple[np.ndarray, ...]
    scale: float
    said: tuple[str, ...]


def require(given: Arrays, names: tuple[str, ...]) -> None:
    """Raise `DataError` unless these arrays, training and test if there is one, are
    samples: of what their headers say, before memory is taken."""
    for name in names:
        _require_samples(given, name)
    _require_alike(given, names)


def read(given: Arrays, names: tuple[str, ...], window: bool) -> Samples:
    """The samples of these arrays; of a `window` int16 is expected. Raises
    `DataError`."""
    first, said = given.header(names[0]), []
    if first.ndim > 2:
        each = first.size // first.shape[0]
        shape = ", ".join(map(str, first.shape[1:]))
        said.append(
            f"{names[0]} is [n, {shape}]: a sample is a row of {each:,} numbers"
        )
    parts = [_rows(given[name]) for name in names]
    for name, part in zip(names, parts, strict=True):
        _require_finite(f"{given.origin}: {name}", name, part, given.columns)
    if parts[0].dtype.name in SCALES:
        return Samples(tuple(parts), SCALES[parts[0].dtype.name][1], tuple(said))
    to, scale = _chosen(given.origin, names[0], parts, window)
    by = "" if scale == 1 else f", divided by {scale:g}"
    rounded = parts[0].dtype.kind == "f" and parts[0].itemsize > 4
    how = ", each value rounded" if rounded else ""
    said.append(f"{names[0]} is {first.dtype}: travels as {to}{how}{by}")
    return Samples(tuple(part.astype(to) for part in parts), scale, tuple(said))


def of(x: np.ndarray, inputs: Inputs, what: str = "x") -> np.ndarray:
    """Samples [n, ...] as [n, elements] of the type in which those of `inputs` travel.

    Raises `DataError` for values that this type does not have; a float64 is rounded.
    """
    to = next(name for name, (line, _) in SCALES.items() if line == inputs.dtype)
    if x.dtype.kind not in "biuf" or x.ndim < 2:
        raise DataError(f"{what} is {_form(x)}: expected [samples, features] of {to}")
    rows = _rows(x)
    _require_finite(what, what, rows)
    with np.errstate(all="ignore"):
        made = rows.astype(to)
    if x.dtype != made.dtype:
        LOG.info("%s is %s: travels as %s", what, x.dtype, to)
    if to != "float32" and not np.array_equal(made, rows):
        raise DataError(
            f"{what} has values from {rows.min()} to {rows.max()} that are not all "
            f"{to}, the type in which samples travel here",
            f"{what} = np.clip(np.rint({what}), {np.iinfo(to).min}, {np.iinfo(to).max})"
            f".astype(np.{to})",
        )
    return made


def _require_samples(given: Arrays, name: str) -> None:
    said = given.header(name)
    if said.ndim >= 2 and 0 not in said.shape and said.dtype.kind in "biuf":
        return
    raise DataError(
        f"{given.origin}: {name} is {said}, expected [samples, features] of numbers",
        *_mended(name, said),
    )


def _mended(name: str, said: Header) -> tuple[str, ...]:
    if said.dtype.kind == "U":
        return (f"{name} = {name}.astype(np.float32) if all of them are numbers",)
    if said.dtype.kind in MENDS:
        return mended(name, said.dtype)
    if said.ndim == 1 and said.size:
        return (f"{name} = {name}.reshape(-1, 1) if a sample is one number",)
    return ()


def _require_alike(given: Arrays, names: tuple[str, ...]) -> None:
    first = given.header(names[0])
    for name in names[1:]:
        said = given.header(name)
        if said.dtype != first.dtype or said.shape[1:] != first.shape[1:]:
            raise DataError(
                f"{given.origin}: {name} is {said}, but {names[0]} is {first}; expected "
                "the same type and width",
                f"{name} = {name}.astype({names[0]}.dtype) where only the type differs",
            )


def _require_finite(
    what: str, name: str, rows: np.ndarray, columns: tuple[str, ...] = ()
) -> None:
    """Also after rounding to binary32. `what` holds them; its `name` is for the hint."""
    if rows.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(rows.astype(np.float32, copy=False))
    if not wrong.any():
        return
    row, column = np.argwhere(wrong)[0].tolist()
    count = int(np.count_nonzero(wrong.any(axis=1)))
    value = rows[row, column]
    called = repr(columns[column]) if columns else str(column)
    where = f"row {row}, column {called}"
    if np.isfinite(value):
        why = f"{value:g} in {where}: expected values that float32 has"
        line = f"{name} = {name} / np.abs({name}).max()"
    else:
        why = f"{value} in {where}: expected finite numbers ({count:,} of {len(rows):,} rows have others)"
        line = f"ok = np.isfinite({name}).all(axis=1); x, y = x[ok], y[ok]"
    kind = "non-finite values, " if not np.isfinite(value) else ""
    raise DataError(f"{what} holds {kind}{why}", line)


def _chosen(
    origin: str, name: str, parts: list[np.ndarray], window: bool
) -> tuple[str, float]:
    """The type of the line that has all values, and a scale for it: integers are
    divided by the largest, so that what the network sees is at most 1."""
    if parts[0].dtype.kind == "f":
        return "float32", 1.0
    low = min(int(part.min()) for part in parts)
    high = max(int(part.max()) for part in parts)
    largest = max(abs(int(parts[0].min())), abs(int(parts[0].max())), 1)
    for to in ("int16",) if window else ("uint8", "int16"):
        if np.iinfo(to).min <= low and high <= np.iinfo(to).max:
            return to, float(largest)
    if max(-low, high) <= EXACT:
        return "float32", float(largest)
    raise DataError(
        f"{origin}: {name} has integers from {low} to {high}: expected at most {EXACT:,}, "
        "beyond which float32 does not have them all",
        f"{name} = ({name} / np.abs({name}).max()).astype(np.float32)",
    )


def _rows(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x.reshape(len(x), -1))


def _form(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)}"
