"""Whether the numpy twin gives what somebody else's interpreter gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from codegen.graph import arena, reading, support
from codegen.graph.description import Graph, Tensor
from codegen.reference import graph as twin
from hil.errors import Divergence, ModelError
from hil.models import cases

MACS = 10_000_000_000
"""Of one case at most: numpy needs minutes for more."""
TWIN = "the numpy twin (reference)"
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


def check(graph: Graph, path: str, stream: bool = False) -> list[Output]:
    """Run every case of a file of in0, in1, ... and compare it with ref0, ref1, ...; of a
    `stream` what the model keeps goes on from case to case. Raises `DataError` for a file without them, `ModelError` for too large a model."""
    require_small(graph)
    given = cases.read(graph, path)
    kept = twin.begun(graph) if stream else None
    made = [outputs(graph, case, kept) for case in given]
    return compared(graph, made, given.expected)


def compared(
    graph: Graph,
    made: Sequence[Sequence[np.ndarray]],
    expected: Sequence[np.ndarray],
) -> list[Output]:
    """Compare the outputs that were `made` of each case with those that are
    expected."""
    return [
        _compared(tensor, place, [case[place] for case in made], other)
        for (place, tensor), other in zip(
            enumerate(graph.outputs), expected, strict=True
        )
    ]


def difference(found: Sequence[Output], path: str) -> Divergence | None:
    """The error of the first output that differs, if one does."""
    for one in found:
        if one.equal < one.cases:
            return Divergence(
                f"check {path!r}: output {one.place} differs in {one.cases - one.equal:,} "
                f"of {one.cases:,} cases, by {one.apart:.3g} at most",
                "the outputs must come from TensorFlow Lite's reference kernels "
                "(OpResolverType.BUILTIN_REF); its default kernels round otherwise",
            )
    return None


def require_small(graph: Graph) -> None:
    """Raise `ModelError` for a model that numpy would compute for minutes."""
    macs = sum(map(support.macs, graph.operators))
    if macs > MACS:
        raise ModelError(f"a case has {macs:,} MACs: the twin takes up to {MACS:,}")
    computed = sum(one.bytes for one in graph.tensors if one.data is None)
    if max(computed, arena.plan(graph).bytes) > reading.MOST:
        raise ModelError(
            f"its activations have {computed:,} bytes: the twin takes up to {reading.MOST:,}"
        )


def outputs(
    graph: Graph,
    inputs: Sequence[np.ndarray],
    kept: Mapping[int, np.ndarray] | None = None,
) -> list[np.ndarray]:
    """What the twin gives of one case; what the model keeps is that of `kept`, which is
    written, or begins anew."""
    there = twin.run(graph, inputs, kept)
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
    """The largest difference. Equal infinities, and two NaNs, differ by nothing; from
    any other number what is not finite differs infinitely."""
    mine, other = mine.astype(np.float64), other.astype(np.float64)
    finite = np.isfinite(mine) & np.isfinite(other)
    alike = (mine == other) | (np.isnan(mine) & np.isnan(other))
    differences = np.where(alike, 0.0, np.inf)
    differences[finite] = np.abs(mine[finite] - other[finite])
    return float(differences.max(initial=0))


def _reach(expected: np.ndarray) -> float:
    """The largest finite number that was expected, at least 1."""
    finite = expected[np.isfinite(expected)]
    return max(1.0, float(np.abs(finite).max(initial=0)))


def document(found: Sequence[Output]) -> dict[str, Any]:
    """The same for --json."""
    return {
        "provenance": "reference",
        "outputs": [
            {
                "output": one.place, "name": one.tensor.name, "cases": one.cases,
                "equal": one.equal, "exact": one.exact, "apart": min(one.apart, 1e308),
            }
            for one in found
        ],
    }  # fmt: skip


def lines(path: str, found: Sequence[Output], whose: str = TWIN) -> Iterator[str]:
    """What was compared: outputs of the twin, or `whose` they are."""
    if found:
        yield f"check    {path}: {found[0].cases:,} cases by {whose}"
    yield from (f"equal    {one}" for one in found)
