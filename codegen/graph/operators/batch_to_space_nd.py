"""BATCH_TO_SPACE_ND: the images of a batch are interleaved, row by row and column by
column, into one, whose margins are cut off."""

from __future__ import annotations

from math import prod

from codegen.graph.checks import dims
from codegen.graph.declaration import Declaration, Problems
from codegen.graph.description import Operator
from codegen.graph.operators.space_to_batch_nd import around, blocks, told
from codegen.graph.operators.split import KINDS


def _shape(operator: Operator) -> tuple[int, ...]:
    images, *rest = dims(operator)
    apart = blocks(operator)
    sides = zip(rest, apart, around(operator), strict=False)
    sizes = [n * block - sum(less) for n, block, less in sides]
    return (images // prod(apart), *sizes, *rest[len(apart) :])


def _check(operator: Operator) -> Problems:
    found = [*told(operator)]
    yield from found
    if not found and dims(operator)[0] % prod(blocks(operator)):
        yield f"{operator.inputs[0]} has {dims(operator)[0]} images: expected a multiple of blocks"


OPERATOR = Declaration(
    name="BATCH_TO_SPACE_ND",
    table=24,
    newest=4,
    types=tuple(f"{one} i32 i32 > {one}" for one in KINDS),
    shape=_shape,
    check=_check,
)
