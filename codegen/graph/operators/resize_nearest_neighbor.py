"""RESIZE_NEAREST_NEIGHBOR: each pixel is one of the image's."""

from __future__ import annotations

from codegen.graph import checks
from codegen.graph.checks import constants, dims
from codegen.graph.declaration import Declaration, Field, Problems
from codegen.graph.description import Operator


def shape(operator: Operator) -> tuple[int, ...]:
    """Images of the rows and columns that are asked for."""
    n, _, _, c = dims(operator)
    high, wide = constants(operator.inputs[1]) or (0, 0)
    return n, high, wide, c


def check(operator: Operator) -> Problems:
    """An image, and two sizes that a constant says."""
    x, size = operator.inputs
    found = [*checks.rank(x, 4), *checks.fixed(size)]
    if size is not None and size.shape != (2,):
        found.append(f"{size} has shape {list(size.shape)}: expected [2]")
    elif min(constants(size) or (1,)) < 1:
        found.append(
            f"{size} is {list(constants(size) or ())}: expected sizes of at least 1"
        )
    yield from found
    yield from checks.alike(x, operator.outputs[0])


OPERATOR = Declaration(
    name="RESIZE_NEAREST_NEIGHBOR",
    table=74,
    newest=4,
    types=tuple(f"{one} i32 > {one}" for one in ("i8", "u8", "i16", "f32")),
    fields=(Field("align", 0, "?", False), Field("half_pixel", 1, "?", False)),
    shape=shape,
    check=check,
)
