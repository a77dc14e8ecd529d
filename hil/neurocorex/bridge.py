"""Networks of NIR, the exchange format of the field's simulators, as NeuroCoreX's.

Source: Pedersen et al. 2024, doi 10.1038/s41467-024-52259-9, and the package nir, whose
graphs these are. A spike is a current of 1 in one step of `dt` seconds, as snnTorch has it:
it moves a potential by w r (IF), or by w r dt / tau (LIF).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.planning.lif import FEWEST, MOST, TOGETHER
from hil.errors import DataError, UsageError
from hil.neurocorex.network import POINT, Network

Array = NDArray[np.float64]
LARGEST = 127
"""Of a weight, and of a threshold in weights."""
HEARD, SPIKING = ("Affine", "Linear"), ("IF", "LIF")


@dataclass(frozen=True)
class Bridge:
    """A network made of a graph: `first` is the first cell of each node that spikes,
    `scale` [cells] what a cell's weights and threshold were multiplied by, and `error`
    the largest rounding of a weight, as a share of its cell's threshold."""

    network: Network
    first: dict[str, int]
    scale: Array
    error: float


@dataclass
class _Layers:
    """A graph as matrices [to, from], in its own numbers."""

    first: dict[str, int]
    inputs: Array
    recurrent: Array
    thresholds: Array
    bias: Array
    gains: Array = field(init=False)

    def __post_init__(self) -> None:
        self.gains = np.ones(len(self.thresholds))


def from_nir(
    graph: Any, *, dt: float | None = None, leak: float | None = None, cells: int = 0
) -> Bridge:
    """A `nir.NIRGraph`, or a .nir file, of Affine or Linear nodes and cells, IF or LIF:
    from one Input to one Output, with any loops, each of which takes a step as every
    connection between cells does.

    `cells`: how many the network has, else as few as it needs. `dt`: a step in seconds,
    for LIF. Of LIF, the leak is proportional to a potential; NeuroCoreX subtracts the same
    in every step, and `leak` (in the graph's own numbers) says how much: 0 leaves it out.

    Weights and thresholds that are integers already stay as they are. Else those of a cell
    are multiplied by what makes its largest 127 (all cells' by the same where there is a
    leak), and weights are rounded to the nearest. Cells of NIR spike above their threshold,
    NeuroCoreX's at it: theirs is the next number above.

    Raises `UsageError` for what NeuroCoreX has not, `DataError` for a file that is none.
    """
    found = _read(graph) if isinstance(graph, str | Path) else graph
    layers = _layers(found, dt, leak)
    scale = _scale(layers, leak or 0.0)
    network = _sized(layers, cells)
    network.leak = (leak or 0.0) * float(scale[0])
    _bias(network, layers.bias * scale)
    exact_inputs = layers.inputs * scale[:, None]
    exact_recurrent = layers.recurrent * scale[:, None]
    count, lines = layers.inputs.shape
    network.inputs[:count, :lines] = np.round(exact_inputs)
    network.recurrent[:count, :count] = np.round(exact_recurrent)
    above = np.floor(layers.thresholds * scale * POINT) + 1
    network.thresholds[:] = LARGEST + 1 - 1 / POINT
    network.thresholds[:count] = above / POINT
    parts = (exact_inputs, exact_recurrent)
    rounded = max(float(_share(part, layers.thresholds * scale)) for part in parts)
    return Bridge(network, layers.first, scale, rounded)


def _share(exact: Array, thresholds: Array) -> float:
    away = np.abs(exact - np.round(exact)) / thresholds[:, None]
    return float(away.max(initial=0.0))


def _read(path: str | Path) -> Any:
    """The graph of a file. Raises `UsageError` without the package, `DataError`."""
    try:
        import nir
    except ImportError:
        raise UsageError(
            f"model {str(path)!r} needs the package nir: it is not installed",
            "pip install 'hil-learning[nir]'",
        ) from None
    try:
        return nir.read(path)
    except Exception as error:
        raise DataError(f"model {str(path)!r} is no graph of NIR: {error}") from error


def _kind(node: Any) -> str:
    return type(node).__name__


def _layers(graph: Any, dt: float | None, leak: float | None) -> _Layers:
    """Its matrices. Raises `UsageError`."""
    nodes = dict(graph.nodes)
    for name, node in nodes.items():
        if _kind(node) not in (*HEARD, *SPIKING, "Input", "Output"):
            raise UsageError(
                f"node {name!r} is a {_kind(node)}: expected Input, Output, "
                f"{', '.join(HEARD)}, {' or '.join(SPIKING)}"
            )
    (source,) = _only(nodes, "Input")
    lines = _cells(source, nodes[source])
    first, count = {}, 0
    for name, node in nodes.items():
        if _kind(node) in SPIKING:
            first[name], count = count, count + _cells(name, node)
    empty = np.zeros((count, lines)), np.zeros((count, count))
    layers = _Layers(first, *empty, np.zeros(count), np.zeros(count))
    for name, begin in first.items():
        _take_cells(layers, name, nodes[name], begin, dt, leak)
    _connect(layers, nodes, [tuple(edge) for edge in graph.edges])
    return layers


def _only(nodes: dict[str, Any], kind: str) -> list[str]:
    found = [name for name, node in nodes.items() if _kind(node) == kind]
    if len(found) != 1:
        raise UsageError(f"the graph has {len(found)} nodes {kind}: expected one")
    return found


def _size(name: str, shape: Any) -> int:
    """Of a row of elements."""
    flat = np.atleast_1d(np.asarray(shape)).ravel()
    if len(flat) != 1:
        raise UsageError(
            f"node {name!r} has shape {flat.tolist()}: expected one axis, as cells are in a row"
        )
    return int(flat[0])


