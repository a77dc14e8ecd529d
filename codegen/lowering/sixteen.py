"""Dense layers and convolutions of numbers of 16 bits with weights of 8.

Their sums have 64 bits, and a factor then has 15: y = sum m / 2^e, to nearest, halves up. Where
biases have 32 bits, or a dense layer has none, sums have 32 and factors are those of 8 bits.
Vectors compute the first kind where 32 bits hold every sum, whatever the inputs are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codegen.formats import I8, I32, I64
from codegen.graph.description import Operator
from codegen.lowering import ranges, scaling
from codegen.lowering.composer import GraphComposer, numbers
from codegen.lowering.fixed_point import Factor
from codegen.program import Operand
from codegen.tensors import Tensor

SHORT = 15
"""Bits of a factor of sums of 48 bits."""
MOST_UP = 14
"""Factors of such sums are less than 2^14."""
LARGEST = 1 << 15
"""Magnitude of a number of 16 bits."""
WIDE, ROOMY = 1 << 31, 1 << 30
"""What sums are below where vectors add them up; and where a product's high half rounds."""
HIGH = 17
"""The least e of a factor m 2^-e that the high half of a product with 2^16 m rounds by."""
FOUR = (0, 2, 1, 3)
"""How each four weights of a row lie: each two of a word are beside two numbers."""


def sixteen(operator: Operator) -> bool:
    """Whether its numbers have 16 bits."""
    x = operator.inputs[0]
    return x is not None and x.type == "i16"


def size(operator: Operator) -> int:
    """Bytes of a number."""
    return 2 if sixteen(operator) else 1


def narrow(operator: Operator) -> bool:
    """Whether sums of numbers of 16 bits have 32."""
    if not sixteen(operator):
        return False
    bias = operator.given(2)
    if bias is None:
        return operator.kind == "FULLY_CONNECTED"
    return bias.type != "i64"


def short(factor: Factor) -> Factor:
    """The same factor m 2^-e, m of 15 bits. Raises `OverflowError` for one that kernels
    would shift up."""
    if -factor.e > MOST_UP:
        raise OverflowError(
            f"a factor of up to 2^{-factor.e} between scales of 16 bits: supported is less "
            f"than 2^{MOST_UP}"
        )
    m = min((factor.m + (1 << SHORT)) >> 16, (1 << SHORT) - 1)
    return Factor(m, SHORT + factor.e)


def in_lanes(operator: Operator) -> bool:
    """Whether vectors compute it: all but wide sums that 32 bits do not hold, or of which a
    factor cuts off what rounding sees."""
    if not sixteen(operator) or narrow(operator):
        return True
    try:
        least = min(one.e for one in _shorts(operator))
    except OverflowError:  # the operator is refused later
        return False
    return least > SHORT and _largest(operator) < WIDE


def factors(operator: Operator) -> list[Factor]:
    """Factors for vectors, of either kind."""
    if not sixteen(operator) or narrow(operator):
        return _told(operator)
    return [Factor(one.m << 16, one.e - SHORT) for one in _shorts(operator)]


def _told(operator: Operator) -> list[Factor]:
    dense = operator.kind == "FULLY_CONNECTED"
    return scaling.of_dense(operator) if dense else scaling.of_channels(operator)


def _shorts(operator: Operator) -> list[Factor]:
    return [short(one) for one in _told(operator)]


def _largest(operator: Operator) -> int:
    """The largest magnitude of a sum with its bias, whatever the inputs are."""
    rows = ranges.rows(operator)
    biases = ranges.bias(operator, len(rows))
    sizes = (int(sum(map(abs, row))) * LARGEST for row in rows)
    return max(abs(b) + one for b, one in zip(biases, sizes, strict=True))


def operands(
    c: GraphComposer, operator: Operator, channels: int, w: Tensor
) -> dict[str, Operand]:
    """What a kernel without vectors is given, of so many outputs of a place."""
    told, of_sums = (_told, I32) if narrow(operator) else (_shorts, I64)
    return {
        "x": c.activation(operator.inputs[0]),
        "w": w,
        "b": c.constant(operator, "b", of_sums, ranges.bias(operator, channels)),
        "by": scaling.scales(c, operator, told(operator), up=_up(operator)),
        "y": c.activation(operator.outputs[0]),
    }


def _up(operator: Operator) -> bool:
    """Whether the high half of a product of 32 bits rounds a sum."""
    if narrow(operator) or min(one.e for one in _shorts(operator)) < HIGH:
        return False
    return _largest(operator) < ROOMY


def named(operator: Operator, kernel: str) -> str:
    """The kernel for such sums."""
    return f"narrow_{kernel}" if narrow(operator) else kernel


def weights(c: GraphComposer, operator: Operator, rows: int) -> Tensor:
    """Weights of so many rows, as kernels without vectors take them."""
    w = operator.inputs[1]
    assert w is not None
    values, run = numbers(w), w.elements // rows
    return c.computed(operator, "w", I8, len(values), lambda: _fours(values, run))


def _fours(values: Sequence[float], run: int) -> Iterator[float]:
    for first in range(0, len(values), run):
        row = values[first : first + run]
        whole = run - run % len(FOUR)
        yield from (row[k + at] for k in range(0, whole, len(FOUR)) for at in FOUR)
        yield from row[whole:]
