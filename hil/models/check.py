"""Whether the numpy twin gives what somebody else's interpreter gave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codegen.graph import arena, reading, support
from codegen.graph.description import Graph, Tensor
from codegen.reference import graph as twin
from codegen.reference.graph.node import DTYPES
from hil.data import arrays
from hil.data.arrays import Arrays
from hil.errors import DataError, Divergence, ModelError

MACS = 10_000_000_000
"""Of one case at most: numpy needs minutes for more."""
FLOAT = 1e-5
"""Of float32, which is added in another order: how far apart it may be, in the largest
number that was expected, at least 1."""


@dataclass(frozen=True)
class Output:
    """What was compared of one output: how many cases there were and how many were
    equal, to the bit or, of float32, within the tolerance; `apart`: by how much at most."""

    tensor: Tensor
    place: int
    cases: int
    equal: int
    apart: float

    @property
    def exact(self) -> bool:
        """Whether equal means to the bit."""
        return self.tensor.type != "f32"

    def __str__(self) -> str:
        how = "to the bit" if self.exact else f"within {FLOAT:g} of the largest number"
        return (
            f"{self.tensor.name!r} {self.tensor.said}: {self.equal:,} of {self.cases:,} "
            f"cases equal ref{self.place} {how}, apart by {self.apart:.3g} at most"
        )


def check(graph: Graph, path: str) -> list[Output]:
    """Run every case of a file of in0, in1, ... and compare it with ref0, ref1, ...
    Raises `DataError` for a file without them, `ModelError` for too large a model."""
    _require_small(graph)
    with arrays.opened(Path(path), "file of cases") as stored:
        inputs = [_cases(stored, f"in{k}", one) for k, one in enumerate(graph.inputs)]
        expected = [
            _cases(stored, f"ref{k}", one) for k, one in enumerate(graph.outputs)
        ]
    counts = {len(one) for one in (*inputs, *expected)}
    if len(counts) != 1 or not min(counts):
        raise DataError(
            f"file of cases {path!r}: its arrays have {sorted(counts)} cases",
            "expected is the same number of cases, at least one, in every array",
        )
    made = [_outputs(graph, case) for case in zip(*inputs, strict=True)]
    return [
        _compared(tensor, place, [case[place] for case in made], expected[place])
        for place, tensor in enumerate(graph.outputs)
    ]


def difference(outputs: Sequence[Output], path: str) -> Divergence | None:
    """The error of the first output that differs, if one does."""
    for one in outputs:
        if one.equal < one.cases:
            return Divergence(
                f"check {path!r}: output {one.place} differs in {one.cases - one.equal:,} "
                f"of {one.cases:,} cases, by {one.apart:.3g} at most",
                "expected are outputs of TensorFlow Lite's reference kernels "
                "(OpResolverType.BUILTIN_REF); its default kernels round otherwise",
            )
    return None


def _require_small(graph: Graph) -> None:
    macs = sum(map(support.macs, graph.operators))
    if macs > MACS:
        raise ModelError(f"a case has {macs:,} MACs: --check takes up to {MACS:,}")
    computed = sum(one.bytes for one in graph.tensors if one.data is None)
    if max(computed, arena.plan(graph).bytes) > reading.MOST:
        raise ModelError(
            f"its activations have {computed:,} bytes: --check takes up to {reading.MOST:,}"
        )


def _cases(stored: Arrays, name: str, tensor: Tensor) -> np.ndarray:
    """An array [cases, ...] of a tensor's type and size."""
    if name not in stored:
        raise DataError(
            f"{stored.origin}: there is no array {name!r}",
            f"expected is {name}, {DTYPES[tensor.type]} [cases, ...], for {tensor}",
        )
    header = stored.header(name)
    fits = header.ndim > 0 and header.size == header.shape[0] * tensor.elements
    if not fits or header.dtype != np.dtype(DTYPES[tensor.type]):
        raise DataError(
            f"{stored.origin}: array {name!r} is {header}: expected "
            f"{np.dtype(DTYPES[tensor.type])} {['cases', *tensor.shape]}"
        )
    return stored[name].reshape(-1, *tensor.shape)


def _outputs(graph: Graph, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    there = twin.run(graph, inputs)
    return [there[one.index] for one in graph.outputs]


def _compared(
    tensor: Tensor, place: int, made: Sequence[np.ndarray], expected: np.ndarray
) -> Output:
    distances = [*map(_apart, made, expected)]
    equal = [
        apart <= (0 if tensor.type != "f32" else FLOAT * _reach(other))
        for apart, other in zip(distances, expected, strict=True)
    ]
    return Output(tensor, place, len(made), sum(equal), max(distances))


def _apart(mine: np.ndarray, other: np.ndarray) -> float:
    """The largest difference; infinite where one of the two is no number."""
    differences = np.abs(mine.astype(np.float64) - other.astype(np.float64))
    return float(np.nan_to_num(differences, nan=np.inf).max(initial=0))


def _reach(expected: np.ndarray) -> float:
    return max(1.0, float(np.abs(expected).max(initial=0)))


def document(outputs: Sequence[Output]) -> dict[str, Any]:
    """The same for --json."""
    return {
        "provenance": "reference",
        "outputs": [
            {
                "output": one.place, "name": one.tensor.name, "cases": one.cases,
                "equal": one.equal, "exact": one.exact, "apart": min(one.apart, 1e308),
            }
            for one in outputs
        ],
    }  # fmt: skip


def lines(path: str, outputs: Sequence[Output]) -> Iterator[str]:
    """What was compared."""
    if outputs:
        yield f"check    {path}: {outputs[0].cases:,} cases by the numpy twin (reference)"
    yield from (f"equal    {one}" for one in outputs)
