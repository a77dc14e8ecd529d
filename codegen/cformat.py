"""How values are written in generated C: the Jinja filters of every template.

A float is written as a hexadecimal literal, because only that names the same
binary32 for every reader and every compiler.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable
from typing import Final

_FLT_MAX: Final = float.fromhex("0x1.fffffep+127")


def c_float(value: float) -> str:
    """`value` as a C literal of type float: 1.5 gives "0x1.8p+0f".

    Raises `ValueError` when the value is not finite, or is no binary32: it
    would be rounded once more by the compiler.
    """
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{value!r} has no C literal: expected a finite number")
    if (
        abs(value) > _FLT_MAX
        or struct.unpack("<f", struct.pack("<f", value))[0] != value
    ):
        raise ValueError(f"{value!r} is not exactly representable in binary32")
    mantissa, exponent = value.hex().split("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}p{exponent}f"


def literal(value: float) -> str:
    """`value`, rounded to binary32, as a C literal of type float.

    Raises `ValueError` when it is not finite then.
    """
    return c_float(struct.unpack("<f", struct.pack("<f", value))[0])


def c_u32(value: int) -> str:
    """`value` as an unsigned 32-bit C literal: 99 gives "0x00000063U".

    Raises `ValueError` when it does not fit.
    """
    if not 0 <= value < 2**32:
        raise ValueError(f"{value!r} does not fit 32 bits")
    return f"0x{value:08x}U"


def c_int(value: float) -> str:
    """A whole number of 32 bits as a C literal: the least has none of its own.

    Raises `ValueError` when it does not fit.
    """
    whole = int(value)
    if whole != value or not -(2**31) <= whole < 2**31:
        raise ValueError(f"{value!r} does not fit 32 bits")
    return str(whole) if whole > -(2**31) else "-2147483647 - 1"


def c_int64(value: float) -> str:
    """A whole number of 64 bits as a C literal.

    Raises `ValueError` when it does not fit.
    """
    whole = int(value)
    if whole != value or not -(2**63) <= whole < 2**63:
        raise ValueError(f"{value!r} does not fit 64 bits")
    return f"INT64_C({whole})" if whole > -(2**63) else "INT64_MIN"


def c_comment(text: str) -> str:
    """Lines of `text` as a C block comment.

    Raises `ValueError` when the text itself would end the comment.
    """
    if "*/" in text:
        raise ValueError(f"{text!r} cannot stand in a C comment")
    lines = text.strip().splitlines()
    if len(lines) == 1:
        return f"/* {lines[0]} */"
    return "/* " + "\n * ".join(lines) + " */"


def listed(values: Iterable[float], spelled: str) -> str:
    """Numbers of an array, each by the filter of that name: of millions, Jinja's `map`
    takes five times as long."""
    return ", ".join(map(FILTERS[spelled], values))


FILTERS: dict[str, Callable[..., str]] = {
    "c_float": c_float,
    "literal": literal,
    "c_u32": c_u32,
    "c_int": c_int,
    "c_int64": c_int64,
    "c_comment": c_comment,
    "listed": listed,
}
"""What the renderer adds to its environment."""
