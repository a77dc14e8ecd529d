"""Leave out channels of 8 bits that nobody needs: those that are constant, and those
from which only such channels are computed.

What a constant channel adds to a filter's sum becomes part of the bias. That fails at
the border of an image, where windows see the zero point instead: such a filter keeps a
constant channel whose number is not the zero point.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from codegen.graph.checks import CODES
from codegen.graph.description import Graph, Operator, Quantisation, Tensor
from codegen.lowering import ranges
from codegen.lowering.composer import zero
from codegen.lowering.ranges import Range, channels, filters
from codegen.lowering.scaling import wrapped


@dataclass
class _Kept:
    """Channels that stay, by the tensors' numbers; a tensor that is not listed keeps
    all. `made` holds all tensors of the graph, and after them the constants that were
    added."""

    ranges: Mapping[int, Sequence[Range]]
    made: list[Tensor]
    needed: dict[int, set[int]] = field(default_factory=dict)
    found: dict[int, list[int]] = field(default_factory=dict)

    def need(self, tensor: Tensor | None, places: Iterable[int]) -> None:
        """Somebody reads these channels."""
        if tensor is not None:
            self.needed.setdefault(tensor.index, set()).update(places)

    def asked(self, tensor: Tensor) -> list[int]:
        """Channels that somebody reads, at least one."""
        return sorted(self.needed.get(tensor.index, ())) or [0]

    def of(self, tensor: Tensor) -> list[int]:
        """Channels that stay."""
        return self.found.get(tensor.index, [*range(channels(tensor))])

    def constant(self, tensor: Tensor, channel: int) -> int | None:
        """The number that a channel always is, if it is one."""
        known = self.ranges.get(tensor.index)
        low, high = known[channel] if known else ranges.FULL
        return low if low == high else None

    def constant_of(
        self,
        told: Tensor,
        shape: tuple[int, ...],
        values: Sequence[float],
        stay: Sequence[int],
    ) -> Tensor:
        """A constant of other numbers, of which each that stays has its own scale."""
        packed = struct.pack(f"<{len(values)}{CODES[told.type]}", *map(int, values))
        of = told.quantisation
        if of is not None and len(of.scales) > 1:
            scales, zeros = ([each[o] for o in stay] for each in (of.scales, of.zeros))
            of = Quantisation(tuple(scales), tuple(map(int, zeros)), of.axis)
        data, index = memoryview(packed), 1 + max(one.index for one in self.made)
        self.made.append(
            replace(told, index=index, shape=shape, quantisation=of, data=data)
        )
        return self.made[-1]


def dropped(graph: Graph) -> Graph:
    """The graph without them; what goes in and what comes out stays whole."""
    kept = _Kept(ranges.ranges(graph), [*graph.tensors])
    for tensor in graph.outputs:
        kept.need(tensor, range(channels(tensor)))
    for operator in reversed(graph.operators):
        _ask(kept, operator)
    for operator in graph.operators:
        _keep(kept, operator)
    if all(len(kept.of(one)) == channels(one) for one in graph.tensors):
        return graph
    operators = tuple(_smaller(kept, one) for one in graph.operators)
    tensors = tuple(_tensor(kept, one) for one in kept.made)
    return replace(graph, tensors=tensors, operators=operators)


def _follows(operator: Operator) -> bool:
    """Whether each channel of the output is made of one of the input."""
    x = operator.given(0)
    pooled = operator.kind in ranges.POOLS and x is not None and x.type == "i8"
    return pooled or ranges.copies(operator)


def _ask(kept: _Kept, operator: Operator) -> None:
    """What an operator needs of its inputs for what is needed of its output."""
    x, y = operator.given(0), operator.outputs[0]
    if x is not None and filters(operator):
        asked = kept.asked(y)
        if operator.kind == "DEPTHWISE_CONV_2D":
            kept.need(x, {o * channels(x) // channels(y) for o in asked})
        else:
            kept.need(x, _read(kept, operator, x, asked))
    elif x is not None and _follows(operator):
        kept.need(x, {o % channels(x) for o in kept.asked(y)})
    else:
        for one in (*operator.inputs, *operator.outputs):
            kept.need(one, range(channels(one)) if one is not None else ())


def _read(
    kept: _Kept, operator: Operator, x: Tensor, asked: Sequence[int]
) -> Iterable[int]:
    """Channels that a filter cannot do without: those with a weight other than 0 that
    are not constant, or not at the border."""
    filter_rows, beyond = ranges.rows(operator), ranges.outside(operator)
    for channel in range(channels(x)):
        known = kept.constant(x, channel)
        if known is not None and (known == zero(x) or not beyond):
            continue
        if any(any(filter_rows[o][channel :: channels(x)]) for o in asked):
            yield channel


def _keep(kept: _Kept, operator: Operator) -> None:
    """Which channels of an output stay."""
    x, y = operator.given(0), operator.outputs[0]
    if x is not None and _follows(operator):
        period = channels(x)
        stay = {*kept.of(x)}
        kept.found[y.index] = [o for o in range(channels(y)) if o % period in stay]
    elif x is not None and filters(operator):
        if operator.kind == "DEPTHWISE_CONV_2D":
            stay, count = {*kept.of(x)}, channels(y)
            kept.found[y.index] = [
                o for o in range(count) if o * channels(x) // count in stay
            ]
        else:
            kept.found[y.index] = kept.asked(y)


def _tensor(kept: _Kept, tensor: Tensor) -> Tensor:
    stay = kept.of(tensor)
    if len(stay) == channels(tensor):
        return tensor
    return replace(tensor, shape=(*tensor.shape[:-1], len(stay)))


def _smaller(kept: _Kept, operator: Operator) -> Operator:
    """The operator with inputs and outputs as they are left."""
    inputs = [one and _tensor(kept, one) for one in operator.inputs]
    outputs = tuple(_tensor(kept, one) for one in operator.outputs)
    x, y = operator.given(0), operator.outputs[0]
    touched = x is not None and (inputs[0], outputs[0]) != (x, y)
    if x is not None and touched and filters(operator):
        inputs[1:3] = _weights(kept, operator, x), _bias(kept, operator, x)
    return replace(operator, inputs=tuple(inputs), outputs=outputs)


def _weights(kept: _Kept, operator: Operator, x: Tensor) -> Tensor:
    """The weights that are left."""
    w = operator.inputs[1]
    assert w is not None
    outputs, filter_rows = kept.of(operator.outputs[0]), ranges.rows(operator)
    if operator.kind == "DEPTHWISE_CONV_2D":
        left = [filter_rows[o] for o in outputs]
        data = [value for place in zip(*left, strict=True) for value in place]
        shape = (*w.shape[:-1], len(outputs))
    else:
        seen, period = kept.of(x), channels(x)
        places = range(0, len(filter_rows[0]), period)
        data = [filter_rows[o][at + c] for o in outputs for at in places for c in seen]
        depth = w.shape[-1] // period * len(seen)
        shape = (len(outputs), *w.shape[1:-1], depth)
    return kept.constant_of(w, shape, data, outputs)


def _bias(kept: _Kept, operator: Operator, x: Tensor) -> Tensor:
    """Biases of the outputs that are left, with what the dropped constant channels
    add."""
    y, w = operator.outputs[0], operator.inputs[1]
    assert w is not None
    stay, b = kept.of(y), ranges.bias(operator, channels(y))
    if operator.kind != "DEPTHWISE_CONV_2D":
        filter_rows = ranges.rows(operator)
        seen = {*kept.of(x)}
        for channel in (c for c in range(channels(x)) if c not in seen):
            known = kept.constant(x, channel)
            moved = 0 if known is None else known - zero(x)
            for o in stay:
                b[o] += moved * int(sum(filter_rows[o][channel :: channels(x)]))
    told = operator.given(2) or replace(w, type="i32", quantisation=None)
    return kept.constant_of(told, (len(stay),), [wrapped(b[o]) for o in stay], stay)
