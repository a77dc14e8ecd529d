"""SPACE_TO_BATCH_ND: an image, with zeros around it, is divided by rows and columns
into a batch of smaller images, as many as a block has places. Keras writes it before a
dilated convolution."""

from __future__ import annotations

from math import prod

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.split import KINDS


def blocks(operator: Operator) -> tuple[int, ...]:
    """Rows, and columns, from one row or column of a smaller image to its next."""
    return constants(operator.inputs[1]) or ()


def around(operator: Operator) -> list[tuple[int, int]]:
    """Zeros before and behind each axis, or what is cut off."""
    said = constants(operator.inputs[2]) or ()
    return list(zip(said[::2], said[1::2], strict=True))


def _shape(operator: Operator) -> tuple[int, ...]:
    images, *rest = dims(operator)
    apart = blocks(operator)
    sides = zip(rest, apart, around(operator), strict=False)
    sizes = [(n + sum(more)) // block for n, block, more in sides]
    return (images * prod(apart), *sizes, *rest[len(apart) :])


def told(operator: Operator) -> Problems:
    """Constants that fit an image, and one scale on both sides."""
    x, block, more = operator.inputs
    yield from checks.alike(x, operator.outputs[0])
    yield from checks.fixed(block)
    yield from checks.fixed(more)
    count = len(dims(operator)) - 2
    if count not in (1, 2):
        yield f"{x} has shape {list(dims(operator))}: supported are 3 or 4 dimensions"
    for tensor, shape in ((block, (count,)), (more, (count, 2))):
        if tensor is not None and tensor.shape != shape:
            yield f"{tensor} has shape {list(tensor.shape)}: expected {list(shape)}"
    if min(constants(block) or (1,)) < 1 or min(constants(more) or (0,)) < 0:
        yield f"{block} or {more} has numbers that are too small: expected blocks of at least 1"


def _check(operator: Operator) -> Problems:
    found = [*told(operator), *checks.quantised(operator.inputs[0])]
    yield from found
    if found:
        return
    sides = zip(dims(operator)[1:], blocks(operator), around(operator), strict=False)
    if any((n + sum(more)) % block for n, block, more in sides):
        yield f"{operator.inputs[0]} with zeros around does not fall into {list(blocks(operator))}"


OPERATOR = Declaration(
    name="SPACE_TO_BATCH_ND",
    table=25,
    newest=4,
    types=tuple(f"{one} i32 i32 > {one}" for one in KINDS),
    shape=_shape,
    check=_check,
)