def _take_cells(
    layers: _Layers,
    name: str,
    node: Any,
    begin: int,
    dt: float | None,
    leak: float | None,
) -> None:
    """Thresholds, and what a current is multiplied by, of a node of cells."""
    gain = np.asarray(node.r, float)
    if _kind(node) == "LIF":
        if dt is None or leak is None:
            raise UsageError(
                f"node {name!r} is a LIF, whose leak is proportional to its potential: "
                "NeuroCoreX subtracts one number in every step",
                "leak=0 leaves it out; leak=0.1 subtracts that; dt is a step in seconds",
            )
        gain = gain * dt / np.asarray(node.tau, float)
        _zero(name, "v_leak", node.v_leak)
    _zero(name, "v_reset", node.v_reset)
    thresholds = np.asarray(node.v_threshold, float)
    if not (thresholds > 0).all():
        raise UsageError(
            f"node {name!r} has a threshold of {thresholds.min():g}: expected above 0"
        )
    layers.thresholds[begin : begin + len(thresholds)] = thresholds
    layers.gains[begin : begin + len(thresholds)] = gain


def _zero(name: str, what: str, values: Any) -> None:
    wrong = np.asarray(values, float)
    if wrong.any():
        raise UsageError(
            f"node {name!r} has {what} {wrong.ravel()[np.flatnonzero(wrong)[0]]:g}: expected 0"
        )


def _connect(
    layers: _Layers, nodes: dict[str, Any], edges: list[tuple[str, str]]
) -> None:
    """Weights from the input and between cells, and biases."""
    for name, node in nodes.items():
        if _kind(node) in HEARD:
            (before,) = _end(nodes, name, [a for a, b in edges if b == name], "Input")
            (after,) = _end(nodes, name, [b for a, b in edges if a == name], "")
            _add(layers, name, node, before, after, nodes)
    for a, b in edges:
        if _kind(nodes[b]) in SPIKING and _kind(nodes[a]) not in HEARD:
            raise UsageError(
                f"{a!r} leads to cells {b!r} directly: expected weights between them"
            )


def _end(nodes: dict[str, Any], name: str, found: list[str], other: str) -> list[str]:
    """The one node beside weights, which has cells, or is the input."""
    kinds = (*SPIKING, other)
    if len(found) != 1 or _kind(nodes[found[0]]) not in kinds:
        told = ", ".join(f"{one!r} ({_kind(nodes[one])})" for one in found) or "nothing"
        raise UsageError(
            f"weights {name!r} have {told} at one end: expected one node of cells"
            + (" or the input" if other else "")
        )
    return found


def _cells(name: str, node: Any) -> int:
    """How many spikes of a step come from, or go to, a node."""
    shape = (
        node.output_type["output"] if _kind(node) == "Input" else node.v_threshold.shape
    )
    return _size(name, shape)


def _add(
    layers: _Layers,
    name: str,
    node: Any,
    before: str,
    after: str,
    nodes: dict[str, Any],
) -> None:
    """The weights of a node, and its biases, where its cells are."""
    weights = np.asarray(node.weight, float)
    expected = (_cells(after, nodes[after]), _cells(before, nodes[before]))
    if weights.shape != expected:
        raise UsageError(
            f"weights {name!r} are {list(weights.shape)}: expected {list(expected)}"
        )
    if before == after and np.diag(weights).any():
        raise UsageError(
            f"weights {name!r} lead from a cell to itself, which NeuroCoreX has not: "
            "expected a diagonal of zeros"
        )
    heard = before not in layers.first
    at, begin = (0 if heard else layers.first[before]), layers.first[after]
    rows = slice(begin, begin + expected[0])
    gains = layers.gains[rows]
    matrix = layers.inputs if heard else layers.recurrent
    matrix[rows, at : at + expected[1]] += gains[:, None] * weights
    if _kind(node) == "Affine":
        layers.bias[rows] += gains * np.asarray(node.bias, float)


def _whole(values: Array) -> bool:
    return bool(
        (values == np.round(values)).all() and np.abs(values).max(initial=0) <= LARGEST
    )


def _scale(layers: _Layers, leak: float) -> Array:
    """What each cell's numbers are multiplied by."""
    if all(map(_whole, (layers.inputs, layers.recurrent, layers.thresholds))):
        return np.ones(len(layers.thresholds))
    heard = np.hstack([layers.inputs, layers.recurrent, layers.thresholds[:, None]])
    largest = LARGEST / np.abs(heard).max(axis=1)
    return np.full(len(largest), largest.min()) if leak else largest


def _sized(layers: _Layers, cells: int) -> Network:
    """An empty network that has room. Raises `UsageError`."""
    needs = max(layers.inputs.shape)
    least = max(FEWEST, TOGETHER * math.ceil(needs / TOGETHER))
    if needs > (cells or MOST):
        raise UsageError(
            f"the graph has {layers.inputs.shape[0]} cells and {layers.inputs.shape[1]} "
            f"inputs: expected at most {cells or MOST} of each"
        )
    return Network(cells or least)


def _bias(network: Network, bias: Array) -> None:
    """The one that there may be. Raises `UsageError`."""
    biased = np.flatnonzero(bias)
    if len(biased) > 1:
        raise UsageError(
            f"{len(biased)} cells have a bias: expected one at most, which is what NeuroCoreX has"
        )
    for cell in biased:
        network.biased, network.bias = int(cell), float(bias[cell])
