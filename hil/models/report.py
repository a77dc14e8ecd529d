"""What is in a model, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from codegen.graph import arena, support
from codegen.graph.description import Graph, Operator, Tensor

HEADS = ("", "operator", "input", "output", "types", "MACs", "constants", "alive")
NUMBERS = frozenset({"", "MACs", "constants", "alive"})
"""Columns whose numbers stand at the right."""
LEGEND = (
    "MACs       products that are added up, those with padding too (counted)",
    "constants  bytes of weights and biases, which stay in flash (counted)",
    "alive      bytes of activations that are needed while the operator runs (counted)",
)


def lines(name: str, graph: Graph, problems: Sequence[str]) -> Iterator[str]:
    """All that is told of a model."""
    planned = arena.plan(graph)
    total = sum(map(support.macs, graph.operators))
    yield (
        f"model    {name}: {counted(len(graph.operators), 'operator')}, "
        f"{counted(len(graph.tensors), 'tensor')}, {graph.size:,} bytes"
    )
    for what, tensors in (("input", graph.inputs), ("output", graph.outputs)):
        yield from (f"{what:8} {_tensor(one)}" for one in tensors)
    yield from _table(graph, planned)
    yield from (f"  {line}" for line in LEGEND)
    yield (
        f"total    {total:,} MACs, {graph.constants:,} bytes of constants, "
        f"{planned.bytes:,} bytes of arena (counted)"
    )
    kept = arena.carried(graph)
    if kept:
        yield (
            f"keeps    {sum(one.bytes for one in kept):,} bytes from one inference to the next, "
            f"in {counted(len(kept), 'tensor')} of the arena (counted)"
        )
    if planned.alive:
        peak = max(range(len(planned.alive)), key=planned.alive.__getitem__)
        yield (
            f"peak     {graph.operators[peak]} needs {planned.alive[peak]:,} bytes; the "
            f"arena has {_more(planned.bytes, planned.alive[peak])}"
        )
    yield from (f"refused  {problem}" for problem in problems)


def counted(count: int, what: str) -> str:
    """So many of something."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _more(has: int, needs: int) -> str:
    return "no more" if has == needs else f"{has - needs:,} more"


def _tensor(tensor: Tensor) -> str:
    quantised = f", {tensor.quantisation}" if tensor.quantisation else ""
    return f"{tensor.name!r} {tensor.said}{quantised}"


def _table(graph: Graph, planned: arena.Arena) -> Iterator[str]:
    """Operators as rows."""
    rows = [HEADS, *(_row(one, planned) for one in graph.operators)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(HEADS, row, widths, strict=True)
        yield "  ".join(
            f"{cell:>{w}}" if head in NUMBERS else f"{cell:{w}}"
            for head, cell, w in cells
        ).rstrip()


def _row(operator: Operator, planned: arena.Arena) -> tuple[str, ...]:
    first, out = operator.given(0), operator.outputs
    types = dict.fromkeys(_types(operator))
    return (
        str(operator.index),
        operator.kind,
        _shape(first),
        _shape(out[0] if out else None),
        " ".join(types),
        f"{support.macs(operator):,}",
        f"{_constants(operator):,}",
        f"{planned.alive[operator.index]:,}",
    )


def _types(operator: Operator) -> Iterator[str]:
    """Types of what goes in, of the weights, of what comes out."""
    for tensor in (*operator.inputs[:2], *operator.outputs[:1]):
        if tensor is not None:
            each = tensor.quantisation and len(tensor.quantisation.scales) > 1
            yield f"{tensor.type}/channel" if each else tensor.type


def _shape(tensor: Tensor | None) -> str:
    return "-" if tensor is None else "x".join(map(str, tensor.shape)) or "1"


def _constants(operator: Operator) -> int:
    there = {
        one.index: one.bytes
        for one in operator.inputs
        if one is not None and one.data is not None
    }
    return sum(there.values())


def document(graph: Graph, problems: Sequence[str]) -> dict[str, Any]:
    """The same for --json."""
    planned = arena.plan(graph)
    return {
        "bytes": graph.size,
        "macs": sum(map(support.macs, graph.operators)),
        "constants": graph.constants,
        "arena": planned.bytes,
        "peak": max(planned.alive, default=0),
        "provenance": "counted",
        "inputs": [_described(one) for one in graph.inputs],
        "outputs": [_described(one) for one in graph.outputs],
        "operators": [_operator(one, planned) for one in graph.operators],
        "unsupported": list(problems),
    }


def _described(tensor: Tensor) -> dict[str, Any]:
    quantised = tensor.quantisation
    return {
        "tensor": tensor.index,
        "name": tensor.name,
        "shape": list(tensor.shape),
        "type": tensor.type,
        "bytes": tensor.bytes,
        "constant": tensor.data is not None,
        "quantisation": None if quantised is None else asdict(quantised),
    }


def _operator(operator: Operator, planned: arena.Arena) -> dict[str, Any]:
    return {
        "operator": operator.index,
        "kind": operator.kind,
        "version": operator.version,
        "inputs": [one and _described(one) for one in operator.inputs],
        "outputs": [
            {**_described(one), "place": planned.places.get(one.index)}
            for one in operator.outputs
        ],
        "options": dict(operator.options),
        "macs": support.macs(operator),
        "constants": _constants(operator),
        "alive": planned.alive[operator.index],
    }
