"""SPACE_TO_BATCH_ND: the output is filled with the zero point, then the rows and columns of
each image are written into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.graph.operators.space_to_batch_nd import around, blocks
from codegen.lowering.composer import GraphComposer, call, zero
from codegen.lowering.moving import Walk, moved, strides
from codegen.program import Op, Operand

TYPES = ("i8", "i16", "f32")


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """A call that fills, and one for each image of a block."""
    x, y = operator.inputs[0], operator.outputs[0]
    made, source = c.activation(y), c.activation(x)
    value: Operand = 0.0 if y.type == "f32" else zero(y)
    found = [*call("fill", operator, v=made, value=value, n=y.elements)]
    for walk in walks(operator, dims(operator), y.shape):
        found += moved(c, operator, source, made, walk)
    return tuple(found)


def walks(
    operator: Operator, image: Sequence[int], parts: Sequence[int]
) -> Iterator[Walk]:
    """From an image to what each place of a block has of it; `parts` have all of them,
    one after another."""
    steps, to, apart = strides(image), strides(parts), blocks(operator)
    before = [one for one, _ in around(operator)]
    for number, at in enumerate(product(*map(range, apart))):
        n, reads, writes = [image[0]], [steps[0]], [to[0]]
        first, last = 0, number * image[0] * to[0]
        for k, (block, place, more) in enumerate(
            zip(apart, at, before, strict=True), 1
        ):
            begin = max(0, -((place - more) // block))
            end = min(parts[k], (image[k] - 1 + more - place) // block + 1)
            n.append(max(0, end - begin))
            reads.append(block * steps[k])
            writes.append(to[k])
            first += (begin * block + place - more) * steps[k]
            last += begin * to[k]
        rest = slice(len(apart) + 1, None)
        if min(n) > 0:
            shape = (*n, *image[rest])
            yield Walk(shape, (*reads, *steps[rest]), (*writes, *to[rest]), first, last)
