"""Cases of a model from an .npz: inputs in0, in1, ..., and the outputs ref0, ref1, ...
that somebody else's interpreter gave. A name that is neither is refused: a reference
whose name is mistyped would compare nothing, and say so nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen.graph.description import DTYPES, Graph, Tensor
from hil.data import arrays
from hil.data.arrays import Arrays
from hil.errors import DataError

PASSED = "def"
"""Outputs of an interpreter that rounds otherwise: they may be there, and are not read."""


@dataclass(frozen=True)
class Cases:
    """Arrays [cases, ...], one for each input of the model, and of what is `expected`
    one for each output, or none."""

    inputs: tuple[np.ndarray, ...]
    expected: tuple[np.ndarray, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs[0])

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        """The inputs of each case."""
        return zip(*self.inputs, strict=True)


def read(graph: Graph, path: str, expects: bool = True) -> Cases:
    """The cases of a file, at least one. What is expected is read if it is there, and
    must be there if the caller `expects` it. Raises `DataError`."""
    with arrays.opened(Path(path), "file of cases") as stored:
        _require_known(stored, graph)
        inputs = [_cases(stored, f"in{k}", one) for k, one in enumerate(graph.inputs)]
        names = [f"ref{k}" for k in range(len(graph.outputs))]
        wanted = expects or any(name in stored for name in names)
        expected = [
            _cases(stored, name, one)
            for name, one in zip(names, graph.outputs, strict=True)
            if wanted
        ]
    counts = {len(one) for one in (*inputs, *expected)}
    if len(counts) != 1 or not min(counts):
        raise DataError(
            f"file of cases {path!r}: its arrays have {sorted(counts)} cases",
            "every array must hold as many cases, at least one",
        )
    return Cases(tuple(inputs), tuple(expected))


def random(graph: Graph) -> Cases:
    """One case of a model, the same each time."""
    draw = np.random.default_rng(1)
    return Cases(tuple(drawn(one, draw)[None] for one in graph.inputs))


def drawn(tensor: Tensor, draw: np.random.Generator) -> np.ndarray:
    """Random numbers of a tensor's type: integers from all its range, floats of usual
    size."""
    dtype = np.dtype(DTYPES[tensor.type])
    if dtype.kind == "f":
        return draw.normal(0, 2, tensor.shape).astype(dtype)
    limits = np.iinfo(dtype)
    return draw.integers(limits.min, limits.max, tensor.shape, dtype, endpoint=True)


def _require_known(stored: Arrays, graph: Graph) -> None:
    """Raise `DataError` for an array that nothing would read."""
    read = [f"in{k}" for k in range(len(graph.inputs))]
    read += [f"ref{k}" for k in range(len(graph.outputs))]
    passed = {f"{PASSED}{k}" for k in range(len(graph.outputs))}
    for name in sorted({*stored} - {*read} - passed):
        raise DataError(
            f"{stored.origin}: nothing reads array {name!r}: expected {', '.join(read)}",
            "inputs are in0, in1, ..., outputs of another interpreter ref0, ref1, ...",
        )


def _cases(stored: Arrays, name: str, tensor: Tensor) -> np.ndarray:
    """An array [cases, ...] of a tensor's type and shape; axes of size 1 may be left out
    or added."""
    if name not in stored:
        raise DataError(
            f"{stored.origin}: there is no array {name!r}",
            f"{name} must be {DTYPES[tensor.type]} [cases, ...], for {tensor}",
        )
    header = stored.header(name)
    fits = header.ndim > 0 and _long(header.shape[1:]) == _long(tensor.shape)
    if not fits or header.dtype != np.dtype(DTYPES[tensor.type]):
        shape = ", ".join(["cases", *map(str, tensor.shape)])
        raise DataError(
            f"{stored.origin}: array {name!r} is {header}: expected "
            f"{np.dtype(DTYPES[tensor.type])} [{shape}], for {tensor}",
            "axes of size 1 may be left out; all others must be there, in this order",
        )
    return stored[name].reshape(-1, *tensor.shape)


def _long(shape: tuple[int, ...]) -> list[int]:
    """The axes that have more than one place, or none."""
    return [size for size in shape if size != 1]
